#!/bin/sh
# The forge stand-in says what the forges say: their rows of statuses and texts, over plain HTTP.
here=${top_srcdir:-.}/tests/standin

if ! command -v python3 >/dev/null 2>&1; then
        echo "1..0 # SKIP no python3"
        exit 0
fi
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/forge_conformance.py" "$here/forge-standin"
