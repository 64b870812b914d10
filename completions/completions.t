#!/bin/sh
# The completions, run by their shells: every command and every option of the programs' --help, and nothing else.
top=${top_srcdir:-$(cd "$(dirname "$0")/.." && pwd)}
build=${top_builddir:-$top/build}
. "$top/tests/integration/tap.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
for program in job/forge-broker ctl/forge-brokerctl daemon/forge-brokerd; do
        ln -s "$(realpath "$build")/src/$program" "$work/${program##*/}"
done
export PATH="$work:$PATH" FORGE_BROKER_SOCKET="$work/none"

# What the pages say, by another way than the completions' own.
commands() { "$1" --help | awk '/^  [a-z]/ && !/^  -/ { print $1 }' | sort; }
options() { "$@" --help | awk '/^ +-/ { for (i = 1; i <= 2; i++) { sub(/,$/, "", $i); if ($i ~ /^--?[A-Za-z]/) print $i } }' | sort -u; }

bash_words() { # WORD... - the last is being typed
        bash --norc -c 'source "$0" && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) &&
                _forge_broker "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}" && printf "%s\n" "${COMPREPLY[@]}"' \
                "$top/completions/forge-broker.bash" "$@" | sort -u
}
zsh_words() {
        zsh -f -c 'compadd() { shift; print -l -- ${(M)@:#${words[CURRENT]}*} }; _files() { print FILES }; _normal() { print NORMAL }
                file=$1; shift; words=("$@"); CURRENT=$#; complete_it() { eval "$(<$file)" }; complete_it' zsh "$top/completions/_forge-broker" "$@" | sort -u
}
fish_words() {
        fish --no-config -c 'source $argv[1]; complete -C (string join " " -- $argv[2..-1])' "$top/completions/forge-broker.fish" "$@" |
                cut -f 1 | sort -u
}

for shell in bash zsh fish; do
        if ! command -v "$shell" >/dev/null; then
                skip "$shell" "$shell is not installed (Debian: $shell)"
                continue
        fi
        words=${shell}_words
        for program in forge-broker forge-brokerctl; do
                is "$shell: the commands of $program" "$($words "$program" '')" "$(commands "$program")"
                for command in $(commands "$program"); do
                        is "$shell: the options of $program $command" "$($words "$program" "$command" --)" \
                                "$(options "$program" "$command" | grep -e '^--')"
                done
        done
        is "$shell: the options of forge-brokerd" "$($words forge-brokerd --)" "$(options forge-brokerd | grep -e '^--')"
        is "$shell: a command after options" "$($words forge-brokerctl --json --socket /x s | tr '\n' ' ')" "show-config status "
        is "$shell: what setup takes" "$($words forge-broker setup '')" docker
        is "$shell: formats" "$($words forge-brokerctl audit --format '' | tr '\n' ' ')" "html json markdown text "
        is "$shell: kinds of proof" "$($words forge-brokerctl explain deploy --proof '' | tr '\n' ' ')" "none oidc repository run-api "
        is "$shell: sources" "$($words forge-brokerctl audit --forbid '' | tr '\n' ' ')" \
                "direct-env-fallback infisical-token-auth infisical-universal-auth "
done
done_testing
