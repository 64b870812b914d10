#!/bin/sh
# What no recording shows: the other generations, lockout, faults, sizes, load.
here=${top_srcdir:-.}/tests/standin
standin=${top_builddir:-.}/tests/standin/infisical-standin

if ! command -v python3 >/dev/null 2>&1; then
        echo "1..0 # SKIP no python3"
        exit 0
fi
export PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/behaviour.py" "$here/recorded/lab.json" "$standin"
