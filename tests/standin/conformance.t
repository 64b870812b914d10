#!/bin/sh
# Replays what a real server answered against the stand-in: recorded/README.md says where that comes from.
here=${top_srcdir:-.}/tests/standin
standin=${top_builddir:-.}/tests/standin/infisical-standin

if ! command -v python3 >/dev/null 2>&1; then
        echo "1..0 # SKIP no python3"
        exit 0
fi
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/conformance.py" "$here/recorded" "$standin"
