#!/bin/sh
# Each fuzz target over its corpus: what was found once stays fixed.
set -u

set -- $fuzz_targets
echo "1..$#"
number=0
for target; do
        number=$((number + 1))
        name=${target##*/fuzz-}
        if output=$("$top_builddir/$target" "$top_srcdir/tests/fuzz/corpus/$name" 2>&1); then
                echo "ok $number - fuzz-$name over its corpus: $(printf '%s\n' "$output" | tail -n 1)"
        else
                echo "not ok $number - fuzz-$name over its corpus"
                printf '%s\n' "$output" | sed 's/^/# /'
        fi
done
