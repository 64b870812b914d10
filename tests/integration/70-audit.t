#!/bin/sh
# forge-brokerctl audit: what it counts, what it does not, and when its gate opens.  The journals are made here, of records
# in the form of the real daemon's (journal.py), by systemd-journal-remote, which takes the fields of journald's own too.
top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top_srcdir/tests/integration/lib.sh"

remote=/lib/systemd/systemd-journal-remote
[ -x "$remote" ] || skip_all "systemd-journal-remote is missing (Debian: systemd-journal-remote)"
need python3 python3
need jq jq
now=$(date +%s)

# journal NAME - a directory of that name with what stands on standard input
journal() {
        mkdir -p "$work/$1"
        python3 "$top_srcdir/tests/integration/journal.py" "$now" >"$work/$1.export" || bail "journal.py failed"
        "$remote" --output="$work/$1/$1.journal" --split-mode=none "$work/$1.export" >"$work/remote.log" 2>&1 ||
                bail "systemd-journal-remote failed: $(cat "$work/remote.log")"
}
# audit NAME [OPTION...] - its output in $work/out and $work/err, its status as the result
audit() {
        audit_name=$1
        shift
        "$brokerctl" audit --directory "$work/$audit_name" --until "@$now" "$@" >"$work/out" 2>"$work/err"
}
out() { cat "$work/out"; }
# json NAME FILTER [OPTION...] - what jq makes of the report; the status is not looked at
json() {
        json_filter=$2
        audit_name=$1
        shift 2
        audit "$audit_name" --json "$@"
        jq -rc "$json_filter" "$work/out"
}

# The soak: 16 runs over 48 hours.
soak() {
        cat <<'EOT'
at=-72h line
at=-50h kind=config-loaded seq=1
repeat=16 step=2h at=-47h kind=issued seq=2 run=1948
EOT
}
soak | journal soak
audit soak --require 'infisical-token-auth>=16' --require 'infisical-token-auth:runs>=16' --forbid direct-env-fallback
is "16 runs from infisical-token-auth and none from the fallback: the gate is met" "$?" 0
like "... and says so" "$(out)" '^gate: met$'
like "... with the runs, which are only claimed" "$(out)" '16 runs \(0 proven, 16 only claimed\)'
like "... and since when the fallback is not used" "$(out)" 'fallback: .* was not used since .*, where the journal begins'
like "... without a hole" "$(out)" '^holes: +none$'
is "JSON has the same" "$(json soak '[.gate.met, .sources["infisical-token-auth"].issued,
        .sources["infisical-token-auth"].runs.distinct, .sources["direct-env-fallback"].issued, (.holes | length)]' \
        --require 'infisical-token-auth>=16')" '[true,16,16,0,0]'
audit soak --require 'infisical-token-auth>=17'
is "one more is asked for: the gate is not met" "$?" 1
like "... and says by how much" "$(out)" 'UNMET  require infisical-token-auth>=17: 16 issuances, 1 short of 17'
audit soak --require 'infisical-token-auth:proven-runs>=3'
is "claimed runs are no proven ones" "$?" 1
like "... and says so" "$(out)" '0 proven runs \(0 proven, 16 only claimed\), 3 short of 3'
audit soak
is "without a condition there is no gate" "$?" 0
unlike "... and no word of one" "$(out)" '^gate:'

# One forbidden marker in it.
{ soak; echo 'at=-3h kind=issued seq=18 source=direct-env-fallback run=1964'; } | journal forbidden
audit forbidden --require 'infisical-token-auth>=16' --forbid direct-env-fallback
is "one issuance from the fallback: the gate is not met" "$?" 1
like "... and names it" "$(out)" 'UNMET  forbid direct-env-fallback: 1 issuance from direct-env-fallback too many, the last at .* \(deploy\)'
like "... and how long ago that was" "$(out)" 'direct-env-fallback was last used at .*, 3h before'
audit forbidden --forbid other/direct-env-fallback
is "... of another token it is not forbidden" "$?" 0
audit forbidden --forbid deploy/direct-env-fallback --since 2h
is "... nor before the window" "$?" 1
like "... in which there must be some record" "$(out)" 'UNMET  the daemon recorded something: 0 records'
like "... and its last use is told from before the window as well" "$(out)" 'direct-env-fallback was last used at .*, 3h before'

# Forged ones: everything but what journald itself says can be written by anybody.
{
        soak
        echo 'at=-3h forged uid=1000 kind=issued seq=18 source=direct-env-fallback run=1964'
        echo 'at=-2h forged uid=1000 exe=/usr/bin/python3.11 kind=issued seq=18 run=5000 repeat=20 step=1m'
        echo 'at=-90m forged uid=997 unit=user@997.service kind=issued seq=18 _SYSTEMD_USER_UNIT=forge-brokerd.service'
        echo 'at=-80m forged uid=997 unit=forge-brokerd.service transport=stdout kind=issued seq=18'
        echo 'at=-70m kind=issued seq=18 _SYSTEMD_UNIT=forge-brokerd.service _SYSTEMD_UNIT=session-1.scope'
        echo 'at=-60m forged kind=issued seq=1 MESSAGE_ID=00000000000000000000000000000001'
        echo 'at=-50m line uid=1000 unit=x.service MESSAGE_ID=01903ac0641242c18f4db65e8f7108f7 MESSAGE=hi'
        echo 'at=-40m kind=issued seq=18 unit=forge-brokerd2.service'
} | journal forged
audit forged --require 'infisical-token-auth>=16' --forbid direct-env-fallback
is "forged records do not close the gate" "$?" 0
audit forged --require 'infisical-token-auth>=17'
is "... and do not open it" "$?" 1
audit forged
like "they are reported as foreign" "$(out)" '^foreign: +27 records that somebody else wrote'
like "... with who wrote them" "$(out)" '20 by uid 1000, /usr/bin/python3\.11, unit session-1\.scope'
like "... a user manager's unit of the same name among them" "$(out)" '1 by uid 997, .*, unit user@997\.service'
like "... the daemon's own standard error too" "$(out)" '1 by uid 997, .*, unit forge-brokerd\.service'
is "... and no use of the fallback is seen in them" "$(json forged '.direct_env_fallback.last_at')" null
audit forged --uid 998 --require 'infisical-token-auth>=1'
is "with another uid than the daemon's nothing counts" "$?" 1
audit forged --uid 997 --require 'infisical-token-auth>=16'
is "with its uid all do" "$?" 0

# Completeness.
{ soak; echo 'at=-3h kind=issued seq=20 run=1970'; } | journal gap
audit gap --require 'infisical-token-auth>=16'
is "a gap in the sequence fails the gate" "$?" 1
like "... and names the records" "$(out)" 'records 18 to 19 of instance 30f7255a are missing, between '
audit gap --require 'infisical-token-auth>=16' --allow-holes
is "... unless holes are allowed" "$?" 0
is "JSON counts the missing ones" "$(json gap '[.missing_records, .holes[0].kind]')" '[2,"records"]'
audit soak --since 60h --until 40h --require 'infisical-token-auth>=1'
is "a window that ends before the last record is complete" "$?" 0
audit gap --since 60h --until 10h --require 'infisical-token-auth>=1'
is "a gap right behind the window may lie in it: not complete" "$?" 1
like "... and says where" "$(out)" 'records 18 to 19 of instance 30f7255a are missing, behind '
audit gap --since 10h --require 'infisical-token-auth>=1'
is "a gap right before the window as well" "$?" 1
printf '%s\n' 'at=-72h line' 'repeat=16 step=2h at=-47h kind=issued seq=3 run=1948' | journal headless
audit headless --require 'infisical-token-auth>=16'
is "an instance whose first records nobody has is not complete" "$?" 1
like "... and says which" "$(out)" 'records 1 to 2 of instance 30f7255a are missing, before '
audit soak --since "@$((now - 100 * 3600))" --require 'infisical-token-auth>=16'
is "a window that begins before the journal does fails the gate" "$?" 1
like "... and says where it begins, and how to ask" "$(out)" "the journal begins at .*, 1d 4h after the window does.*--since '@[0-9]+'"
audit soak --since "@$((now - 72 * 3600 + 1))" --require 'infisical-token-auth>=16'
is "... asked like that it passes" "$?" 0
{ printf '%s\n' 'at=-90h line uid=1000'; soak; } | journal users
audit users --since 80h --require 'infisical-token-auth>=16'
is "what users wrote before does not make the journal older" "$?" 1
printf 'at=-72h line\n' | journal empty
audit empty --forbid direct-env-fallback
is "no record at all fails every gate" "$?" 1
like "... and says so" "$(out)" 'nothing proves that it ran here'
{ soak; echo 'at=-3h kind=issued seq=17 source=direct-env-fallback run=1'; } | journal repeated
audit repeated --require 'infisical-token-auth>=16'
is "a number that comes twice is a fault" "$?" 1
audit repeated --require 'infisical-token-auth>=17' --allow-holes
is "... and is not counted" "$?" 1
audit repeated --forbid direct-env-fallback --allow-holes
is "... but a forbidden source is seen in it" "$?" 1
{ soak; echo 'at=-3h kind=issued seq=18 FORGE_BROKER_SOURCE=infisical-token-auth FORGE_BROKER_SOURCE=direct-env-fallback'; } | journal twice
audit twice --require 'infisical-token-auth>=16' --allow-holes
is "a record of the daemon with a field twice is never allowed" "$?" 1
like "... and said to be broken" "$(out)" '1 record of the daemon cannot be read \(the first: a field stands in it twice\)'
{
        printf '%s\n' 'at=-72h line' 'repeat=8 step=2h at=-47h kind=issued seq=1 run=1948'
        echo 'repeat=8 step=2h at=-20h kind=issued seq=1 run=1956 instance=aaaa255a8e0e080c0c04941c7e7c5768'
} | journal restart
audit restart --require 'infisical-token-auth:runs>=16'
is "a restart of the daemon is no hole" "$?" 0
is "... and is counted" "$(json restart .daemon.starts)" 2

# Who vouches for a run: a proof of the repository alone proves none, and claims beside a proven run count for nothing.
cat <<'EOT' | journal proofs
at=-72h line
at=-47h kind=issued seq=1 run=1 repo=a/b verified=oidc
at=-46h kind=issued seq=2 run=2 repo=a/b verified=run-api attempt=
at=-45h kind=issued seq=3 run=2 repo=a/b verified=run-api attempt= FORGE_BROKER_CLAIM_RUN_ATTEMPT=9
at=-44h kind=issued seq=4 run=3 repo=a/b verified=repository
at=-43h kind=issued seq=5 run=4 repo=a/b FORGE_BROKER_PROVEN_RUN_ID=5 FORGE_BROKER_PROVEN_REPOSITORY=a/b
EOT
is "runs are proven where the proof names them" "$(json proofs '.sources["infisical-token-auth"].runs | [.distinct, .proven, .claimed]')" \
        '[4,2,2]'
audit proofs --require 'infisical-token-auth:proven-runs>=2'
is "... which a gate can ask for" "$?" 0
audit proofs --require 'infisical-token-auth:proven-runs>=3'
is "... and no claim makes it more" "$?" 1

# What is counted apart.
cat <<'EOT' | journal many
at=-72h line
at=-47h kind=issued seq=1 run=1 repo=a/b verified=no
at=-46h kind=issued seq=2 run=1 repo=a/b verified=oidc
at=-45h kind=issued seq=3 run=1 repo=a/b attempt=2
at=-44h kind=issued seq=4 run=1 repo=a/c
at=-43h kind=issued seq=5 token=packages run=1 repo=a/c freshness=stale
at=-42h kind=issued seq=6 source=infisical-universal-auth
at=-41h kind=refused code=unknown-token token=what seq=7
at=-40h kind=refused code=unknown-token token=what seq=8 count=12
at=-39h kind=refused code=peer-refused token= seq=9
at=-38h kind=unavailable code=upstream-timeout seq=10
at=-37h kind=upstream-failed code=upstream-timeout seq=11
at=-36h kind=upstream-recovered seq=12
at=-35h kind=token-rotated seq=13
at=-34h kind=config-rejected seq=14
at=-33h kind=issued seq=15 MESSAGE_ID=00000000000000000000000000000001 FORGE_BROKER_PEER_CGROUP=/x FORGE_BROKER_NEW=y
EOT
is "runs are distinct by repository, run and attempt, proven once one is vouched for" \
        "$(json many '.sources["infisical-token-auth"].runs | [.distinct, .proven, .claimed]')" '[3,1,2]'
is "... for each token" "$(json many '.tokens[] | [.name, .sources["infisical-token-auth"].runs.distinct]' | tr '\n' ' ')" \
        '["deploy",3] ["packages",1] '
is "fresh and stale are told apart" "$(json many '.tokens[1].sources["infisical-token-auth"] | [.fresh, .stale]')" '[0,1]'
is "refusals count what they stand for" "$(json many '.refusals | map([.code, .count])')" '[["unknown-token",13],["peer-refused",1]]'
is "failures by code" "$(json many '.failures | map([.code, .count])')" '[["upstream-timeout",2]]'
is "rotations, rejected configurations" "$(json many '[.rotations, .daemon.configuration_rejected]')" '[1,1]'
is "a kind and fields that a newer daemon has leave no hole" "$(json many '[.daemon.records, (.holes | length)]')" '[15,0]'
is "--token leaves the others out" "$(json many '[.tokens[].name, .sources["infisical-token-auth"].issued]' --token packages)" '["packages",1]'
audit many --token packages --require 'infisical-token-auth>=1' --require 'packages/infisical-token-auth>=1'
is "... also for conditions" "$?" 0
audit many --token packages --require 'deploy/infisical-token-auth>=1'
is "... and one on a token that is left out is a mistake" "$?" 2

# A fleet.
soak | journal fleet
sed 's/$/ host=web-2 machine=99998857e4b4854a90d02c6fbf6a1d60 instance=bbbb255a8e0e080c0c04941c7e7c5768/' >"$work/scenario" <<'EOT'
at=-72h line
at=-47h kind=issued seq=1 run=3000
at=-46h kind=issued seq=2 run=3001
EOT
journal second <"$work/scenario"
cp "$work/second/second.journal" "$work/fleet/"
audit fleet --require 'infisical-token-auth>=18'
is "two machines' journals are read together" "$?" 0
like "... with a column for each in Markdown" "$(audit fleet --format markdown; out)" '^\| source \| `runner-1` \| `web-2` \|$'
is "... and each host's own sums" "$(json fleet '.hosts | map([.name, .sources["infisical-token-auth"].issued, .starts]) | sort')" \
        '[["runner-1",16,1],["web-2",2,1]]'
"$brokerctl" audit --file "$work/fleet/fleet.journal" --file "$work/fleet/second.journal" --until "@$now" >"$work/out"
like "... as single files too" "$(out)" '^web-2 +2 +0 +0 +2 +1 '
sed 's/at=-72h line/at=-30h line/' "$work/scenario" | journal late
cp "$work/soak/soak.journal" "$work/late/"
audit late --require 'infisical-token-auth>=16'
is "one host whose journal begins in the window is a hole" "$?" 1
like "... of that host" "$(out)" 'host web-2: the journal begins at'

# What comes from outside breaks no form.
cat <<'EOT' | journal hostile
at=-72h line
at=-47h kind=issued seq=1 host='<b>|`@a`' run='1|<script>' repo='x\x1b]0;y'
at=-46h forged uid=1000 exe='/tmp/<img src=x onerror=1>|`@admin`\x1b[2J' unit='[a](http://b)|.service' kind=issued seq=1
EOT
audit hostile --format html
unlike "HTML: no element comes from a record" "$(out)" '<b>\||<script|<img|<a '
like "HTML: what came is shown as text" "$(out)" '&lt;img src=x onerror=1&gt;'
like "HTML: nothing can be loaded or run" "$(out)" "default-src 'none'; style-src 'sha256-"
unlike "HTML: nothing refers to anywhere" "$(out)" '<[^>]*(href|src)=|url\(|@import|<script'
audit hostile --format markdown
unlike "Markdown: no cell, link or mention comes from a record" "$(out | sed 's/`[^`]*`/CODE/g')" '@|<|onerror|\]\('
is "Markdown: a table keeps its columns" "$(out | grep -c '^| source | `[^`|]*` |$')" 1
audit hostile
unlike "text: no control character" "$(out | tr '\033' '~')" '~'
ok "JSON is JSON" jq -e . "$work/$(audit hostile --json; echo out)"
for format in text json markdown html; do
        audit forbidden --format $format --forbid direct-env-fallback
        is "$format: the gate's status is the exit status" "$?" 1
done

# Bounds.
printf '%s\n' 'at=-49h line' 'repeat=70000 step=1s at=-48h kind=issued seq=1 run=1' | journal bound
audit bound --since 49h --require 'infisical-token-auth:runs>=65000'
is "70,000 runs are too many to tell apart, 65,000 of them are not" "$?" 0
like "... and that is said" "$(out)" '^bounds: +runs: there are more than can be told apart'
audit bound --since 49h --require 'infisical-token-auth:runs>=70000'
is "... and never counted too high" "$?" 1

# Times.
audit soak --since yesterday
is "--since yesterday" "$?" 0
since() { json soak .since --since "$1"; }
iso() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
is "--since @epoch" "$(since @$((now - 100)))" "$(iso $((now - 100)))"
is "--since 2026-11-20T10:00:00Z, as the report prints it" "$(json soak .since --since 2024-11-20T10:00:00Z)" 2024-11-20T10:00:00Z
is "--since in local time" "$(TZ=Europe/Berlin since '2024-07-01 10:00')" 2024-07-01T08:00:00Z
is "--since in a zone" "$(since '2024-12-01 10:00:30 Europe/Berlin')" 2024-12-01T09:00:30Z
is "--since with a weekday" "$(since 'Wed 2024-11-20 10:00 UTC')" 2024-11-20T10:00:00Z

# Mistakes, and what cannot be read.
usage() { # NAME REGEXP OPTION...
        usage_name=$1 usage_wanted=$2
        shift 2
        audit soak "$@"
        is "$usage_name: usage" "$?" 2
        like "$usage_name: says what is wrong" "$(cat "$work/err")" "$usage_wanted"
}
usage "an unknown source" 'the sources are infisical-token-auth' --require 'infisical-token>=16'
usage "a condition without a number" 'SOURCE\[:runs' --require 'infisical-token-auth'
usage "an unknown measure" 'SOURCE\[:runs' --require 'infisical-token-auth:jobs>=1'
usage "a number behind --forbid" '--forbid takes a source' --forbid 'direct-env-fallback>=1'
usage "an unknown format" 'the formats are' --format pdf
usage "a time that is none" 'a time is' --since 'last week'
usage "a window that ends before it begins" 'ends before it begins' --since 1h --until 2h
usage "two places" 'only one of' --merge
usage "an option that there is not" 'unrecognized option' --frobnicate
"$brokerctl" audit --directory "$work/nowhere" >"$work/out" 2>"$work/err"
is "a directory that is not there" "$?" 7
like "... is named, with a remedy" "$(cat "$work/err")" 'nowhere cannot be read|remedy: '
if [ "$(id -u)" = 0 ]; then
        chmod 0755 "$work/soak"
        chmod 0600 "$work/soak/soak.journal"
        install -m 0755 "$brokerctl" "$work/brokerctl"
        setpriv --reuid=65534 --clear-groups "$work/brokerctl" audit --directory "$work/soak" >"$work/out" 2>"$work/err"
        is "a file that this user may not read is not passed over" "$?" 7
        like "... and the group is named" "$(cat "$work/err")" 'remedy: .*systemd-journal'
fi

done_testing
