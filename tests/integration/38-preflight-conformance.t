#!/bin/sh
# One set of scenarios for all forges: what a preflight says of a token is the same everywhere, as far as each forge tells.
#
# Each scenario is put to the daemon's route, with the forge stand-in as Forgejo, Gitea, github.com, a GitHub of one's own and
# GitLab, and each line of what comes back is compared with the table below.  The forges have their names and TLS, and those
# with their API or their registry on another host have it there: the script runs in a network and with a hosts file of its
# own, in which all of the names are the stand-in's.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need jq jq
. "$top_srcdir/tests/integration/names.sh"
own_names github.com api.github.com containers.github.com ghe.example.org containers.ghe.example.org git.example.org gitlab.example.org \
        registry.gitlab.example.org

# scenario | forges, * for all | need; identity is the token itself | verdict | code | what the remedy says
table() {
        grep -v -e '^#' -e '^$' <<'EOT'
good          | *                  | identity        | yes         | -                          |
good          | *                  | contents:read   | yes         | -                          |
good          | *                  | contents:write  | yes         | -                          |
good          | *                  | packages:write  | yes         | -                          |
good          | forgejo gitea      | release:write   | yes         | -                          |
good          | forgejo gitea      | issues:write    | yes         | -                          |
good          | forgejo gitea      | pull:write      | yes         | -                          |
good          | github ghes gitlab | release:write   | cannot-tell | forge-cannot-tell          |
good          | github ghes gitlab | issues:write    | cannot-tell | forge-cannot-tell          |
good          | github ghes gitlab | pull:write      | cannot-tell | forge-cannot-tell          |

reader        | *                  | identity        | yes         | -                          |
reader        | *                  | contents:read   | yes         | -                          |
reader        | *                  | contents:write  | no          | forge-permission-missing   | platform/app

scope         | *                  | contents:read   | yes         | -                          |
scope         | *                  | contents:write  | no          | forge-scope-missing        |
scope         | *                  | packages:write  | no          | forge-scope-missing        |

invisible     | *                  | contents:read   | no          | forge-repository-invisible | platform/app
invisible     | *                  | contents:write  | no          | forge-repository-invisible | platform/app

archived      | *                  | contents:read   | yes         | -                          |
archived      | *                  | contents:write  | no          | forge-read-only            | [Uu]narchive

open-ref      | *                  | contents:write  | yes         | -                          |
protected-ref | *                  | contents:write  | no          | forge-branch-protected     |

proxy         | *                  | identity        | cannot-tell | upstream-blocked           | url
proxy         | *                  | contents:write  | cannot-tell | upstream-blocked           | url
proxy         | *                  | packages:write  | cannot-tell | upstream-blocked           | url
redirect      | *                  | contents:write  | cannot-tell | upstream-blocked           | url
redirect      | *                  | packages:write  | cannot-tell | upstream-blocked           | url
truncated     | *                  | contents:write  | cannot-tell | upstream-.*                |
slow          | *                  | contents:write  | cannot-tell | upstream-timeout           |
closed        | *                  | contents:write  | cannot-tell | upstream-.*                |

dead          | *                  | identity        | no          | forge-token-rejected       | [Rr]otate
dead          | *                  | contents:write  | no          | forge-token-rejected       | [Rr]otate
EOT
}

# state TYPE SCENARIO - what the forge has: all of the tokens, since the daemon asks by and by when each of them ends
state() {
        jq -n --arg type "$1" --arg scenario "$2" --arg secret "$secret_value" --arg scenarios "$scenarios" '
                ($secret + "-" + $scenario) as $value
                | {"users": {"deploy-bot": {}, "alice": {}}, "organizations": {"platform": {}},
                 "packages": {"platform": {"deploy-bot": "write"}},
                 "tokens": ($scenarios | split("\n") | map({($secret + "-" + .): {"user": "deploy-bot", "scopes":
                        ({"github": ["repo", "write:packages"], "gitlab": ["api"]}[$type] // ["all"])}}) | add),
                 "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "write"},
                        "branches": ["main", "release/1"], "protected_branches": {"release/*": {"push": ["alice"]}},
                        "rulesets": [{"id": 5, "branches": ["release/*"], "rules": ["pull_request"], "bypass": {"alice": "always"}}]}}}
                | .token = {"forgejo": {"scopes": ["read:repository"]}, "gitea": {"scopes": ["read:repository"]},
                        "github": {"kind": "fine-grained", "repositories": ["platform/app"], "permissions": {"contents": "read"}},
                        "gitlab": {"scopes": ["read_api", "read_repository", "read_registry"]}}[$type]
                | if $scenario == "reader" then .repositories["platform/app"].access["deploy-bot"] = "read"
                  elif $scenario == "invisible" then .repositories["platform/app"].access = {}
                  elif $scenario == "archived" then .repositories["platform/app"].archived = true
                  elif $scenario == "scope" then .tokens[$value] += .token
                  elif $scenario == "dead" then .tokens[$value].state = "revoked"
                  else . end | del(.token)'
}

fault() {
        case $1 in
        proxy) echo '{"kind": "html"}' ;;
        redirect) echo '{"kind": "redirect"}' ;;
        truncated) echo '{"kind": "truncated"}' ;;
        slow) echo '{"kind": "slow", "seconds_per_byte": 1}' ;;
        closed) echo '{"kind": "close"}' ;;
        *) echo '{}' ;;
        esac
}

ref() {
        case $1 in
        open-ref) echo '"refs/heads/main"' ;;
        protected-ref) echo '"refs/heads/release/1"' ;;
        *) echo null ;;
        esac
}

# trim TEXT - without the blanks around it
trim() {
        echo "$1" | sed 's/^ *//; s/ *$//'
}

# compare FORGE SCENARIO - each line of the table that is about them, with $work/answer
compare() {
        table | while IFS='|' read -r scenario forges need verdict code remedy; do
                [ "$(trim "$scenario")" = "$2" ] || continue
                case " $forges " in *" * "* | *" $1 "*) ;; *) continue ;; esac
                need=$(trim "$need")
                line=$(jq -c --arg need "$need" 'if $need == "identity" then .identity
                        else (.needs // [])[] | select(.need == $need) end' "$work/answer")
                remedy=$(trim "$remedy")
                printf '%s\t%s\t%s\t%s\t%s\n' "$need" "$(trim "$verdict")" "$(trim "$code")" "${remedy:--}" "$line"
        done >"$work/expected"
        while IFS="$(printf '\t')" read -r need verdict code remedy line; do
                is "$1: $2: $need is $verdict" "$(printf '%s' "$line" | jq -r '.verdict' 2>/dev/null)" "$verdict" ||
                        note "$line"
                case $code in
                -) is "$1: $2: $need: without a code" "$(printf '%s' "$line" | jq -r '.code // "-"' 2>/dev/null)" - ;;
                *) like "$1: $2: $need: as $code" "$(printf '%s' "$line" | jq -r .code 2>/dev/null)" "^$code\$" ;;
                esac
                [ "$remedy" = - ] || like "$1: $2: $need: with a remedy" "$(printf '%s' "$line" | jq -r .remedy 2>/dev/null)" "$remedy"
        done <"$work/expected"
}

scenarios=$(table | sed 's/ *|.*//' | uniq)

# conform FORGE TYPE HOST REGISTRY
conform() {
        state "$2" good >"$work/forge.json"
        named_forge "$2" "$work/forge.json" "$3"
        forge_settings="$forge_settings
registry = $4"
        : >"$work/daemon.log"
        for scenario in $scenarios; do
                printf '[token %s]\nforge = home\nsecret_path = /forges\nsecret_name = %s\n\n' "$scenario" "$scenario"
        done | write_config
        daemon_start
        daemon_ready || bail "not ready: $(tail -n 5 "$work/daemon.log")"
        for scenario in $scenarios; do
                state "$2" "$scenario" >"$work/forge-state.json"
                forge_ask /state -X PUT --data-binary "@$work/forge-state.json" >/dev/null
                forge_ask /fault -X PUT -d "$(fault "$scenario")" >/dev/null
                forge_ask /requests -X DELETE >/dev/null
                needs=$(table | awk -F' *[|] *' -v s="$scenario" '$1 == s && $3 != "identity" { print $3 }' | sort -u | jq -R . | jq -cs .)
                ask "/v1/tokens/$scenario/preflight" -X POST -H 'Content-Type: application/json' \
                        -d "$(jq -cn --argjson needs "$needs" --argjson ref "$(ref "$scenario")" \
                        '{"repository": "platform/app", "image": "platform/app", "needs": $needs} + if $ref then {"ref": $ref} else {} end')" \
                        >"$work/answer"
                compare "$1" "$scenario"
                is "$1: $scenario: no request is repeated" \
                        "$(forge_ask /requests | jq -c '[group_by([.method, .path, .authorization])[] | select(length > 1) | .[0].path]')" \
                        "[]"
                is "$1: $scenario: no token is in a URL" "$(forge_ask /requests | jq '[.[] | select(.token_in_url)] | length')" 0
                forge_ask /fault -X PUT -d '{}' >/dev/null
                is "$1: $scenario: nothing is left there" "$(forge_ask /left | jq -c .)" '{"repositories":{},"uploads":[],"blobs":[]}'
        done
        unlike "$1: no value is in the log" "$(cat "$work/daemon.log" "$work/forge.log")" "$secret_value|$access_token"
        daemon_stop
        is "$1: a clean stop" $? 0
        forge_stop
}

# Each scenario has a token of its own: the answer to an equal question is kept for some seconds.
for scenario in $scenarios; do
        jq -cn --arg name "$scenario" --arg value "$secret_value-$scenario" '{"name": $name, "value": $value, "version": 1}'
done | jq -s . >"$work/secrets.json"
standin_state | jq --slurpfile secrets "$work/secrets.json" \
        '.projects[0].environments[0].folders[1].secrets += $secrets[0]' >"$work/state.json"
standin_start "$work/state.json"
conform forgejo forgejo git.example.org git.example.org
conform gitea gitea git.example.org git.example.org
conform github github github.com containers.github.com
conform ghes github ghe.example.org containers.ghe.example.org
conform gitlab gitlab gitlab.example.org registry.gitlab.example.org
done_testing
