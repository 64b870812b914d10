# Unit tests: cmocka programs that print TAP (the environment of `make check` asks them to).
#
# A new one is three lines beside the others below: its name in unit_tests, its sources, and what it links.
unit_libs = $(daemon_libs) $(CMOCKA_LIBS)
AM_CPPFLAGS += $(CMOCKA_CFLAGS)

unit_tests += tests/unit/test-text
tests_unit_test_text_SOURCES = tests/unit/test-text.c
tests_unit_test_text_LDADD = $(unit_libs)

unit_tests += tests/unit/test-clock
tests_unit_test_clock_SOURCES = tests/unit/test-clock.c
tests_unit_test_clock_LDADD = $(unit_libs)

unit_tests += tests/unit/test-cache
tests_unit_test_cache_SOURCES = tests/unit/test-cache.c
tests_unit_test_cache_LDADD = $(unit_libs)

unit_tests += tests/unit/test-audit
tests_unit_test_audit_SOURCES = tests/unit/test-audit.c
tests_unit_test_audit_LDADD = $(unit_libs)

unit_tests += tests/unit/test-infisical-answers
tests_unit_test_infisical_answers_SOURCES = tests/unit/test-infisical-answers.c
tests_unit_test_infisical_answers_LDADD = $(unit_libs)
EXTRA_DIST += tests/unit/data/README.md tests/unit/data/infisical-reads.jsonl

# The lists stay last: what is above this line is what they name.
EXTRA_DIST += tests/unit/no-cmocka.t
if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
else
TESTS += tests/unit/no-cmocka.t
endif
