#!/bin/sh
# Makes ./configure from a bare clone.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
