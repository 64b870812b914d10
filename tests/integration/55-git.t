#!/bin/sh
# Which identity git really uses: real git against a server that remembers who came, with what checkouts and people leave
# behind.  Plain git is somebody else each time, forge-broker git is not, and git-check names who.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need git git
need python3 python3
[ -x "$(git --exec-path)/git-http-backend" ] || skip_all "git http-backend is missing (Debian: git)"

# Its own: it is looked for in all processes of the machine, among them perhaps those of another run.
secret_value=$secret_value-$$
old_token=0123456789abcdef0123456789abcdef01234567
other_token=other-0123456789abcdefghijklmnopqrstu
# Nothing of this machine's own configuration takes part.
export HOME="$work/user" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
export GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.org GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.org
unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_ASKPASS SSH_ASKPASS GIT_DIR GIT_WORK_TREE FORGE_BROKER_TOKEN
mkdir -p "$HOME"
git config --global init.defaultBranch main
git config --global protocol.file.allow always
git config --global advice.detachedHead false

# server NAME - a git server: NAME_url, its log in $work/NAME.log
server() {
        mkdir -p "$work/$1-root/o"
        rm -f "$work/$1.port"
        : >"$work/$1.log"
        PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/standin/git-server" --root "$work/$1-root" \
                --identities "$work/identities" --port-file "$work/$1.port" --log "$work/$1.log" >"$work/$1.err" 2>&1 &
        lib_pids="$lib_pids $!"
        wait_for 10 test -s "$work/$1.port" || bail "the git server did not start: $(cat "$work/$1.err")"
        eval "$1_url=http://127.0.0.1:$(cat "$work/$1.port")"
}
cat >"$work/identities" <<EOT
{ "$secret_value": { "name": "deploy", "may": "write" }, "$secret_value-2": { "name": "second", "may": "write" },
  "$old_token": { "name": "runner", "may": "read" }, "$other_token": { "name": "other", "may": "read" } }
EOT
server home
server hub
# shellcheck disable=SC2154
host=${home_url#http://}

standin_state >"$work/state.json"
standin_start "$work/state.json"
forge_url=$home_url
# shellcheck disable=SC2154
write_config <<EOT
[forge hub]
type = gitea
url = $hub_url

[token deploy]
forge = home
secret_path = /forges
secret_name = deploy-bot@example.org
username = deploy-bot

[token second]
forge = hub
secret_path = /forges
secret_name = second
EOT
daemon_start
ok "every token is usable" daemon_ready
export FORGE_BROKER_SOCKET="$jobs_socket"

# repository SERVER NAME - a bare one with a commit
seed=$work/seed
git init -q "$seed"
git -C "$seed" commit -q --allow-empty -m first
repository() {
        git clone -q --bare "$seed" "$work/$1-root/o/$2.git"
}
repository home r
repository home sub
repository hub far

count=0
# fresh - a clone of its own as $clone, made without any credential left behind
fresh() {
        count=$((count + 1))
        clone=$work/clone-$count
        git clone -q "$work/home-root/o/r.git" "$clone"
        git -C "$clone" remote set-url origin "$home_url/o/r.git"
        git -C "$clone" commit -q --allow-empty -m "change $count"
        : >"$work/home.log"
        : >"$work/hub.log"
}
# who SERVER - everybody who came with a credential, once each
who() {
        awk '{ for (i = 4; i <= NF; i++) if ($i != "-") print $i }' "$work/$1.log" | sort -u | tr '\n' ' ' | sed 's/ $//'
}
# plain WORD... / wrapped WORD... - in $clone; the status in $status, all output in $output
plain() {
        output=$(git -C "$clone" "$@" 2>&1)
        status=$?
}
wrapped() {
        output=$("$broker" git -- -C "$clone" "$@" 2>&1)
        status=$?
}
check() {
        output=$("$broker" git-check -C "$clone" 2>&1)
        status=$?
}
# hijacked DESCRIPTION NAME SAYS - in $clone: plain git pushes as NAME, git-check says so, forge-broker git pushes as deploy
hijacked() {
        plain push origin "HEAD:refs/heads/plain-$count"
        is "$1: plain git comes as $2 and is refused" "$status $(who home)" "128 $2"
        check
        is "$1: git-check exits with 1" "$status" 1
        like "$1: git-check names it" "$output" "$3"
        unlike "$1: git-check tells no secret" "$output" "$old_token|$other_token|$secret_value|$(printf 'x-access-token:%s' "$old_token" | base64 -w 0)"
        : >"$work/home.log"
        wrapped push origin "HEAD:refs/heads/wrapped-$count"
        is "$1: forge-broker git comes as deploy and pushes" "$status $(who home)" "0 deploy" || note "$output"
        ok "$1: what was pushed is there" git -C "$work/home-root/o/r.git" rev-parse -q --verify "refs/heads/wrapped-$count"
        like "$1: the evidence is printed" "$output" '^forge-broker: deploy forgejo_token_source=infisical-token-auth freshness=fresh fp='
        is "$1: once" "$(printf '%s\n' "$output" | grep -c '^forge-broker: deploy ')" 1
        unlike "$1: forge-broker git tells no secret" "$output" "$old_token|$other_token|$secret_value"
}
header=$(printf 'x-access-token:%s' "$old_token" | base64 -w 0)

# Nothing in the way
fresh
plain push origin HEAD:refs/heads/nobody
is "without a credential plain git fails" "$status $(who home)" "128 "
check
is "git-check exits with 1" "$status" 1
like "and says that there is none" "$output" "git uses no credential"
wrapped push origin HEAD:refs/heads/clean
is "forge-broker git pushes as the broker's token" "$status $(who home)" "0 deploy"
wrapped ls-remote --exit-code origin refs/heads/nothing
is "git's exit status passes through" "$status" 2
ln -sf "$(realpath "$broker")" "$work/git-credential-forge-broker"
git -C "$clone" config credential.helper "$work/git-credential-forge-broker"
check
is "as the configured helper it is what git uses" "$status" 0
like "git-check names the token" "$output" "uses the broker's helper, from $clone/.git/config:[0-9]+; the broker's token for it is 'deploy'"
plain push origin HEAD:refs/heads/helper
is "and plain git pushes with it" "$status $(who home)" "0 deploy"

# What checkout leaves behind
fresh
git -C "$clone" config "http.$home_url/.extraheader" "AUTHORIZATION: basic $header"
hijacked "a header in .git/config" runner "an Authorization header \(http.extraheader\): user 'x-access-token', from $clone/.git/config:[0-9]+"
fresh
git config --file "$work/includes-$count" "http.$home_url/.extraheader" "AUTHORIZATION: basic $header"
git -C "$clone" config "includeIf.gitdir:$clone/.git.path" "$work/includes-$count"
hijacked "a header in an includeIf file" runner "user 'x-access-token', from $work/includes-$count:2"
fresh
git -C "$clone" config "http.$home_url/o/r.git.extraheader" "AUTHORIZATION: basic $header"
hijacked "a header for this very repository" runner "from $clone/.git/config:[0-9]+"
fresh
git -C "$clone" config http.extraheader "Authorization: Bearer $old_token"
hijacked "a header for everything" runner "a bearer token, from $clone/.git/config"
fresh
git -C "$clone" config "http.http://127.*.0.1:${host#*:}/.extraheader" "Authorization: token $old_token"
hijacked "a header for a pattern of hosts" runner "a bearer token"
fresh
git config --global "http.$home_url.extraheader" "AUTHORIZATION: basic $header"
hijacked "a header in the user's own configuration" runner "from $HOME/.gitconfig:[0-9]+"
git config --global --unset "http.$home_url.extraheader"
fresh
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="http.$home_url/.extraheader" GIT_CONFIG_VALUE_0="AUTHORIZATION: basic $header"
hijacked "a header in GIT_CONFIG_ variables" runner "from the command line or GIT_CONFIG_ variables"
unset GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0

# A credential in the URL
fresh
git -C "$clone" remote set-url origin "http://x-token:$old_token@$host/o/r.git"
hijacked "a token in origin's URL" runner "a credential in the URL: user 'x-token', from $clone/.git/config:[0-9]+"
fresh
git -C "$clone" remote set-url origin "http://$old_token:x-oauth-basic@$host/o/r.git"
hijacked "a token in the user's place" runner "a credential in the URL: a token in place of a user"
fresh
git -C "$clone" remote set-url --push origin "http://x-token:$old_token@$host/o/r.git"
hijacked "a token in a pushurl" runner "user 'x-token', from $clone/.git/config:[0-9]+"
fresh
git -C "$clone" config "url.http://x-token:$old_token@$host/.insteadOf" "$home_url/"
hijacked "a token that insteadOf puts in" runner "user 'x-token'"
fresh
git -C "$clone" config "url.http://x-token:$old_token@$host/.pushInsteadOf" "$home_url/"
hijacked "a token that pushInsteadOf puts in" runner "user 'x-token'"
fresh
git -C "$clone" config "url.$home_url/.insteadOf" "forge:"
git -C "$clone" remote set-url origin "forge:o/r.git"
git -C "$clone" config "http.$home_url/.extraheader" "AUTHORIZATION: basic $header"
hijacked "a header behind an alias" runner "user 'x-access-token'"

# Other helpers, netrc
fresh
git -C "$clone" config credential.helper "!f() { echo username=o; echo password=$other_token; }; f"
hijacked "another helper" other "another credential helper: a shell command, from $clone/.git/config:[0-9]+"
fresh
git -C "$clone" config "credential.$home_url.helper" "!f() { echo username=o; echo password=$other_token; }; f"
hijacked "another helper for this host" other "another credential helper"
fresh
printf 'machine 127.0.0.1\nlogin o password %s\n' "$other_token" >"$HOME/.netrc"
plain push origin HEAD:refs/heads/netrc
is "an entry in netrc: plain git comes as other" "$status $(who home)" "128 other"
check
is "git-check names netrc" "$status $(printf '%s\n' "$output" | grep -c "user 'o', from $HOME/.netrc:1")" "1 1" || note "$output"
: >"$work/home.log"
wrapped push origin HEAD:refs/heads/netrc
is "forge-broker git refuses rather than to come as somebody else" "$status $(who home)" "1 "
like "and says what is in the way" "$output" "forge-identity-hijacked.*netrc.*$HOME/.netrc:1"
rm "$HOME/.netrc"
fresh
output=$("$broker" git -- -C "$clone" -c "http.$home_url/o/r.git.extraheader=Authorization: token $old_token" push origin HEAD:refs/heads/c 2>&1)
is "a header on git's own command line cannot be beaten: refused" "$? $(who home)" "1 "
like "and named" "$output" "the command line"
fresh
output=$("$broker" git -- -C "$clone" -c "credential.helper=store --file=$work/kept" push origin HEAD:refs/heads/kept 2>&1)
is "a helper on git's own command line would be given the token to keep: refused" "$? $(who home)" "1 "
like "and said" "$output" "would give the token to another credential helper"
git -C "$clone" config credential.helper "store --file=$work/kept"
wrapped push origin HEAD:refs/heads/kept
is "one in a file is out of the way" "$status $(who home) $(cat "$work/kept" 2>/dev/null)" "0 deploy "
git -C "$clone" config credential.helper "$work/git-credential-forge-broker"
git -C "$clone" config --add credential.helper "store --file=$work/kept"
check
like "git-check warns of one behind the broker's" "$status $output" "a helper behind the broker's gets the token"
fresh
output=$(GIT_TRACE_CURL=1 GIT_TRACE_REDACT=0 "$broker" git -- -C "$clone" push origin HEAD:refs/heads/traced 2>&1)
is "a trace of git's shows the token in no form" "$? $(printf '%s\n' "$output" | grep -c "$(printf 'deploy-bot:%s' "$secret_value" | base64 -w 0)")" "0 0"
like "though it does trace" "$output" "Authorization: Basic <redacted>"
fresh
git -C "$clone" config http.cookieFile "$work/cookies"
check
is "a cookie file cannot be told" "$status" 7

# Submodules, two forges
fresh
git -C "$clone" -c protocol.file.allow=always submodule --quiet add "$work/home-root/o/sub.git" sub
git -C "$clone" -c protocol.file.allow=always submodule --quiet add "$work/hub-root/o/far.git" far
git -C "$clone/sub" remote set-url origin "$home_url/o/sub.git"
git -C "$clone/far" remote set-url origin "$hub_url/o/far.git"
git -C "$clone/sub" config "http.$home_url/o/sub.git.extraheader" "AUTHORIZATION: basic $header"
git -C "$clone/far" config "http.$hub_url/.extraheader" "AUTHORIZATION: basic $header"
git -C "$clone" config "http.$home_url/.extraheader" "AUTHORIZATION: basic $header"
: >"$work/home.log"
: >"$work/hub.log"
plain submodule foreach --quiet 'git push -q origin HEAD:refs/heads/x || :'
is "submodules: plain git comes as the runner" "$(who home) $(who hub)" "runner runner"
: >"$work/home.log"
: >"$work/hub.log"
wrapped submodule foreach --quiet 'git push -q origin HEAD:refs/heads/x'
is "submodules: each forge gets its own token, whatever the submodule's own headers" "$status $(who home) $(who hub)" "0 deploy second" || note "$output"
like "and both are said" "$output" '^forge-broker: second gitea_token_source='
: >"$work/hub.log"
output=$("$broker" git deploy -- -C "$clone" submodule foreach --quiet 'git push -q origin HEAD:refs/heads/y' 2>&1)
is "with a name no other forge gets that token" "$(who home) $(grep -c deploy "$work/hub.log")" "deploy 0"

# Cloning, more than one pushurl, worktrees, a configuration in the environment that stays
fresh
rm -rf "$work/cloned"
git config --global "http.$home_url/.extraheader" "AUTHORIZATION: basic $header"
"$broker" git -- clone -q "http://x-token:$old_token@$host/o/r.git" "$work/cloned" >"$work/out" 2>&1
is "clone with a credential in the URL comes as deploy" "$? $(who home)" "0 deploy"
git config --global --unset "http.$home_url/.extraheader"
fresh
git -C "$clone" remote set-url --push origin "http://x-token:$old_token@$host/o/r.git"
git -C "$clone" remote set-url --add --push origin "http://x-token:$old_token@$host/o/sub.git"
wrapped push origin HEAD:refs/heads/both
is "two pushurls" "$status $(who home) $(grep -c 'POST.*receive-pack' "$work/home.log")" "0 deploy 2"
fresh
git -C "$clone" config "http.$home_url/.extraheader" "AUTHORIZATION: basic $header"
git -C "$clone" worktree add -q "$work/tree-$count" -b "tree-$count"
output=$(cd "$work/tree-$count" && mkdir -p deep && cd deep && "$broker" git -- push origin HEAD:refs/heads/tree 2>&1)
is "in a worktree, below its top" "$? $(who home)" "0 deploy"
fresh
GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0=somebody wrapped config user.name
is "GIT_CONFIG_COUNT that is there already stays" "$status $output" "0 somebody"
GIT_CONFIG_COUNT=x wrapped push origin HEAD
is "and one that git would not take is a mistake" "$status" 2
for count_text in -1 1x 4294967297; do
        GIT_CONFIG_COUNT=$count_text wrapped status
        is "so is $count_text" "$status" 2
done
git -C "$clone" remote set-url origin "ssh://git@127.0.0.1:1/o/r.git"
check
is "ssh is none of ours" "$status" 7
output=$("$broker" git-check -C "$clone" nowhere 2>&1)
is "a remote that is not there" "$?" 1
output=$(cd / && "$broker" git-check "$home_url/o/r.git" 2>&1)
is "a URL, outside of any repository" "$?" 1
like "is shown" "$output" "$home_url/o/r.git: git uses no credential; the broker's token for it is 'deploy'"

# Failure
fresh
git -C "$clone" remote set-url origin "$home_url/o/missing.git"
wrapped push origin HEAD:main
is "a push that fails keeps git's status" "$status" 128
like "and says who authenticated, and where" "$output" "forge-broker: git push failed; at $home_url/o/missing.git it authenticated with the broker's token 'deploy'"
like "with the evidence" "$output" "^forge-broker: deploy forgejo_token_source="
like "a forge that answers nothing else leaves it open what the token may do" "$output" "^forge-broker:   cannot tell  contents:write "
fresh
printf '#!/bin/sh\nmv "%s" "%s.away"\nexit 1\n' "$jobs_socket" "$jobs_socket" >"$clone/.git/hooks/pre-push"
chmod +x "$clone/.git/hooks/pre-push"
wrapped push origin HEAD:refs/heads/alone
mv "$jobs_socket.away" "$jobs_socket"
is "a broker that went away meanwhile does not change git's status" "$status" 1
like "who authenticated is said all the same" "$output" "forge-broker: git push failed; at $home_url/o/r.git it authenticated with the broker's token 'deploy', and with nothing else"
like "and why no more is" "$output" "^forge-broker: there is no $jobs_socket"
output=$(FORGE_BROKER_SOCKET=$work/nothing "$broker" git -- -C "$clone" push origin HEAD:main 2>&1)
is "without the broker git is not even run" "$?" 6
output=$("$broker" git nope -- status 2>&1)
is "an unknown token is named" "$?" 3
output=$("$broker" git deploy 2>&1)
is "no words for git" "$?" 2
output=$(timeout 30 python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$broker" git -- -C "$clone" rev-parse --verify --quiet refs/heads/nope 2>&1)
is "where the job ignores SIGCHLD git's exit status is git's all the same" "$?" 1
fresh
git -C "$clone" checkout -q -b by-repo
wrapped -c push.default=current push "--repo=http://x-token:$old_token@$host/o/r.git"
is "a credential in --repo=URL is taken out as well" "$status $(who home)" "0 deploy" || note "$output"
output=$("$broker" git -- --no-such-option 2>&1)
is "an option that git does not know" "$?" 126
like "is said" "$output" "git does not take its options.*129"

# The value is nowhere: not in a file, an environment, an argument
fresh
cat >"$clone/.git/hooks/pre-push" <<EOT
#!/bin/sh
for pid in /proc/[0-9]*; do cat "\$pid/environ" "\$pid/cmdline" 2>/dev/null; done >"$work/seen"
exit 0
EOT
chmod +x "$clone/.git/hooks/pre-push"
wrapped push origin HEAD:refs/heads/hook
is "with a hook" "$status" 0
not_ok "during a push the value is in no process' environment or arguments" grep -qaF "$secret_value" "$work/seen"
ok "where the hook did look" grep -qaF "GIT_CONFIG_COUNT=" "$work/seen"
not_ok "and in no file of the clone or of HOME" grep -rqF "$secret_value" "$clone" "$HOME"
not_ok "nor in the daemon's log" grep -qF "$secret_value" "$work/daemon.log"

done_testing
