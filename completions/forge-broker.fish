# fish completion for forge-broker, forge-brokerctl and forge-brokerd; the words are those of the programs' own --help.

function __forge_broker_words
    set -l tokens (commandline -opc)
    set -l program $tokens[1]
    set -l command
    set -l skip 0
    for word in $tokens[2..-1]
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch $word
            case --socket --timeout --config -c
                set skip 1
            case '-*'
            case '*'
                set command $word
                break
        end
    end
    switch $tokens[-1]
        case --socket --config -c --textfile --file --directory -C
            __fish_complete_path (commandline -ct)
            return
        case --format
            printf '%s\n' text json markdown html
            return
        case --proof
            printf '%s\n' oidc run-api repository none
            return
        case --require --forbid
            printf '%s\n' infisical-token-auth infisical-universal-auth direct-env-fallback
            return
        case --need
            printf '%s\n' contents:read contents:write release:write packages:write issues:write pull:write
            return
        case --token-env
            set -nx
            return
        case --timeout --interval --since --until --fingerprint --output --env --uid --unit --container --event --repo --ref --image
            return
    end
    if string match -q -- '-*' (commandline -ct)
        $program $command --help 2>/dev/null | string match -r '^ {2,6}-.*' | string match -ra -- '(?<=^|[ ,])--?[A-Za-z][A-Za-z-]*(?=[ ,]|$)' | sort -u
        return
    end
    switch "$command"
        case ''
            $program --help 2>/dev/null | string replace -rf '^  ([a-z][a-z-]*) .*' '$1'
        case setup
            echo docker
        case credential
            echo set
        case git-credential
            printf '%s\n' get store erase capability
        case docker-credential
            printf '%s\n' get store erase list version
        case get exec git preflight require wait whoami rejected
            $program list --quiet --timeout 500ms 2>/dev/null | string replace -rf '^(\S+) .*' '$1' | tail -n +2
        case explain refresh
            $program show-config 2>/dev/null | string replace -rf '^\[token (.*)\]$' '$1'
    end
end

for program in forge-broker forge-brokerctl forge-brokerd
    complete -c $program -f -a '(__forge_broker_words)'
end
