# tests/lint: what can be said without running the programs
lint_tests = tests/lint/layers.sh tests/lint/text.sh tests/lint/units.sh
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests)

tests/lint/units.log: systemd/forge-brokerd.service
