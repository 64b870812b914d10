# bash completion for forge-broker, forge-brokerctl and forge-brokerd.
#
# The words are those of the programs' own --help: there is no second table to keep.

_forge_broker_commands() { # PROGRAM
        "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

_forge_broker_options() { # PROGRAM [COMMAND]
        "$@" --help 2>/dev/null | sed -n 's/^ \{2,6\}\(-.*\)/\1/p' | grep -oE -- '(^|, )--?[A-Za-z][A-Za-z-]*' | tr -d ', '
}

# Names are asked of the broker, which answers root alone; nobody waits for it.
_forge_broker_names() { # PROGRAM
        case ${1##*/} in
        forge-broker) "$1" list --quiet --timeout 500ms 2>/dev/null | sed -n '2,$s/ .*//p' ;;
        *) "$1" show-config 2>/dev/null | sed -n 's/^\[token \(.*\)\]$/\1/p' ;;
        esac
}

_forge_broker() {
        local program=$1 current=$2 previous=$3 command='' word i words=''
        local sources='infisical-token-auth infisical-universal-auth direct-env-fallback'

        COMPREPLY=()
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                --socket | --timeout | --config | -c) ((i++)) ;;
                --) [ "${program##*/}" != forge-broker ] || return 0 ;;
                -*) ;;
                *) command=$word && break ;;
                esac
        done
        case $previous in
        --socket | --config | -c | --textfile | --file | --directory | -C)
                COMPREPLY=($(compgen -f -- "$current"))
                return 0
                ;;
        --format) words='text json markdown html' ;;
        --proof) words='oidc run-api repository none' ;;
        --require | --forbid) words=$sources ;;
        --token) words=$(_forge_broker_names "$program") ;;
        --timeout | --interval | --since | --until | --fingerprint | --output | --env | --uid | --unit | --container | --event | \
                --need | --repo | --ref | --image) return 0 ;;
        --token-env) words=$(compgen -e) ;;
        esac
        if [ -z "$words" ]; then
                case $current in
                -*) words=$(_forge_broker_options "$program" $command) ;;
                *)
                        case $command in
                        '') words=$(_forge_broker_commands "$program") ;;
                        setup) words=docker ;;
                        credential) words=set ;;
                        git-credential) words='get store erase capability' ;;
                        docker-credential) words='get store erase list version' ;;
                        check-config | show-config)
                                COMPREPLY=($(compgen -f -- "$current"))
                                return 0
                                ;;
                        get | exec | git | preflight | require | wait | whoami | rejected | explain | refresh) words=$(_forge_broker_names "$program") ;;
                        esac
                        ;;
                esac
        fi
        COMPREPLY=($(compgen -W "$words" -- "$current"))
}

complete -F _forge_broker forge-broker forge-brokerctl forge-brokerd
