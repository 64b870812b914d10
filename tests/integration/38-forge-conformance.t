#!/bin/sh
# One set of scenarios for all forges: what the broker makes of an answer is the same everywhere, as far as each forge tells.
#
# Each scenario is a token of its own, whose report (POST .../rejected) makes the broker ask the forge: the stand-in as Forgejo,
# Gitea, github.com, a GitHub of one's own, and GitLab.  What comes back is compared with the table below.  The forges have their
# names and TLS, and github.com its API on another host: the script runs in a network and with a hosts file of its own, where
# all of the names are the stand-in's.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need jq jq
. "$top_srcdir/tests/integration/names.sh"
own_names github.com api.github.com ghe.example.org git.example.org gitlab.example.org login.example.org

# scenario | forges, * for all | verdict | code | what the remedy says (an expression)
table() {
        grep -v -e '^#' -e '^$' <<'EOT'
good      | *             | still-valid |                       |
# It may not read its own user; an installation's token has none.
narrow    | *             | still-valid |                       |
# Without a right to anything that is private, and a job's own.
public    | forgejo gitea | still-valid |                       |
job       | forgejo gitea | still-valid |                       |
fine      | github ghes   | still-valid |                       |
dead      | gitlab        | rejected    | forge-token-rejected  | do not rotate the old one through the API
dead      | *             | rejected    | forge-token-rejected  | forge-brokerctl refresh dead
expired   | gitlab        | rejected    | forge-token-rejected  | Create a new token
ended     | forgejo gitea | rejected    | forge-token-rejected  | forge-brokerctl refresh ended
proxy     | *             |             | upstream-blocked      | url of \[forge home\]
redirect  | *             |             | upstream-blocked      | url of \[forge home\]
stranger  | *             |             | upstream-blocked      | url of \[forge home\]
truncated | *             |             | upstream-malformed    | url and ca_file of \[forge home\]
closed    | *             |             | upstream-unreachable  | url and ca_file of \[forge home\]
gateway   | *             |             | upstream-error        | ask again
slow      | *             |             | upstream-timeout      | [Rr]eport it again
# GitLab says the same of a request without a token and of one with a token that it does not have.
dropped   | gitlab        | rejected    | forge-token-rejected  | drops the Authorization header
dropped   | *             |             | upstream-blocked      | pass the Authorization header on
signin    | forgejo gitea |             | upstream-blocked      | pass the Authorization header on
account   | forgejo gitea |             | forge-cannot-tell     | administrator look at that account
barred    | forgejo gitea |             | forge-cannot-tell     | administrator look at that account
password  | forgejo gitea |             | forge-cannot-tell     | administrator look at that account
locked    | github ghes   |             | forge-cannot-tell     | lock this address out
# The last one: a forge that says so is not asked again for as long as it wants.
limited   | github ghes   |             | upstream-rate-limited | not in a loop
EOT
}
scenarios=$(table | sed 's/ *|.*//' | awk '!seen[$0]++')

# of FORGE SCENARIO - "verdict|code|remedy" of the row that is about them; nothing if there is none
of() {
        table | awk -F' *[|] *' -v forge="$1" -v scenario="$2" '
                $1 == scenario && ($2 == "*" || index(" " $2 " ", " " forge " ")) { print $3 "|" $4 "|" $5; exit }'
}

value() {
        printf '%s-%s' "$secret_value" "$1"
}

# What the forge has: a token for each scenario.
state() {
        for scenario in $scenarios; do value "$scenario"; echo; done | jq -Rn --arg type "$1" --arg value "$secret_value" '
                {"users": {"deploy-bot": {}}, "tokens": ([inputs | {(.): {"user": "deploy-bot"}}] | add)}
                | .tokens[$value + "-narrow"] += {"forgejo": {"scopes": ["write:repository"]}, "gitea": {"scopes": ["write:repository"]},
                        "github": {"kind": "installation"}, "gitlab": {"scopes": ["write_repository"]}}[$type]
                | .tokens[$value + "-public"].scopes = ["public-only", "read:user"]
                | .tokens[$value + "-fine"] += {"kind": "fine-grained", "permissions": {"contents": "read"}}
                | .tokens[$value + "-job"] = {"kind": "job", "job": {"repository": "platform/app"}}
                | .tokens[$value + "-ended"] = {"kind": "job", "state": "ended", "job": {"repository": "platform/app"}}
                | .tokens[$value + "-dead"].state = "revoked"
                | .tokens[$value + "-expired"].state = "expired"
                | .tokens[$value + "-account"].account = "This account is not activated."
                | .tokens[$value + "-barred"].account =
                        "This account is prohibited from signing in, please contact your site administrator."
                | .tokens[$value + "-password"].account =
                        "You must change your password. Change it at: https://git.example.org/user/change_password"'
}

fault() {
        case $1 in
        proxy) echo '{"kind": "html"}' ;;
        redirect) echo '{"kind": "redirect", "location": "https://login.example.org/api/v1/user"}' ;;
        gateway) echo '{"kind": "html", "status": 502}' ;;
        truncated) echo '{"kind": "truncated"}' ;;
        closed) echo '{"kind": "close"}' ;;
        slow) echo '{"kind": "slow", "seconds_per_byte": 1}' ;;
        stranger) echo '{"kind": "json", "status": 403, "body": {"reason": "Forbidden"}}' ;;
        dropped | signin) echo '{"kind": "drop-header"}' ;;
        *) echo '{}' ;;
        esac
}

settings() {
        case $1 in
        limited) echo '{"rate_limited": true}' ;;
        locked) echo '{"lockout": 0}' ;;
        signin) echo '{"require_signin": true}' ;;
        *) echo '{}' ;;
        esac
}

# conform FORGE TYPE HOST API [OPTION...] - what is asked goes to API, a host and path; HOST may have a path as well
conform() {
        forge=$1
        type=$2
        host=$3
        api=$4
        at="$forge at $host"
        shift 4
        state "$type" >"$work/forge.json"
        named_forge "$type" "$work/forge.json" "$host" "$@"
        : >"$work/daemon.log"
        for scenario in $scenarios; do
                printf '[token %s]\nforge = home\nsecret_path = /forges\nsecret_name = %s\n\n' "$scenario" "$scenario"
        done | write_config
        daemon_start
        daemon_ready || bail "not ready: $(tail -n 5 "$work/daemon.log")"
        for scenario in $scenarios; do
                expected=$(of "$forge" "$scenario")
                [ -n "$expected" ] || continue
                forge_ask /state -X PUT --data-binary "@$work/forge.json" >/dev/null
                forge_ask /settings -X PUT -d "$(settings "$scenario")" >/dev/null
                forge_ask /fault -X PUT -d "$(fault "$scenario")" >/dev/null
                forge_ask /requests -X DELETE >/dev/null
                fingerprint=$(ask "/v1/tokens/$scenario" | jq -r .fingerprint)
                answer=$(ask "/v1/tokens/$scenario/rejected" -X POST -d "{\"fingerprint\":\"$fingerprint\"}")
                is "$at: $scenario: the verdict and its code" "$(printf '%s' "$answer" | jq -r '"\(.verdict // "")|\(.code // "")"')" \
                        "${expected%|*}"
                remedy=${expected##*|}
                like "$at: $scenario: the remedy" "$(printf '%s' "$answer" | jq -r '.remedy // "none"')" "${remedy:-^none$}"
                is "$at: $scenario: one question, to the API's host, with the token in no URL" \
                        "$(forge_ask /requests | jq -c '[.[] | "\(.host)\(.path) \(.token_in_url)"]')" "[\"$api/user false\"]"
                is "$at: $scenario: the value is served on" "$(ask_status "/v1/tokens/$scenario")" 200
        done
        unlike "$at: no value is in the log" "$(cat "$work/daemon.log" "$work/forge.log")" "$secret_value|$access_token"
        daemon_stop
        is "$at: a clean stop" $? 0
        forge_stop
}

broker_settings="request_timeout = 3s"
for scenario in $scenarios; do value "$scenario" | jq -Rc --arg name "$scenario" '{"name": $name, "value": ., "version": 1}'; done |
        jq -s . >"$work/secrets.json"
standin_state | jq --slurpfile secrets "$work/secrets.json" \
        '.projects[0].environments[0].folders[1].secrets += $secrets[0]' >"$work/state.json"
standin_start "$work/state.json"
conform forgejo forgejo git.example.org git.example.org/api/v1
conform gitea gitea git.example.org git.example.org/api/v1
conform gitea gitea git.example.org/forge git.example.org/forge/api/v1 --base /forge
conform github github github.com api.github.com
conform ghes github ghe.example.org ghe.example.org/api/v3
conform gitlab gitlab gitlab.example.org gitlab.example.org/api/v4
done_testing
