#!/bin/sh
# No memory, in each place that asks for some, in turn.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need python3 python3
need nm binutils
need jq jq
sanitized && skip_all "the sanitizers have an allocator of their own"

standin_state >"$work/state.json"
standin_start "$work/state.json"
cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": { "id": 7 } }, "repositories": { "platform/app": {} },
  "oidc": { "requests": { "request-of-a-job": { "job": { "repository": "platform/app" } } } },
  "tokens": { "$secret_value": { "user": "deploy-bot" }, "$secret_value-2": { "user": "deploy-bot" },
              "token-of-a-job": { "kind": "job", "job": { "repository": "platform/app" } } } }
EOT
forge_start forgejo "$work/forge.json"
broker_settings='request_timeout = 1s'
forge_settings='oidc_audience = forge-broker'
{
        token_deploy
        printf 'refresh = 1h\n[token proven]\nforge = home\nsecret_path = /forges\nsecret_name = second\nrefresh = 1h\n'
        printf 'proof = required\njob_repositories = platform/*\n'
} | write_config
export FORGE_BROKER_TEST_SECRET="$secret_value"
FORGE_BROKER_TEST_ID_TOKEN=$(forge_ask /id-token -d '{"job":{"repository":"platform/app"},"shift":{"exp":7200}}' | jq -r .value)
FORGE_BROKER_TEST_ID_TOKEN_URL="$forge_url/api/actions/_apis/pipelines/workflows/42/idtoken?placeholder=true"
export FORGE_BROKER_TEST_ID_TOKEN FORGE_BROKER_TEST_ID_TOKEN_URL
PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/faults/memory.py" "$top_builddir/tests/faults/failing-alloc.so" "$brokerd" "$brokerctl" "$work"
