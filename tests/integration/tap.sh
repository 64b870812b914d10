# shellcheck shell=sh
# TAP for shell scripts: . tap.sh; one line per check; done_testing at the end.
#
#   ok NAME CMD...           CMD must succeed; what it printed is shown if not
#   not_ok NAME CMD...       CMD must fail
#   is NAME GOT WANTED       equal texts
#   like NAME TEXT REGEXP    some line of TEXT matches the extended expression
#   unlike NAME TEXT REGEXP  no line does
#   skip NAME REASON         counted as skipped, with the reason
#   skip_all REASON          the whole script
tap_count=0

tap_result() { # ok|not ok, name
        tap_count=$((tap_count + 1))
        printf '%s %d - %s\n' "$1" "$tap_count" "$2"
}

note() {
        printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
        tap_result ok "$1"
}

fail() {
        tap_result "not ok" "$1"
        [ -z "${2-}" ] || note "$2"
}

ok() {
        tap_name=$1
        shift
        tap_output=$("$@" 2>&1) && { pass "$tap_name"; return 0; }
        fail "$tap_name" "status $? of: $*
$tap_output"
        return 1
}

not_ok() {
        tap_name=$1
        shift
        if tap_output=$("$@" 2>&1); then
                fail "$tap_name" "succeeded: $*
$tap_output"
                return 1
        fi
        pass "$tap_name"
}

is() {
        [ "$2" = "$3" ] && { pass "$1"; return 0; }
        fail "$1" "got:    $2
wanted: $3"
        return 1
}

like() {
        printf '%s\n' "$2" | grep -Eq -- "$3" && { pass "$1"; return 0; }
        fail "$1" "no line matches: $3
$2"
        return 1
}

unlike() {
        printf '%s\n' "$2" | grep -Eq -- "$3" || { pass "$1"; return 0; }
        fail "$1" "a line matches: $3
$2"
        return 1
}

skip() {
        tap_count=$((tap_count + 1))
        printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

skip_all() {
        printf '1..0 # SKIP %s\n' "$1"
        exit 0
}

bail() {
        printf 'Bail out! %s\n' "$*"
        exit 1
}

done_testing() {
        printf '1..%d\n' "$tap_count"
}
