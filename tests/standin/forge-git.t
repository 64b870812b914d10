#!/bin/sh
# git against the forge stand-in: what a forge refuses with the first step, and what its hook refuses later.
. "${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/integration/lib.sh"
need python3 python3-minimal
need git git

export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL="$work/gitconfig" GIT_TERMINAL_PROMPT=0 HOME="$work" LC_ALL=C
cat >"$work/gitconfig" <<'EOT'
[user]
        name = Test
        email = test@example.org
[init]
        defaultBranch = main
EOT
cat >"$work/forge.json" <<'EOT'
{"users": {"writer": {}, "reader": {}, "owner": {}},
 "tokens": {"write-token": {"user": "writer"}, "read-token": {"user": "reader"}, "owner-token": {"user": "owner"},
            "app-token": {"kind": "installation", "app": "release-app[bot]", "repositories": ["platform/app"],
                          "permissions": {"contents": "write"}}},
 "organizations": {"platform": {}},
 "repositories": {"platform/app": {"private": true, "id": 3,
     "access": {"writer": "write", "reader": "read", "owner": "admin"},
     "protected_branches": {"stable": {"push": ["owner"]}},
     "rulesets": [{"id": 5, "branches": ["release"], "rules": ["pull_request"], "bypass": {"owner": "always"}}]}}}
EOT

# Into $work/git/TYPE: an empty repository, with the state's name; and a commit to push in $work/clone.
git init --quiet "$work/clone"
git -C "$work/clone" commit --quiet --allow-empty --message first

with_forge() {
        git init --quiet --bare "$work/git/$1/platform/app.git"
        forge_start "$1" "$work/forge.json" --git-root "$work/git/$1"
}

# push TOKEN BRANCH - what git says; its status is in $?
push() {
        git -C "$work/clone" push "http://x:$1@${forge_url#http://}/platform/app.git" "HEAD:refs/heads/$2" 2>&1
}

with_forge forgejo
ok "Forgejo: a writer pushes" push write-token main
ok "and fetches" git -C "$work/clone" fetch --quiet "http://x:read-token@${forge_url#http://}/platform/app.git" main
is "what was pushed is there" "$(git -C "$work/git/forgejo/platform/app.git" rev-parse main)" "$(git -C "$work/clone" rev-parse HEAD)"
said=$(push read-token main2)
is "a reader does not push" $? 1
is "the first step was not refused" \
        "$(forge_ask /requests | jq -r '[.[] | select(.path | endswith("service=git-receive-pack")) | .status] | last')" 200
like "the hook refused, in the forge's words" "$said" 'remote: Forgejo: User permission denied for writing\.'
like "as git shows it" "$said" 'remote rejected.*pre-receive hook declined'
said=$(push write-token stable)
like "a protected branch" "$said" 'remote: Forgejo: Not allowed to push to protected branch stable'
is "is not there" "$(git -C "$work/git/forgejo/platform/app.git" branch --list stable main2)" ""
forge_stop

with_forge github
ok "GitHub: a writer pushes" push write-token main
like "a reader is refused with the first step" "$(push read-token other)" "The requested URL returned error: 403"
said=$(push app-token release)
is "an App does not pass the ruleset" $? 1
like "and reads so" "$said" 'remote: error: GH013: Repository rule violations found for refs/heads/release\.'
like "which rule" "$said" 'remote: - Changes must be made through a pull request\.'
like "as git shows it" "$said" 'push declined due to repository rule violations'
said=$(push owner-token release)
is "its owner does" $? 0
like "and reads so, too" "$said" 'remote: Bypassed rule violations for refs/heads/release:'
like "classic protection" "$(push app-token stable)" 'GH006: Protected branch update failed for refs/heads/stable\.'
forge_stop

with_forge gitlab
ok "GitLab: a developer pushes" push write-token main
like "a protected branch" "$(push write-token stable)" 'remote: GitLab: You are not allowed to push code to protected branches'
ok "its one" push owner-token stable
forge_stop
done_testing
