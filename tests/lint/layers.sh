#!/bin/sh
# Includes point only downward, and calls that cannot be used safely are not used.
top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/integration/tap.sh"
cd "$top" || exit 1

# What each directory of src may include besides itself.  api sees no upstream, broker no HTTP server.
below() {
        case $1 in
        base) ;;
        config | net) echo base ;;
        infisical | forge) echo net config base ;;
        broker) echo infisical forge net config base ;;
        api | credentials) echo broker config base ;;
        daemon) echo api credentials broker infisical forge net config base ;;
        ctl) echo broker infisical forge net config base ;;
        relay) echo base ;;
        *) return 1 ;;
        esac
}

# The static client shares these and nothing else: each of them is one more thing in every container.
job_may_include='base/(cleanup|clock|confine|error|text)\.h|job/[a-z_0-9]+\.h'

includes() {
        grep -EHn '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$1"/*.[ch] | sed -E 's/^([^:]*:[0-9]+):.*"([^"]*)".*/\1 \2/'
}

for directory in src/*/; do
        layer=$(basename "$directory")
        ls "$directory"*.[ch] >/dev/null 2>&1 || continue
        if [ "$layer" = job ]; then
                wrong=$(includes src/job | grep -Ev " ($job_may_include)\$")
        elif allowed=$(below "$layer"); then
                pattern=$(printf '%s' "$layer $allowed" | tr ' ' '|')
                wrong=$(includes "src/$layer" | grep -Ev " ($pattern)/[a-z_0-9]+\.h\$")
        else
                wrong="src/$layer is in no layer: say in tests/lint/layers.sh where it belongs"
        fi
        is "src/$layer includes only what is below it" "$wrong" ""
done

forbidden='strcpy|strcat|sprintf|vsprintf|strncpy|strncat|atoi|atol|atoll|strtok|gets|system|popen|alloca|mktemp|tmpnam'
is "no forbidden call in src" "$(grep -EHnw "($forbidden)[[:space:]]*\(" src/*/*.[ch] | grep -Ev ':[[:space:]]*(/?\*|//)')" ""
is "no exit() below main" "$(grep -EHnw '(exit|_exit|abort)[[:space:]]*\(' src/*/*.c | grep -v '/main\.c:')" ""
is "nothing left open" "$(grep -EHnw 'TODO|FIXME|XXX|HACK' src/*/*.[ch] systemd/* etc/* 2>/dev/null)" ""

done_testing
