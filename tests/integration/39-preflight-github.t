#!/bin/sh
# What a token may do at GitHub and at GitLab, asked by a job: each kind of token as what it is, rules and who passes them,
# what a write probe and an upload to the registry leave, and what is no verdict.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need jq jq
need python3 python3
handed_in=fb-handed-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
. "$top_srcdir/tests/integration/preflight.sh"

standin_state >"$work/state.json"
standin_start "$work/state.json"

# Tokens of each kind.  The broker's own is the classic one; the others are handed in, by the last part of their value.
jq -n --arg value "$secret_value" --arg job "$handed_in" '
        {"users": {"deploy-bot": {}, "reader": {}, "owner": {}}, "organizations": {"platform": {}},
         "packages": {"platform": {"deploy-bot": "write"}},
         "tokens": {($value): {"user": "deploy-bot", "scopes": ["repo", "write:packages"], "expires": "2037-12-31 00:00:00 UTC"},
                ($job + "-reader"): {"user": "reader"}, ($job + "-owner"): {"user": "owner"},
                ($job + "-narrow"): {"user": "deploy-bot", "scopes": ["gist"]},
                ($job + "-fine"): {"user": "deploy-bot", "kind": "fine-grained", "repositories": ["platform/app"],
                        "permissions": {"contents": "read"}},
                ($job + "-app"): {"kind": "installation", "app": "release-app[bot]", "repositories": ["platform/app", "platform/b"],
                        "permissions": {"contents": "write"}},
                ($job + "-clamped"): {"kind": "installation", "repositories": ["platform/app"], "permissions": {"contents": "read"}}},
         "repositories": {"platform/app": {"private": true, "access": {"deploy-bot": "write", "reader": "read", "owner": "admin"},
                "branches": ["main", "legacy", "free"], "protected_branches": {"legacy": {"push": ["owner"]}},
                "rulesets": [{"id": 5, "branches": ["main"], "rules": ["pull_request", "deletion"], "bypass": {"owner": "always"}},
                        {"id": 6, "tags": ["v*"], "rules": ["creation"], "bypass": {"owner": "always"}}]}}}' >"$work/forge.json"
own_registry=1
# as KIND JSON - the question, about that token; its members without the braces
as() {
        preflight "{\"token\":\"$handed_in-$1\",\"repository\":\"platform/app\",$2}"
}
# need NEED - "verdict code" of it
need_is() {
        value ".needs[] | select(.need == \"$1\") | \"\\(.verdict) \\(.code // \"-\")\""
}
remedy_of() {
        value ".needs[] | select(.need == \"$1\") | .remedy"
}
setting() {
        forge_ask /settings -X PUT -d "$1" >/dev/null
}

begin github
preflight '{}'
is "classic: as whom" "$(value .identity.login)" deploy-bot
is "classic: its kind" "$(value .identity.kind)" personal-access-token
is "classic: its scopes" "$(value '.identity.scopes | join(" ")')" "repo write:packages"
is "classic: its end" "$(value .identity.expires_at)" 2037-12-31T00:00:00Z
preflight "{\"token\":\"$handed_in-fine\"}"
is "fine-grained: its kind" "$(value .identity.kind)" fine-grained-token
is "fine-grained: its scopes are not readable" "$(value .identity.scopes)" null
preflight "{\"token\":\"$handed_in-app\"}"
is "an App's: it is known" "$(value .identity.verdict)" yes
is "an App's: its kind" "$(value .identity.kind)" installation
is "an App's: it has no user" "$(value .identity.login)" null

# The founding cases: a job's token that is clamped to read, and a rule that an App does not pass and the owner does.
as clamped '"needs":["release:write","contents:read"]'
is "clamped to read: no release" "$(need_is release:write)" "no forge-scope-missing"
like "clamped to read: the remedy is the toggle" "$(remedy_of release:write)" 'Workflow permissions of platform/app'
is "clamped to read: it reads" "$(need_is contents:read)" "yes -"
as app '"needs":["contents:write"],"ref":"refs/heads/main"'
is "a rule that the App does not pass" "$(need_is contents:write)" "no forge-branch-protected"
like "the remedy is the bypass list" "$(remedy_of contents:write)" "bypass list \\($forge_url/platform/app/settings/rules\\)"
as owner '"needs":["contents:write"],"ref":"refs/heads/main"'
is "and the owner does" "$(need_is contents:write)" "yes -"
as app '"needs":["contents:write"],"ref":"refs/heads/free"'
is "another branch is open to the App" "$(need_is contents:write)" "yes -"
as app '"ref":"refs/heads/legacy"'
is "a classic protection: who passes is not shown" "$(need_is ref)" "cannot-tell forge-cannot-tell"
as app '"ref":"refs/tags/v1"'
is "a tag that the App may not make" "$(need_is ref)" "no forge-branch-protected"
as owner '"ref":"refs/tags/v1"'
is "and the owner may" "$(need_is ref)" "yes -"
as app '"ref":"refs/tags/nightly"'
is "a tag that is under no rule" "$(need_is ref)" "yes -"

# Who lacks what.
as reader '"needs":["contents:write"]'
is "a reader: the right is missing" "$(need_is contents:write)" "no forge-permission-missing"
like "a reader: the remedy names who and where" "$(remedy_of contents:write)" 'Give reader the role Write in platform/app'
as fine '"needs":["contents:write"]'
is "fine-grained: the permission is missing" "$(need_is contents:write)" "no forge-scope-missing"
like "fine-grained: the remedy names it" "$(remedy_of contents:write)" 'contents=write'
as narrow '"needs":["contents:write","issues:write"]'
is "classic, without the scope: it sees nothing" "$(need_is contents:write)" "no forge-repository-invisible"
finish "who and what"

# What is no verdict: a limit, a lock-out; and what names its own remedy: single sign-on.
begin github
setting '{"rate_limited":true}'
preflight '{"repository":"platform/app","needs":["contents:read"]}'
is "rate limit: no verdict" "$(need_is contents:read)" "cannot-tell upstream-rate-limited"
finish "rate limit"
begin github
setting '{"lockout":0}'
preflight '{"repository":"platform/app","needs":["contents:read"]}'
is "lock-out: no verdict" "$(need_is contents:read)" "cannot-tell forge-cannot-tell"
like "lock-out: the remedy" "$(remedy_of contents:read)" 'lock this address out'
setting '{"lockout":10}'
forge_ask /organizations -X PUT -d '{"platform":{"saml":true}}' >/dev/null
preflight '{"repository":"platform/app","needs":["contents:write"]}'
is "single sign-on: not authorised" "$(need_is contents:write)" "no forge-scope-missing"
like "single sign-on: where to" "$(remedy_of contents:write)" 'Authorise the token for the organisation platform'
forge_ask /organizations -X PUT -d '{"platform":{}}' >/dev/null
repository '{"moved_to":"platform/new"}'
preflight '{"repository":"platform/app","needs":["contents:read","contents:write"]}'
is "moved: redirects are not followed" "$(need_is contents:read)" "cannot-tell upstream-blocked"
finish "no verdict"

# All needs, at 50 ms for each answer.
begin github
fault '{"delay": 0.05}'
forget
started=$(date +%s%N)
preflight '{"repository":"platform/app","image":"platform/app","ref":"refs/heads/free","needs":["contents:read","contents:write","release:write","packages:write","issues:write","pull:write"]}'
note "six needs and a ref at 50 ms for each answer: $((($(date +%s%N) - started) / 1000000)) ms"
fault '{}'
is "what GitHub proves without writing" "$(value '[.needs[] | select(.verdict == "yes") | .need] | join(" ")')" \
        "contents:read contents:write packages:write"
is "the rest is no yes" "$(value '[.needs[] | select(.verdict != "yes") | .verdict] | unique | join(" ")')" cannot-tell
is "no request is repeated" "$(repeated)" "[]"
is "no token is in a URL" "$(forge_ask /requests | jq '[.[] | select(.token_in_url)] | length')" 0
is "nothing is left" "$(forge_ask /left | jq -c .)" '{"repositories":{},"uploads":[],"blobs":[]}'
bearer=$(forge_ask /requests | jq -r '[.[].authorization[] | select(test("[Bb]earer bearer-"))][0] | split(" ")[1]')
like "the registry was asked with a bearer" "$bearer" '^bearer-'
like "the token went there for the bearer, and not for the upload" \
        "$(forge_ask /requests | jq -c '[.[] | select(.path | startswith("/v2/")) | .authorization[] | split(" ")[0]] | unique')" \
        '^\["Bearer"\]$'
if ! sanitized; then
        printf '%s\n%s\n' "$bearer" "$secret_value" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
        is "no copy of the bearer or the token is left outside the locked region" "$(grep -c '^open=0' "$work/scan")" 2
fi
fault '{"kind":"json","status":500,"body":{},"method":"DELETE","path":"/blobs/uploads/"}'
preflight '{"image":"platform/app","needs":["packages:write"]}'
fault '{}'
is "an upload that cannot be closed: still a yes" "$(need_is packages:write)" "yes -"
like "an upload that cannot be closed: said" "$(value '.warnings[0]')" 'may be left open'
is "an upload that cannot be closed: it is all that is left" "$(forge_ask /left | jq -c .)" \
        '{"repositories":{},"uploads":["platform/app"],"blobs":[]}'
forge_ask /reset -X POST >/dev/null
fault '{"kind":"lost","method":"POST","path":"/blobs/uploads/"}'
preflight '{"image":"platform/lost","needs":["packages:write"]}'
fault '{}'
is "the answer that opened an upload was lost: cannot tell" "$(value '.needs[0].verdict')" cannot-tell
like "the answer that opened an upload was lost: said" "$(value '.warnings[0]')" 'may be left open'
is "the answer that opened an upload was lost: it is all that is left" "$(forge_ask /left | jq -c .)" \
        '{"repositories":{},"uploads":["platform/lost"],"blobs":[]}'

# Stopped in order, while the upload is open: it is closed first.
forge_ask /reset -X POST >/dev/null
open_upload() {
        [ "$(forge_ask /left | jq -c .uploads)" != "[]" ]
}
fault '{"delay":1,"method":"DELETE","path":"/blobs/uploads/"}'
ask /v1/tokens/deploy/preflight -X POST -d '{"image":"platform/other","needs":["packages:write"]}' >/dev/null 2>&1 &
asking=$!
wait_for 10 open_upload
is "a stop comes while the upload is open" "$(open_upload && echo yes)" yes
daemon_stop
is "it is a clean one" $? 0
wait "$asking"
is "and the upload is closed" "$(forge_ask /left | jq -c .uploads)" "[]"
fault '{}'
daemon_start
finish "registry"

# Write probes: what is left in the end is what the answer says.
probe='"needs":["release:write"],"write_probe":true'
releases() {
        left | jq -c '[.["platform/app"].releases // [] | .[].tag_name]'
}
begin github
preflight "{\"repository\":\"platform/app\",$probe}"
is "write probe: yes" "$(need_is release:write)" "yes -"
is "write probe: a draft was made" "$(forge_ask /requests | jq '[.[] | select(.status == 201)] | length')" 1
unlike "write probe: it names no commit" "$(forge_ask /requests | jq -r '.[].body')" target_commitish
is "write probe: nothing is left" "$(left) $(value '.warnings | length')" "{} 0"
forget
as clamped "$probe"
is "write probe: not tried where it is refused anyway" "$(need_is release:write) $(forge_ask /requests |
        jq '[.[] | select(.method == "POST")] | length')" "no forge-scope-missing 0"
as owner "$probe,\"ref\":\"$(fresh_ref)\""
fault '{"kind":"lost","method":"POST","path":"releases$"}'
as app "$probe"
fault '{}'
is "the answer that made it was lost: cannot tell" "$(value '.needs[0].verdict')" cannot-tell
is "but it was found and taken away" "$(left) $(value '.warnings | length')" "{} 0"
fault '{"kind":"lost","path":"/releases"}'
as app "$probe,\"ref\":\"$(fresh_ref)\""
fault '{}'
is "that answer and the list were lost: cannot tell" "$(value '.needs[] | select(.need == "release:write") | .verdict')" cannot-tell
like "that answer and the list were lost: what may be left is said" "$(value '.warnings[0]')" \
        'not known whether a draft release forge-broker-preflight-[0-9a-f]{16}'
is "that answer and the list were lost: it is all that is left" "$(releases)" \
        "[\"$(value '.warnings[0]' | grep -o 'forge-broker-preflight-[0-9a-f]*')\"]"
repository '{"releases":[]}'
fault '{"kind":"html","status":502,"method":"DELETE","count":1}'
as app "$probe,\"ref\":\"$(fresh_ref)\""
fault '{}'
is "a delete that fails once is tried again" "$(left) $(value '.warnings | length')" "{} 0"
fault '{"kind":"html","status":502,"method":"DELETE"}'
as app "$probe,\"ref\":\"$(fresh_ref)\""
fault '{}'
is "a delete that fails: still a yes" "$(need_is release:write)" "yes -"
like "a delete that fails: the draft is left" "$(releases)" '^\["forge-broker-preflight-[0-9a-f]{16}"\]$'
like "a delete that fails: the warning has its number and name" "$(value '.warnings[0]')" \
        "draft release $(left | jq '.["platform/app"].releases[0].id') \\($(releases | jq -r '.[0]')\\)"
repository '{"releases":[]}'

# Killed between the draft and its delete.
made_a_draft() {
        [ "$(releases)" != "[]" ]
}
fault '{"delay":3,"method":"DELETE"}'
as app "$probe,\"ref\":\"$(fresh_ref)\"" 2>/dev/null &
asking=$!
wait_for 10 made_a_draft
kill -KILL "$daemon_pid"
daemon_wait 2>/dev/null
wait "$asking"
fault '{}'
like "killed before the delete: the draft is left, and nothing else" "$(forge_ask /left | jq -c '[(.repositories["platform/app"] |
        keys), (.repositories["platform/app"].releases | map(.draft)), .uploads, .blobs]')" '^\[\["releases"\],\[true\],\[\],\[\]\]$'
like "with a name that says whose it is" "$(releases)" '^\["forge-broker-preflight-[0-9a-f]{16}"\]$'
daemon_start
finish "write probes"

# GitLab: a project's token, a person's role, and a job's own token, which has another header and another user name.
jq -n --arg value "$secret_value" --arg job "$handed_in" '
        {"users": {"project_33_bot": {}, "reader": {}, "alice": {}},
         "tokens": {($value): {"user": "project_33_bot", "scopes": ["api"], "expires": "2037-12-31"},
                ($job + "-reader"): {"user": "reader"}, ($job + "-pushing"): {"user": "project_33_bot", "scopes": ["write_repository"]},
                ($job + "-job"): {"kind": "job", "job": {"repository": "platform/app", "actor": "alice"}}},
         "repositories": {"platform/app": {"id": 33, "private": true, "access": {"project_33_bot": "write", "reader": "read"},
                "branches": ["main", "dev"], "protected_branches": {"main": {"push_level": 40}, "new-*": {"push_level": 40}},
                "protected_tags": {"v*": {"push_level": 40}}}}}' >"$work/forge.json"
own_registry=""
forge_settings=""
begin gitlab
preflight '{"repository":"platform/app","image":"platform/app/web","ref":"dev","needs":["contents:read","contents:write","packages:write","release:write"]}'
is "gitlab: as whom" "$(value .identity.login)" project_33_bot
is "gitlab: its kind" "$(value .identity.kind)" project-token
is "gitlab: its end" "$(value .identity.expires_at)" 2037-12-31T00:00:00Z
is "gitlab: what is proven" "$(value '[.needs[] | select(.verdict == "yes") | .need] | join(" ")')" \
        "contents:read contents:write packages:write"
is "gitlab: a release is not" "$(need_is release:write)" "cannot-tell forge-cannot-tell"
for ref in refs/heads/main refs/heads/new-1 refs/tags/v1; do
        preflight "{\"repository\":\"platform/app\",\"ref\":\"$ref\"}"
        is "gitlab: $ref is for maintainers" "$(need_is ref)" "no forge-branch-protected"
done
preflight '{"repository":"platform/app","ref":"refs/tags/nightly"}'
is "gitlab: another tag is not" "$(need_is ref)" "yes -"
as reader '"needs":["contents:write","release:write"]'
is "gitlab: a reporter does not push" "$(need_is contents:write)" "no forge-permission-missing"
is "gitlab: and makes no release" "$(need_is release:write)" "no forge-permission-missing"
as pushing '"needs":["contents:write","release:write"]'
is "gitlab: a token for git alone pushes" "$(need_is contents:write)" "yes -"
is "gitlab: and makes no release for lack of a scope" "$(need_is release:write)" "no forge-scope-missing"
forget
as job '"image":"platform/app","needs":["contents:read","contents:write","packages:write"]'
is "gitlab: a job's token: its kind and its user" "$(value '"\(.identity.kind) \(.identity.login)"')" "job-token alice"
is "gitlab: a job's token reads" "$(need_is contents:read)" "yes -"
is "gitlab: a job's token does not push" "$(need_is contents:write)" "no forge-permission-missing"
is "gitlab: a job's token writes packages" "$(need_is packages:write)" "yes -"
is "gitlab: git was asked as gitlab-ci-token" "$(forge_ask /requests | jq -r \
        '[.[] | select(.path | contains("info/refs")) | .authorization[0] | split(" ")[1] | @base64d | split(":")[0]] | unique | join(" ")')" \
        gitlab-ci-token
is "gitlab: nothing is left" "$(forge_ask /left | jq -c .)" '{"repositories":{},"uploads":[],"blobs":[]}'
preflight "{\"repository\":\"platform/app\",$probe}"
like "gitlab: there is no write probe" "$(value '.warnings[0]')" 'no draft releases'
is "gitlab: and nothing was written" "$(forge_ask /requests | jq '[.[] | select(.method != "GET")] | length')" 0
if ! sanitized; then
        printf '%s-job\n%s\n' "$handed_in" "$secret_value" | python3 "$top_srcdir/tests/integration/scan.py" "$daemon_pid" >"$work/scan" 2>&1
        is "gitlab: no copy of a token is left outside the locked region" "$(grep -c '^open=0' "$work/scan")" 2
fi
finish gitlab
done_testing
