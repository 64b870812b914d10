#!/bin/sh
# forge-broker git after a git that failed: what it asks the broker about, of which repository and ref, and what it says then.
set -u
. "${top_srcdir:-.}/tests/unit/job-lib.sh"
command -v git >/dev/null 2>&1 || skip_all 'git is not installed'
[ -x "$(git --exec-path)/git-http-backend" ] || skip_all 'git http-backend is not installed'

export HOME="$work/home" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_CONFIG_GLOBAL GIT_ASKPASS SSH_ASKPASS GIT_DIR GIT_WORK_TREE
mkdir -p "$HOME" "$work/root/g/s"
git config --global init.defaultBranch main
git config --global advice.detachedHead false
git config --global push.default current
git init --quiet --bare "$work/root/g/s/r.git"
git init --quiet "$work/clone"
git -C "$work/clone" commit --quiet --allow-empty -m one
git -C "$work/clone" tag v1
git -C "$work/clone" branch side
# The server takes the token for a reader's: every push is refused, with 403.
printf '{"%s":{"name":"deploy","may":"read"}}' "$value" >"$work/identities"
PYTHONDONTWRITEBYTECODE=1 python3 "$here/../standin/git-server" --root "$work/root" --identities "$work/identities" \
        --port-file "$work/port" --log "$work/git.log" >"$work/git.err" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; stop; rm -rf "$work"' EXIT
tries=0
until [ -s "$work/port" ] || [ $tries -ge 200 ]; do
        sleep 0.05
        tries=$((tries + 1))
done
forge=http://127.0.0.1:$(cat "$work/port")
git -C "$work/clone" remote add origin "$forge/g/s/r.git"

answer list '200 OK' "$json" "{\"tokens\":[{\"name\":\"deploy\",\"forge\":\"home\",\"forge_type\":\"forgejo\",\"forge_url\":\"$forge\",\"state\":\"fresh\",\"source\":\"infisical-token-auth\"}]}"
answer match '200 OK' "$json" '{"name":"deploy","username":"bot","forge_type":"forgejo"}'
answer good '200 OK' "$json" "$(issuance forgejo fresh)"
report() { # report LOGIN NEEDS
        printf '{"name":"deploy","forge_type":"forgejo","source":"infisical-token-auth","freshness":"fresh","fingerprint":"3f9a1c02","identity":{"verdict":"yes","login":%s,"evidence":"known"},"needs":[%s],"warnings":[]}' \
                "$1" "$2"
}
may_read='{"need":"contents:read","verdict":"yes","evidence":"it may be fetched","code":null,"remedy":null}'
no_write='{"need":"contents:write","verdict":"no","evidence":"deploy-bot may not write\n::error::x","code":"forge-permission-missing","remedy":"Let it."}'
answer report '200 OK' "$json" "$(report '"deploy-bot"' "$may_read,$no_write")"
answer undisclosed '200 OK' "$json" "$(report null "$may_read,$no_write")"
answer refused '403 Forbidden' "$problem_json" "$(problem proof-insufficient "token 'deploy' is not for 'g/s/r'" 'Add it.')"

# failing ANSWER WORD...: forge-broker git in the clone, which asks for the list, the match, the value, and then ANSWER
failing() {
        start "$work/list" "$work/match" "$work/good" "$1"
        shift
        status=0
        (cd "$work/clone" && FORGE_BROKER_SOCKET=$socket "$program" git -- "$@") >"$work/out" 2>"$work/err" || status=$?
}
# asked MEMBERS: what stands in the question, before and behind what it always has
asked() { tail -n 1 "$work/log" | grep -qxF "{\"write_probe\":false,\"repository\":\"g/s/r\",$1}"; }
read_only='"needs":["contents:read"]'
both='"needs":["contents:read","contents:write"]'
asked_ref() { asked "\"ref\":\"$1\",$both"; }

failing "$work/report" push origin v1
ok 'git'\''s exit status stays' ends 128
ok 'the token is asked about at the remote'\''s repository, and the ref that was pushed' asked_ref refs/tags/v1
ok 'who authenticated is said' err_has \
        "forge-broker: git push failed; at $forge/g/s/r.git it authenticated with the broker's token 'deploy', which is deploy-bot, and with nothing else"
ok 'and what it may do, in lines that are none of a runner'\''s' all 'err_has "forge-broker:   yes          contents:read   it may be fetched"' \
        'err_has "forge-broker:   no           contents:write  forge-permission-missing: deploy-bot may not write?::error::x"' \
        'err_has "forge-broker:   remedy: Let it."' '! grep -q "^::" "$work/err"' '! grep -qF "$value" "$work/err" "$work/out"'
failing "$work/undisclosed" push origin v1
ok 'a user that is not disclosed is not made up' err_has "with the broker's token 'deploy', and with nothing else"
failing "$work/refused" push origin v1
ok 'a question that is refused changes no status' all 'ends 128' 'err_has "what the token may do there cannot be told:"' \
        'err_has "forge-broker: proof-insufficient: token '\''deploy'\'' is not for '\''g/s/r'\''"' 'err_has "remedy: Add it."'
failing close push origin v1
ok 'nor does a broker that is gone' all 'ends 128' 'err_has "what the token may do there cannot be told:"' \
        'err_has "the broker closed the connection without an answer, twice"'

# Which ref
# shellcheck disable=SC2086 # words without blanks
while read -r ref words; do
        failing "$work/report" push $words
        ok "push $words is about $ref" asked_ref "$ref"
done <<'EOT'
refs/heads/main origin
refs/heads/main
refs/heads/main origin HEAD
refs/heads/main -q origin main
refs/heads/side origin side
refs/heads/new origin HEAD:new
refs/heads/new origin +HEAD:refs/heads/new
refs/tags/v1 origin tag v1
refs/tags/v2 origin v1:v2
refs/tags/v1 -o ci.skip --force origin v1
refs/heads/gone origin :gone
refs/heads/side --repo origin origin side main
EOT
# shellcheck disable=SC2086
while read -r words; do
        failing "$work/report" push $words
        ok "push $words is about no single ref" asked "$both"
done <<'EOT'
origin --all
--tags origin
--mirror origin
--delete origin nowhere
EOT
git -C "$work/clone" checkout --quiet --detach
failing "$work/report" push origin HEAD:main
ok 'from no branch at all, what is named counts' asked_ref refs/heads/main
git -C "$work/clone" checkout --quiet main

# Other commands
rm -rf "$work/root/g/s/r.git"
failing "$work/report" fetch origin
ok 'a fetch is about reading' all 'ends 128' "asked '$read_only'" 'err_has "git fetch failed; at "'
failing "$work/report" clone "$forge/g/s/r" "$work/other"
ok 'so is a clone, also of a URL without .git' all 'ends 128' "asked '$read_only'"
failing "$work/report" rev-parse --verify nowhere
ok 'a command that speaks to no remote is left alone' all 'ends 128' '! grep -q "^POST" "$work/log"' '! err_has "failed; "'
done_testing
