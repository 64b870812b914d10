#!/bin/sh
# What a token may do, asked by a job: proven without writing where the forge lets it, bounded whatever jobs ask, and never with
# a value that leaves the broker.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
need python3 python3
handed_in=fb-handed-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')

standin_state >"$work/state.json"
standin_start "$work/state.json"

forge_state() {
        jq -n --arg value "$secret_value" --arg job "$handed_in" '
                {"users": {"deploy-bot": {}, "alice": {}}, "organizations": {"platform": {}},
                 "packages": {"platform": {"deploy-bot": "write"}},
                 "tokens": {($value): {"user": "deploy-bot", "scopes": ["all"]},
                            ($job): {"kind": "job", "job": {"repository": "platform/app"}}},
                 "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "write"},
                        "branches": ["main", "release/1"], "protected_branches": {"release/*": {"push": ["alice"]}}}}}'
}
forge_state >"$work/forge.json"

. "$top_srcdir/tests/integration/preflight.sh"

six='"needs":["contents:read","contents:write","release:write","packages:write","issues:write","pull:write"]'
all="{\"repository\":\"platform/app\",\"image\":\"platform/app\",\"ref\":\"main\",$six}"

for type in forgejo gitea; do
        begin "$type"

        # Who it is, without any need.
        preflight '{}'
        is "$type: whoami: the forge knows the token" "$(value .identity.verdict)" yes
        is "$type: whoami: as whom" "$(value .identity.login)" deploy-bot
        is "$type: whoami: its kind" "$(value .identity.kind)" personal-access-token
        is "$type: whoami: its scopes" "$(value '.identity.scopes | join(" ")')" all
        is "$type: whoami: without needs" "$(value '.needs | length')" 0
        is "$type: whoami: which value was asked about" "$(value .fingerprint)" "$(ask /v1/tokens/deploy | jq -r .fingerprint)"
        is "$type: an empty body is whoami" "$(ask /v1/tokens/deploy/preflight -X POST | jq -r .identity.login)" deploy-bot
        token "$secret_value" '{"user":"deploy-bot","scopes":["write:repository"]}'
        ask /v1/tokens/deploy/preflight -X POST -d '{"repository":"platform/app","needs":["pull:write"]}' >"$work/answer"
        is "$type: a token that may not read its own user is valid" "$(value .identity.verdict)" yes
        is "$type: and proves what it may" "$(value '.needs[0].verdict')" yes
        case $type in
        forgejo) is "$type: undisclosed" "$(value .identity.login)" null ;;
        gitea) is "$type: the token says itself whose it is" "$(value .identity.login)" deploy-bot ;;
        esac
        token "$secret_value" '{"user":"deploy-bot","scopes":["all"]}'

        # Six needs and a ref, at 50 ms for each answer.
        fault '{"delay": 0.05}'
        forget
        started=$(date +%s%N)
        preflight "$all"
        note "$type: six needs at 50 ms for each answer: $((($(date +%s%N) - started) / 1000000)) ms"
        fault '{}'
        is "$type: all six are proven" "$(value '[.needs[].verdict] | unique | join(" ")')" yes
        is "$type: there are six" "$(value '.needs | length')" 6
        is "$type: no request is repeated" "$(repeated)" "[]"
        is "$type: no token is in a URL" "$(forge_ask /requests | jq '[.[] | select(.token_in_url)] | length')" 0
        is "$type: nothing is left there" "$(left)" "{}"
        before=$(asked)
        preflight "$all"
        is "$type: the same question again costs the forge nothing" "$(asked)" "$before"

        # A reader: the advertisement of a push says 200, and that is no proof.
        repository '{"access":{"deploy-bot":"read"}}'
        is "$type: a reader is shown the advertisement of a push" "$(curl --silent --output /dev/null --write-out '%{http_code}' \
                --user "x:$secret_value" "$forge_url/platform/app.git/info/refs?service=git-receive-pack")" 200
        preflight '{"repository":"platform/app","needs":["contents:write","contents:read"]}'
        is "$type: contents:write is no" "$(value '.needs[] | select(.need == "contents:write") | .verdict')" no
        is "$type: for the user lacks the right" "$(value '.needs[] | select(.need == "contents:write") | .code')" \
                forge-permission-missing
        is "$type: contents:read is yes" "$(value '.needs[] | select(.need == "contents:read") | .verdict')" yes
        repository '{"access":{"deploy-bot":"write"}}'

        # A token that was clamped to read.
        token "$secret_value" '{"user":"deploy-bot","scopes":["read:repository","read:user"]}'
        preflight '{"repository":"platform/app","needs":["release:write"]}'
        is "$type: a clamped token cannot release" "$(value '.needs[0].verdict, .needs[0].code' | tr '\n' ' ')" "no forge-scope-missing "
        like "$type: the remedy names scope, user, page and where it is kept" "$(value '.needs[0].remedy')" \
                "deploy-bot.*write:repository.*$forge_url/user/settings/applications.*/forges"
        token "$secret_value" '{"user":"deploy-bot","scopes":["all"]}'

        # A protected branch, an archived repository, one that is not there.
        preflight '{"repository":"platform/app","ref":"refs/heads/release/1","needs":["contents:write"]}'
        is "$type: a protected branch" "$(value '.needs[0].verdict, .needs[0].code' | tr '\n' ' ')" "no forge-branch-protected "
        preflight '{"repository":"platform/app","ref":"refs/heads/release/1"}'
        is "$type: the ref alone" "$(value '.needs[0].need, .needs[0].verdict' | tr '\n' ' ')" "ref no "
        preflight '{"repository":"platform/nope","needs":["contents:read"]}'
        is "$type: no such repository" "$(value '.needs[0].code')" forge-repository-invisible
        repository '{"archived":true}'
        preflight "{\"repository\":\"platform/app\",\"needs\":[\"contents:write\"],\"ref\":\"$(fresh_ref)\"}"
        is "$type: an archived repository" "$(value '.needs[0].code')" forge-read-only
        repository '{"archived":false}'

        # What is not the forge's answer proves nothing.
        for kind in html redirect truncated close; do
                fault "{\"kind\":\"$kind\"}"
                preflight "{\"repository\":\"platform/app\",\"needs\":[\"contents:write\"],\"ref\":\"$(fresh_ref)\"}"
                is "$type: $kind: cannot tell who it is" "$(value .identity.verdict)" cannot-tell
                is "$type: $kind: nor what it may" "$(value '.needs[0].verdict')" cannot-tell
                like "$type: $kind: for a reason of upstream's" "$(value '.needs[0].code')" '^upstream-'
        done
        fault '{"kind":"html","path":"info/refs"}'
        preflight "{\"repository\":\"platform/app\",\"needs\":[\"contents:write\"],\"ref\":\"$(fresh_ref)\"}"
        is "$type: a proxy in front of git alone: cannot tell" "$(value '.needs[0].verdict, .needs[0].code' | tr '\n' ' ')" \
                "cannot-tell upstream-blocked "
        fault '{}'
        finish "$type"
done

begin forgejo

# Only for what the token is for, and no write without leave.
is "a repository that the token is not for is refused" "$(ask_status /v1/tokens/deploy/preflight -X POST \
        -d '{"repository":"other/app","needs":["contents:read"]}')" 403
preflight '{"repository":"other/app","needs":["contents:read"]}'
is "with its code" "$(value .code)" proof-insufficient
like "and the setting" "$(value .remedy)" 'for = .*\[token deploy\]'
like "and on record" "$(records refused | tail -n 1)" 'code=proof-insufficient'
preflight '{"image":"other/app","needs":["packages:write"]}'
is "an image that it is not for likewise" "$(value .code)" proof-insufficient
is "the forge has seen nothing of either" "$(asked)" 0
is "an unknown token is 404" "$(ask_status /v1/tokens/nope/preflight -X POST)" 404
is "GET is not for it" "$(ask_status /v1/tokens/deploy/preflight)" 405

# What is not a question.
for body in '[]' '"x"' '{' '{"x":1}' '{"repository":1}' '{"repository":"app"}' '{"repository":"../app"}' \
        '{"repository":"platform/app/"}' '{"repository":"platform//app"}' '{"repository":"platform/app?x"}' \
        '{"repository":"platform/a b"}' '{"needs":"contents:read"}' '{"needs":["contents"]}' '{"needs":["ref"]}' \
        '{"needs":["contents:read"]}' '{"needs":["packages:write"]}' '{"ref":"main"}' \
        '{"repository":"platform/app","ref":"a..b"}' '{"repository":"platform/app","ref":"a\"b"}' \
        '{"repository":"platform/app","ref":"a b"}' '{"repository":"platform/app","ref":""}' \
        '{"repository":"platform/app","ref":"a/./b"}' '{"repository":"platform/app","ref":".a"}' \
        '{"repository":"platform/app/branches"}' '{"repository":"platform/app/x","needs":["contents:read"]}' \
        "{\"repository\":\"platform/app\",\"ref\":\"$(head -c 245 /dev/zero | tr '\0' a)\"}" \
        '{"repository":"platform/app","needs":["contents:read"],"write_probe":true}' \
        '{"write_probe":1}' '{"token":""}' '{"token":"a b"}' '{"token":"a\nb"}' '{"token":1}' \
        "{\"token\":\"$(head -c 4097 /dev/zero | tr '\0' a)\"}" '{"needs":[],"needs":[]}'; do
        is "refused: $(printf '%.60s' "$body")" "$(ask /v1/tokens/deploy/preflight -X POST -d "$body" | jq -r .code)" malformed-request
done
is "the forge has seen nothing of them" "$(asked)" 0
longest=$(head -c 244 /dev/zero | tr '\0' b)
preflight "{\"repository\":\"platform/app\",\"ref\":\"$longest\"}"
is "the longest ref that there is room for is asked about whole" "$(value .ref)" "refs/heads/$longest"
forget

# One inspection for all who ask the same at once.
fault '{"delay": 0.3}'
for i in 1 2 3 4 5 6 7 8 9 10; do
        ask /v1/tokens/deploy/preflight -X POST -d "$all" >"$work/answer.$i" &
        asking="${asking-} $!"
done
wait $asking
fault '{}'
like "what can be asked at once is" "$(forge_ask /requests | jq '[.[].in_flight] | max')" '^([4-8])$'
is "but who it is, which comes first" "$(forge_ask /requests | jq -c '.[0] | [.path, .in_flight]')" '["/api/v1/user",1]'
is "ten who ask the same at once share one inspection" "$(repeated)" "[]"
is "and all are answered" "$(cat "$work"/answer.[0-9]* | jq -r '.needs | length' | sort | uniq -c | tr -d ' ' | tr '\n' ' ')" "106 "

# A job's own token, which the broker does not have.
preflight "{\"repository\":\"platform/app\",\"needs\":[\"release:write\",\"packages:write\"],\"image\":\"platform/app\",\"token\":\"$handed_in\"}"
is "a job's own token: its kind" "$(value .identity.kind)" job-token
is "a job's own token: release:write" "$(value '.needs[] | select(.need == "release:write") | .verdict')" yes
is "a job's own token: packages:write" "$(value '.needs[] | select(.need == "packages:write") | .verdict')" no
is "it has no source" "$(value 'has("source") or has("fingerprint")')" false
is "and is not the broker's: status is as before" "$(control /v1/status | jq -r '.tokens[0].state')" fresh
if ! sanitized; then
        printf '%s\n' "$handed_in" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
        like "no copy of it is left in the daemon" "$(cat "$work/scan")" '^open=0 locked=0'
        printf '%s\n' "$secret_value" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
        like "nor one of the broker's own outside the locked region" "$(cat "$work/scan")" '^open=0 '
fi

# Dead tokens: two of one unit in a minute, and none of them twice.
forget
preflight '{"token":"dead-1"}'
is "a dead token is dead" "$(value '.identity.verdict, .identity.code' | tr '\n' ' ')" "no forge-token-rejected "
before=$(asked)
preflight '{"token":"dead-1","repository":"platform/app","needs":["release:write"]}'
is "asked about again, with needs, it is dead still" "$(value '.needs[0].code')" forge-token-rejected
is "and the forge is not shown it again" "$(asked)" "$before"
for i in 2 3; do
        preflight "{\"token\":\"dead-$i\"}"
done
is "the third of one unit within a minute is turned away" "$(value .code)" too-many-requests
like "with the time after which to ask again" "$(cat "$work/head")" '[Rr]etry-[Aa]fter: [0-9]'
is "the forge has not seen it" "$(asked)" 2
if units_possible; then
        of_unit() { # NUMBER TOKEN
                in_unit "docker-$(printf '%064d' "$1").scope" curl --silent --max-time 30 --unix-socket "$jobs_socket" \
                        -d "{\"token\":\"$2\"}" http://localhost/v1/tokens/deploy/preflight | jq -r '.identity.verdict // .code'
        }
        is "those of another unit are asked about" "$(of_unit 1 dead-4; of_unit 1 dead-5; of_unit 1 dead-6)" "$(printf 'no\nno\ntoo-many-requests')"
        is "until it is five of all" "$(of_unit 2 dead-7; of_unit 2 dead-8)" "$(printf 'no\ntoo-many-requests')"
        is "the forge was shown five" "$(asked)" 5
fi
is "issuing goes on" "$(ask_status /v1/tokens/deploy)" 200
finish "limits"

# The broker's own value, found dead: on record, and the forge is not asked again.
begin forgejo
token "$secret_value" '{"user":"deploy-bot","state":"revoked"}'
preflight '{}'
is "the broker's own value: dead" "$(value .identity.code)" forge-token-rejected
before=$(asked)
preflight '{"repository":"platform/app","needs":["contents:read"]}'
is "it is not shown to the forge again" "$(asked) $(value '.needs[0].code')" "$before forge-token-rejected"
like "status says so" "$(control /v1/status | jq -c '.tokens[0]')" 'forge-token-rejected'
finish "dead"

# Write probes: what is left in the end is what the answer says.
probe='{"repository":"platform/app","needs":["release:write"],"write_probe":true'
begin forgejo
preflight "$probe}"
is "write probe: yes" "$(value '.needs[0].verdict')" yes
is "write probe: a draft was made" "$(forge_ask /requests | jq '[.[] | select(.status == 201)] | length')" 1
is "write probe: nothing is left" "$(left) $(value '.warnings | length')" "{} 0"
forget
preflight "$probe,\"ref\":\"refs/tags/v1.2\"}"
like "write probe: for a tag the name begins with it" "$(forge_ask /requests | jq -r '.[].body' | grep tag_name)" \
        '"v1.2-forge-broker-preflight-[0-9a-f]{16}"'
is "write probe: nothing is left of that" "$(left)" "{}"
repository '{"protected_tags":{"v*":["alice"]}}'
preflight "$probe,\"ref\":\"refs/tags/v1.3\"}"
is "write probe: a protected tag" "$(value '.needs[] | select(.need == "release:write") | .code')" forge-branch-protected
is "write probe: and for the ref" "$(value '.needs[] | select(.need == "ref") | .verdict')" no
repository '{"protected_tags":{}}'
repository '{"quota_exceeded":true}'
preflight "$probe,\"ref\":\"$(fresh_ref)\"}"
is "write probe: the quota is used up" "$(value '.needs[] | select(.need == "release:write") | .code')" forge-read-only
repository '{"quota_exceeded":false}'
fault '{"kind":"close","method":"POST","path":"releases$","sent":"tag_name"}'
preflight "$probe,\"ref\":\"$(fresh_ref)\"}"
fault '{}'
is "write probe: an answer that was lost before anything was made: nothing is left" "$(left)" "{}"
fault '{"kind":"lost","method":"POST","path":"releases$","sent":"tag_name"}'
preflight "$probe,\"ref\":\"$(fresh_ref)\"}"
fault '{}'
is "write probe: the answer that made it was lost: cannot tell" "$(value '.needs[] | select(.need == "release:write") | .verdict')" cannot-tell
is "write probe: but it was found and taken away" "$(left) $(value '.warnings | length')" "{} 0"

fault '{"kind":"json","status":500,"body":{"message":"","url":"https://x/api/swagger"},"method":"DELETE"}'
preflight "$probe,\"ref\":\"$(fresh_ref)\"}"
fault '{}'
is "write probe: a delete that fails: still a yes" "$(value '.needs[] | select(.need == "release:write") | .verdict')" yes
is "write probe: one draft is left" "$(left | jq '.["platform/app"].releases | length')" 1
like "write probe: the warning has its number and name" "$(value '.warnings[0]')" \
        "draft release $(left | jq '.["platform/app"].releases[0].id') \\($(left | jq -r '.["platform/app"].releases[0].tag_name')\\)"
repository '{"releases":[]}'
fault '{"kind":"json","status":500,"body":{"message":"","url":"https://x/api/swagger"},"method":"DELETE","path":"/tags/"}'
preflight "$probe,\"ref\":\"$(fresh_ref)\"}"
fault '{}'
is "write probe: the row for the tag is left" "$(left | jq -c '[.["platform/app"].releases[] | .is_tag]')" "[true]"
like "write probe: the warning says so" "$(value '.warnings[0]')" 'keeps a row for its tag'
repository '{"releases":[]}'
fault '{"kind":"json","status":500,"body":{"message":"","url":"https://x/api/swagger"},"method":"DELETE","count":1}'
preflight "$probe,\"ref\":\"$(fresh_ref)\"}"
fault '{}'
is "write probe: a delete that fails once is tried again" "$(left) $(value '.warnings | length')" "{} 0"

# Killed half-way: between the draft and its delete, between its delete and the tag's.
# kill_at METHOD PATH - while that request is under way
kill_at() {
        fault "{\"delay\":3,\"method\":\"$1\",\"path\":\"$2\"}"
        forget
        ask /v1/tokens/deploy/preflight -X POST -d "$probe,\"ref\":\"$(fresh_ref)\"}" >/dev/null 2>&1 &
        asking=$!
        wait_for 10 made_a_draft "$3"
        kill -KILL "$daemon_pid"
        daemon_wait 2>/dev/null
        wait "$asking"
        fault '{}'
}
made_a_draft() {
        left | jq -e ".[\"platform/app\"].releases[0].is_tag == $1" >/dev/null
}
kill_at DELETE "/releases/" false
is "killed before the delete: the draft release is left" \
        "$(left | jq -c '.["platform/app"].releases | map([.draft, .is_tag])')" '[[true,false]]'
like "with a name that says whose it is" "$(left)" '"forge-broker-preflight-[0-9a-f]{16}"'
daemon_start
daemon_ready
repository '{"releases":[]}'
kill_at DELETE "/tags/" true
is "killed before the tag's: the row is left, and nothing else" \
        "$(left | jq -c '.["platform/app"] | [keys, (.releases | map(.is_tag))]')" '[["releases"],[true]]'
daemon_start
daemon_ready
repository '{"releases":[]}'

# A forge that is too slow: what it makes in the end was not there to be found.
fault '{"delay":6,"method":"POST","path":"releases$","sent":"tag_name"}'
preflight "$probe,\"ref\":\"$(fresh_ref)\"}"
fault '{}'
is "a forge that is too slow: cannot tell" "$(value '.needs[] | select(.need == "release:write") | .verdict')" cannot-tell
like "and what may be left is said" "$(value '.warnings[0]')" 'not known whether a draft release forge-broker-preflight-[0-9a-f]{16}'
wait_for 15 made_a_draft false
like "it is" "$(left)" "$(value '.warnings[0]' | grep -o 'forge-broker-preflight-[0-9a-f]*')"
repository '{"releases":[]}'

# Stopped in order: what was made is taken away first.
fault '{"delay":1,"method":"DELETE","path":"/releases/"}'
ask /v1/tokens/deploy/preflight -X POST -d "$probe,\"ref\":\"$(fresh_ref)\"}" >/dev/null 2>&1 &
asking=$!
wait_for 10 made_a_draft false
daemon_stop
is "a stop that comes half-way is a clean one" $? 0
wait "$asking"
is "and nothing is left" "$(left)" "{}"
fault '{}'
daemon_start
daemon_ready

# Who asked leaves, and a reload comes: what was made is taken away all the same.
fault '{"delay":1,"method":"DELETE"}'
curl --silent --max-time 0.7 --output /dev/null --unix-socket "$jobs_socket" -X POST -d "$probe,\"ref\":\"$(fresh_ref)\"}" \
        http://localhost/v1/tokens/deploy/preflight
control /v1/reload -X POST >/dev/null
is "who asked has left, and there is a draft" "$(made_a_draft false && echo yes)" yes
nothing_left() {
        [ "$(left)" = "{}" ]
}
wait_for 15 nothing_left
is "it is taken away to the end" "$(left)" "{}"
fault '{}'
finish "write probes"

# A forge that is slower than the patience of who asks: the answer is there for who asks again.
broker_settings="request_timeout = 1s"
begin forgejo
fault '{"delay":1.2,"path":"repos/platform/app$"}'
preflight '{"repository":"platform/app","needs":["contents:read"]}'
is "not in time" "$(value .code)" upstream-timeout
again() {
        preflight '{"repository":"platform/app","needs":["contents:read"]}'
        [ "$(value '.needs[0].verdict')" = yes ]
}
wait_for 10 again
is "asked again, it is there" "$(value '.needs[0].verdict')" yes
is "and the forge was asked once" "$(repeated)" "[]"
fault '{}'
finish "slow"
done_testing
