#!/bin/sh
# The documentation has what the code has, and names nothing that is not there: keys, codes, records, metrics, commands, options.
top=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${top_builddir:-$top/build}
. "$top/tests/integration/tap.sh"
tables=$build/tests/lint/tables
[ -x "$tables" ] || skip_all "$tables is not built"
man=$top/docs/man
codes_page=$build/docs/man/forge-broker-codes.7

table() { "$tables" | sed -n "s/^$1 //p" | sort; }
job() { "$build/src/job/forge-broker" "$@"; }
ctl() { "$build/src/ctl/forge-brokerctl" "$@"; }
daemon() { "$build/src/daemon/forge-brokerd" "$@"; }
commands() { "$1" --help | awk '/^  [a-z]/ { print $1 }' | sort; }
# Every option of a program, with those of its commands.
options() {
        { "$1" --help; for each in $(commands "$1"); do "$1" "$each" --help; done; } |
                awk '/^ +-/ { for (i = 1; i <= 2; i++) { sub(/,$/, "", $i); if ($i ~ /^--?[A-Za-z]/) print $i } }' | sort -u
}
# What the page has as options: "Fl -json", "Fl q , Fl -quiet", "Fl h , -help".
man_options() {
        grep -oE '^\.(It|Op)? ?Fl .*' "$1" | tr ' |' '\n\n' | awk '
                $0 == "Fl" { flag = 1; next }
                /^-[A-Za-z]/ { print "-" $0; flag = 0; next }
                flag && /^[A-Za-z]$/ { print "-" $0 }
                { flag = 0 }' | sort -u
}

# Keys, each in its section of the page.
is "forge-broker.conf(5) has the keys that there are" "$(awk '
        /^\.S[hs] / { section = "" }
        /^\.S[hs] .*(BROKER|broker)/ { section = "broker" }
        /^\.S[hs] .*(IDENTITY|identity)/ { section = "identity" }
        /^\.S[hs] .*(FORGE|forge)( |\]|$|S)/ { section = "forge" }
        /^\.S[hs] .*(TOKEN|token)/ { section = "token" }
        /^\.It Ic / && section { print section, $3 }' "$man/forge-broker.conf.5" | sort)" "$(table key)"

is "forge-broker-codes(7) has the codes that there are" "$(sed -n 's/^\.It Li //p' "$codes_page" | sort)" "$(table code)"
unknown=
for word in $(cat "$top"/docs/*.md "$man"/* | grep -oE '\b(credential|secret|upstream|forge|proof|fallback)-[a-z]+(-[a-z]+)*\b' | sort -u); do
        case $word in # families that read like codes: what begins like one and ends in a word that codes have
        *-rejected | *-missing | *-expired | *-denied | *-not-found | *-malformed | *-unreachable | *-timeout | *-blocked | *-required)
                table code | grep -qx -e "$word" || unknown="$unknown $word" ;;
        esac
done
is "no page speaks of a code that is not there" "$(printf '%s\n' $unknown | grep -vx -e fallback-expired -e 'config-rejected')" ""
is "forge-brokerd(8) has the records that there are" "$(sed -n 's/^\.It \([a-z-]*\) Ta \([0-9a-f]\{32\}\)$/\1 \2/p' "$man/forge-brokerd.8" | sort)" \
        "$(table record)"

names=$(sed -n 's/^static const char name\[\] = "\([a-z_]*\)".*/\1/p; s/.*{ "\([a-z_]*\)", "[^"]*".*/\1/p; s/.*head(out, "\([a-z_]*\)".*/\1/p; s/.*name\[\] = "\([a-z_]*\)".*/\1/p' \
        "$top/src/api/metrics.c" | sort -u)
ok "the metrics' names were found" test "$(printf '%s\n' $names | wc -l)" -ge 8
for name in $names; do
        ok "docs/monitoring.md explains $name" grep -q "forge_broker_$name" "$top/docs/monitoring.md"
done

for program in job ctl daemon; do
        case $program in
        job) page=forge-broker.1 ;;
        ctl) page=forge-brokerctl.8 ;;
        daemon) page=forge-brokerd.8 ;;
        esac
        for command in $([ "$program" = daemon ] || commands "$program"); do
                ok "$page explains $command" grep -qE "^\.It Cm $command( |\$)" "$man/$page"
        done
        is "$page has every option" "$(options "$program" | grep -vxF -e "$(man_options "$man/$page")")" ""
        is "$page has no option that is not there" "$(man_options "$man/$page" | grep -vxF -e "$(options "$program")")" ""
done

# Commands in the pages and the examples.
unknown=
for pair in $(cat "$top"/README.md "$top"/docs/*.md "$top"/docs/examples/* "$man"/* | tr -d '`' |
        grep -oE '(^|[ (=/])forge-broker(ctl)? [a-z][a-z-]+' | sed 's/^[ (=/]*//; s/ /:/' | sort -u); do
        case $pair in
        forge-broker:*) commands job | grep -qx -e "${pair#*:}" || unknown="$unknown $pair" ;;
        *) commands ctl | grep -qx -e "${pair#*:}" || unknown="$unknown $pair" ;;
        esac
done
# Words of a sentence behind the program's name, each looked at: none of them is a command.
is "no page uses a command that is not there" "$(printf '%s\n' $unknown | grep -vxE 'forge-broker(ctl)?:(and|is|in|does|as|of|on|to|for|with|beside|says|shows|asks|itself|or|the|gets|lost|serves|static|made|answers|needs|there|none|go|runs|prints|has|reads|against|whose|where|that|can)')" ""

done_testing
