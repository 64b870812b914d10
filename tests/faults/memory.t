#!/bin/sh
# No memory, in each place that asks for some, in turn.
. "${top_srcdir:-.}/tests/integration/lib.sh"
need_root
need python3 python3
need nm binutils
sanitized && skip_all "the sanitizers have an allocator of their own"

standin_state >"$work/state.json"
standin_start "$work/state.json"
cat >"$work/forge.json" <<EOT
{ "users": { "deploy-bot": { "id": 7 } },
  "tokens": { "$secret_value": { "user": "deploy-bot" }, "$secret_value-2": { "user": "deploy-bot" } } }
EOT
forge_start forgejo "$work/forge.json"
broker_settings='request_timeout = 1s'
{ token_deploy; echo 'refresh = 1h'; } | write_config
export FORGE_BROKER_TEST_SECRET="$secret_value"
PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/faults/memory.py" "$top_builddir/tests/faults/failing-alloc.so" "$brokerd" "$brokerctl" "$work"
