#!/bin/sh
# The workflows and the YAML of docs/jobs.md: they parse, their scripts are shell, and the commands and options of forge-broker
# in them are ones that it has.
set -u
top=${top_srcdir:-.}
program=${top_builddir:-.}/src/job/forge-broker
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
. "$top/tests/integration/tap.sh"

python3 -c 'import yaml' 2>/dev/null || skip_all "python3-yaml is not installed"
[ -x "$program" ] || skip_all "$program is not built"

# One file for each script of a workflow.
scripts() {
        python3 - "$1" "$work" <<'EOT'
import sys, yaml
workflow = yaml.safe_load(open(sys.argv[1]))
count = 0
if "jobs" not in workflow:  # GitLab's: every key is a job, and all its script one shell's
    for job in workflow.values():
        count += 1
        open(f"{sys.argv[2]}/script-{count}", "w").write("\n".join(job["script"]) + "\n")
    sys.exit(not count)
for job in workflow["jobs"].values():
    for step in job["steps"]:
        assert ("run" in step) != ("uses" in step), step
        if "run" in step:
            count += 1
            open(f"{sys.argv[2]}/script-{count}", "w").write(step["run"] + "\n")
assert workflow[True] and count
EOT
}

# "forge-broker COMMAND words" up to what ends a command, or to "--", behind which the words are another program's
calls() {
        grep -hoE 'forge-broker [a-z][a-z-]*[^|;&)"]*' "$work"/script-* | sed 's/ -- .*//; s/ --$//'
}

for example in "$top"/docs/examples/*.yml; do
        name=$(basename "$example")
        rm -f "$work"/script-*
        ok "$name is a workflow" scripts "$example"
        for script in "$work"/script-*; do
                ok "$name: ${script##*/} is shell" sh -n "$script"
        done
        calls >"$work/calls"
        ok "$name uses the client" test -s "$work/calls"
        while read -r _ command words; do
                "$program" "$command" --help >"$work/help" 2>&1 </dev/null ||
                        { fail "$name: there is a command '$command'" "$(cat "$work/help")"; continue; }
                pass "$name: there is a command '$command'"
                for word in $words; do
                        case $word in
                        --*) ok "$name: $command has $word" grep -qE -e "(^|[[ ])${word%%=*}([] =,]|\$)" "$work/help" ;;
                        esac
                done
        done <"$work/calls"
done

python3 - "$top/docs/jobs.md" >"$work/out" 2>&1 <<'EOT'
import re, sys, yaml
blocks = re.findall(r"```yaml\n(.*?)```", open(sys.argv[1]).read(), re.S)
assert len(blocks) >= 4, blocks
for block in blocks:
    assert yaml.safe_load(block), block
EOT
is "the YAML of docs/jobs.md parses" "$? $(cat "$work/out")" "0 "

done_testing
