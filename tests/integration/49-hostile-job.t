#!/bin/sh
# A hostile job with the mount: whatever it tries, no value leaves that it may not have, every refusal is on record, no forge and no
# Infisical is asked more than it bears, and other jobs are served all the while.  What it tries is hostile-job.py.
. "${top_srcdir:-.}/tests/integration/lib.sh"
. "$top_srcdir/tests/integration/units.sh"
need_root
need jq jq
need python3 python3
units_possible || skip_all "$units_why"
hostile_unit=docker-$(printf '%064d' 666).scope
honest_unit=docker-$(printf '%064d' 7).scope

standin_state >"$work/state.json"
standin_start "$work/state.json"
guarded_value=$secret_value shared_value=$secret_value-2
jq -n --arg guarded "$guarded_value" --arg shared "$shared_value" '
        {"users": {"deploy-bot": {}, "alice": {}}, "organizations": {"platform": {}},
         "tokens": {($guarded): {"user": "deploy-bot"}, ($shared): {"user": "deploy-bot"},
                    "job-of-platform": {"kind": "job", "job": {"repository": "platform/app"}},
                    "job-of-a-fork": {"kind": "job", "job": {"repository": "platform/app", "event": "pull_request", "fork": true}},
                    "job-that-ended": {"kind": "job", "state": "ended", "job": {"repository": "platform/app"}}},
         "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "write"}}}}' >"$work/forge.json"
forge_start forgejo "$work/forge.json"
forge_settings='oidc_audience = forge-broker'
section() { # NAME SECRET SETTINGS
        printf '[token %s]\nforge = home\nsecret_path = /forges\nsecret_name = %s\nusername = deploy-bot\n%s\n' "$1" "$2" "$3"
}
{
        section deploy deploy-bot@example.org 'proof = required
job_repositories = platform/*'
        section tagged deploy-bot@example.org 'proof = required
job_repositories = platform/*
job_refs = refs/tags/v*
write_probe = yes'
        section internal deploy-bot@example.org 'units = backup.service'
        section shared second ''
} | write_config
daemon_start
daemon_ready || bail "not ready: $(tail -n 5 "$work/daemon.log")"

# The other job, all the while: its token, and what that may do.
cat >"$work/honest" <<EOT
until [ -e "$work/stop" ]; do
        if [ "\$("$broker" -q get deploy)" = "$guarded_value" ]; then echo served; else echo failed; fi
        if "$broker" -q preflight deploy --repo platform/app --need contents:read >/dev/null; then echo asked; else echo failed; fi
done >"$work/honest.out" 2>"$work/honest.err"
EOT
FORGEJO_ACTIONS=true FORGEJO_TOKEN=job-of-platform FORGEJO_REPOSITORY=platform/app FORGE_BROKER_SOCKET=$jobs_socket \
        in_unit "$honest_unit" sh "$work/honest" &
lib_pids="$lib_pids $!"
served() { grep -c served "$work/honest.out"; }
is_served() { [ "$(served)" -gt "$1" ]; }
ok "the other job is served" wait_for 10 is_served 1

reads=$(standin_ask /counters | jq .requests)
forge_ask /left >"$work/left"
hostile() {
        HOSTILE_PROOF=job-of-a-fork STOLEN_PROOF=job-that-ended HOSTILE_UNIT=$hostile_unit ISSUER=$forge_url/api/actions ELSEWHERE="$standin_url/?x=1" \
                in_unit "$hostile_unit" python3 "$top_srcdir/tests/integration/hostile-job.py" "$jobs_socket" \
                "$credential_socket" "$work/transcript" "$1"
}
fault() { forge_ask /fault -X PUT -d "$1" >/dev/null; }

# What it does | what comes of it (an expression), in the order in which it does it
acts() {
        grep -v '^#' <<'EOT'
lists|200 x2
asks without proof|401 proof-required x2, 403 peer-refused x1
asks whether they are there|401 proof-required x2, 403 peer-refused x1
claims to be another job|401 proof-required x2, 403 peer-refused x1
shows its own proof|403 peer-refused x3
shows it and claims|403 peer-refused x3
shows a stolen proof|403 peer-refused x1, 403 proof-rejected x2
shows two proofs|400 malformed-request x3
sends the broker elsewhere|403 peer-refused x1, 403 proof-rejected x2
forges ID tokens|403 proof-rejected x200
# One more that the forge does not know; then this unit has had its share.
waits in crowds with much to show|403 proof-rejected x1, 429 too-many-requests x799
waits in crowds|429 too-many-requests x800
guesses proofs|429 too-many-requests x200
guesses names|404 unknown-token x500
asks for what is the operator's|400 malformed-request x6
probes without proof|401 proof-required x2, 403 peer-refused x1
# What the forge said of its own proof may be forgotten by now, and this unit has had its share.
probes by writing|(403 peer-refused x3|403 peer-refused x[12], 429 too-many-requests x[12]|429 too-many-requests x3)
probes by writing with what it may have|403 proof-insufficient x1
has other tokens tried|200 x2, 429 too-many-requests x8
storms for fresh values|200 x500
storms with questions|200 x[0-9]+, 429 too-many-requests x[0-9]+
asks systemd's way|refused x3
forges unit names|refused x15
holds connections|opened x900
EOT
}
acts >"$work/acts"
: >"$work/results"
while IFS='|' read -r act expected; do
        already=$(served)
        # A forge that takes its time keeps a crowd waiting.
        [ "${act%% with*}" = 'waits in crowds' ] && fault '{"delay":1,"path":"actions/run"}'
        hostile "$act" >"$work/result" 2>&1
        cat "$work/result" >>"$work/results"
        like "it $act" "$(cat "$work/result")" "^$act: $expected\$"
        ok "it $act: the other job is served all the same" wait_for 10 is_served "$already"
        fault '{}'
done <"$work/acts"
: >"$work/stop"
wait_for 10 lib_gone "${lib_pids##* }"
is "the other job was never refused" "$(sort -u "$work/honest.out" | tr '\n' ' ')" "asked served " ||
        note "$(sort "$work/honest.err" | uniq -c | head)"
note "the other job was served $(served) times"

# Nothing left.
ok "all that it was sent was kept" test "$(wc -c <"$work/transcript")" -gt 1000000
unlike "no guarded value is in it, and no proof of another job" "$(tr -d '\0' <"$work/transcript")" "$guarded_value([^-]|\$)|job-of-platform"
is "its write probes left nothing at the forge" "$(forge_ask /left)" "$(cat "$work/left")"

# Nobody was asked more than he bears.
ok "Infisical was read a few times: $(($(standin_ask /counters | jq .requests) - reads))" \
        test "$(($(standin_ask /counters | jq .requests) - reads))" -le 8
shown=$(forge_ask /requests | jq -r '.[].authorization // empty' | grep -cE 'crowd-|guess-|handed-in-|job-that-ended')
ok "the forge was shown five tokens at most that it does not know: $shown" test "$shown" -le 5
read=$(forge_ask /requests | jq '[.[] | select(.path | endswith("keys"))] | length')
ok "and for two hundred names of keys that it does not publish read its keys three times at most: $read" test "$read" -le 3
is "and nobody's proof went elsewhere" "$(grep -cE 'job-of|job-that' "$work/standin.log")" 0

daemon_stop
is "the daemon stops cleanly" $? 0

# Everything is on record: each refusal that it was told, in its unit's name, in a record of its own or counted in one like it.
told=$(sed 's/^[^:]*: //; s/, /\n/g' "$work/results" | grep -vE '^(200|401|opened) ?' | sed 's/.* x//' | awk '{ n += $1 } END { print n }')
recorded=$(records refused | grep -F " peer_unit=$hostile_unit" |
        awk '{ n = 1; for (i = 1; i <= NF; i++) if ($i ~ /^count=/) n = substr($i, 7); sum += n } END { print sum }')
is "each of $told refusals is on record" "$recorded" "$told"
is "and none of the other job" "$(records refused | grep -cF " peer_unit=$honest_unit")" 0
for refusal in 'token=deploy code=peer-refused' 'token=tagged code=peer-refused' 'token=internal code=peer-refused' \
        'token=deploy code=proof-rejected' 'token=deploy code=too-many-requests' 'token=shared code=proof-insufficient' \
        'token=shared code=too-many-requests' 'code=malformed-request' 'code=unknown-token' 'code=proof-required'; do
        like "on record by name: $refusal" "$(records refused)" "refused (token=[^ ]* )?${refusal} .*peer_unit=$hostile_unit"
done
grep -o ' seq=[0-9]*' "$work/daemon.log" | cut -d = -f 2 | sort -nu >"$work/numbers"
is "no record is missing" "$(wc -l <"$work/numbers")" "$(tail -n 1 "$work/numbers")"
unlike "no value, and no proof, is in the log" "$(cat "$work/daemon.log")" "$secret_value|job-of-|job-that-ended|crowd-|guess-"
done_testing
