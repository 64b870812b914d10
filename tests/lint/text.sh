#!/bin/sh
# Scripts, manual pages and what no file may name.
top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/integration/tap.sh"
cd "$top" || exit 1

# In a checkout what git knows, else (a release's tree) everything.
files() {
        git ls-files -z -- "$@" 2>/dev/null | tr '\0' '\n' | grep . || find "$@" -type f 2>/dev/null
}

# Left out: names that `read` fills and nobody needs (SC2034), what dash has beyond POSIX (SC3045: ulimit -n, -H), and what
# make exports to the tests (SC2154).
if command -v shellcheck >/dev/null; then
        scripts=$({ files tests systemd .ci autogen.sh | xargs grep -lE '^#!/bin/(ba)?sh|^# shellcheck shell=' ; } 2>/dev/null)
        for script in $scripts; do
                ok "shellcheck: $script" shellcheck -x -S warning -e SC2034,SC3045,SC2154 "$script"
        done
else
        skip "shellcheck" "shellcheck is missing"
fi

# Each version breaks lines its own way: it is Debian 12's that decides.
case $(clang-format --version 2>/dev/null) in
*' version 14.'*)
        if [ -e .clang-format ]; then
                # shellcheck disable=SC2046
                is "the code is formatted: clang-format -i" \
                        "$(clang-format --dry-run $(files src tests | grep '\.[ch]$') 2>&1 | sed -n 's/: warning: .*//p' | sort -u)" ""
        else
                skip "the code is formatted" "a release has no .clang-format"
        fi ;;
*) skip "the code is formatted" "clang-format 14 is missing" ;;
esac

if command -v mandoc >/dev/null; then
        for page in docs/man/*.[1-8]; do
                is "mandoc: $page" "$(mandoc -T lint -W warning "$page" 2>&1)" ""
        done
else
        skip "manual pages" "mandoc is missing"
fi

# Where packages come from is the machine's affair and not the project's.
hosts=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
        grep -Eo 'https?://[^/ ]+' | sed 's|.*//||; s|.*@||; s|:.*||' | sort -u | grep -Ev '^(localhost|127\..*)$')
found=
for host in $hosts; do
        found="$found$(files . | xargs grep -lIF -- "$host" 2>/dev/null)"
done
is "no package registry is named" "$found" ""
is "no path of somebody's machine" "$(files . | xargs grep -nIE '/(home|Users)/[a-z]' 2>/dev/null)" ""
case $top in
/*/*) is "no path of this machine" "$(files . | grep -Ev '(^|/)(config\.|Makefile$|build)' | xargs grep -lIF -- "$top/" 2>/dev/null)" "" ;;
esac

# Whoever claims that a test shows something names one that is there.
missing=
for name in $(awk -F'|' '/^\| / && NF == 5 && $4 !~ /---|shown by|made by/ { gsub(/,/, " ", $4); print $4 }' docs/threat-model.md docs/faults.md); do
        case $name in
        */*) ls tests/"$name"* >/dev/null 2>&1 ;;
        *) ls tests/integration/"$name".t >/dev/null 2>&1 ;;
        esac || missing="$missing $name"
done
is "the tests that the threat model and the faults name are there" "$missing" ""

done_testing
