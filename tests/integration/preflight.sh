# shellcheck shell=sh
# For tests that put questions to the preflight route, about the token `deploy` and a forge whose state is $work/forge.json.  To
# be read behind lib.sh:  . "$top_srcdir/tests/integration/preflight.sh"
#
# Each origin is answered some questions at once and then two a second: a `begin` starts a daemon that has answered none.

# begin TYPE [SETTINGS] - a daemon without a history, and a forge of that type; with own_registry=1 its registry is named
begin() {
        forge_start "$1" "$work/forge.json"
        [ -z "${own_registry-}" ] || forge_settings="registry = ${forge_url#*://}"
        : >"$work/daemon.log"
        { token_deploy; printf 'write_probe = yes\nfor = platform/*\n%s\n' "${2-}"; } | write_config
        daemon_start
        daemon_ready || bail "not ready: $(tail -n 5 "$work/daemon.log")"
}
finish() {
        unlike "$1: no value is in a log" "$(cat "$work/daemon.log" "$work/forge.log")" "$secret_value|$access_token|$handed_in"
        daemon_stop
        is "$1: a clean stop" $? 0
        forge_stop
}
fault() {
        forge_ask /fault -X PUT -d "$1" >/dev/null
}
forget() {
        forge_ask /requests -X DELETE >/dev/null
}
# repository JSON - changes what the forge has of platform/app
repository() {
        forge_ask /repositories -X PUT -d "$(forge_ask /state | jq -c --argjson change "$1" \
                '{"platform/app": (.repositories["platform/app"] + $change)}')" >/dev/null
}
# token VALUE JSON - what the forge knows of a token
token() {
        forge_ask /tokens -X PUT -d "{\"$1\":$2}" >/dev/null
}
# preflight JSON - the answer in $work/answer
preflight() {
        ask /v1/tokens/deploy/preflight -X POST -d "$1" >"$work/answer"
}
# value FILTER - of the answer, as text
value() {
        jq -r "$1" "$work/answer"
}
# A question that was not asked in the last seconds: those are answered from the same inspection.
fresh_ref() {
        echo >>"$work/refs"
        printf 'refs/heads/%s' "new-$(wc -l <"$work/refs")"
}
left() {
        forge_ask /left | jq -c .repositories
}
asked() {
        forge_ask /requests | jq length
}
repeated() {
        forge_ask /requests/summary | jq -c '[.[] | select(.count > 1)]'
}
