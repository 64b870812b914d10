# tests/lint: what can be said without running the programs
lint_tests = tests/lint/docs.sh tests/lint/layers.sh tests/lint/text.sh tests/lint/units.sh
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests) tests/lint/analyze tests/lint/analyzer.suppress tests/lint/cppcheck.h tests/lint/cppcheck.suppress \
	tests/lint/valgrind-daemon tests/lint/valgrind.supp tests/check tests/demo tests/install-packages tests/packages

tests/lint/units.log: $(systemd_templates:.in=)

# The code's tables, as the documentation has to have them.
check_PROGRAMS += tests/lint/tables
tests_lint_tables_SOURCES = tests/lint/tables.c
tests_lint_tables_LDADD = $(daemon_libs)
