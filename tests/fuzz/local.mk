# Fuzz targets: each tests/fuzz/fuzz-NAME.c feeds one parser of outside bytes; its corpus is tests/fuzz/corpus/NAME/.
#
# Under `make check` they are ordinary programs (standalone.c is their main) and replay.t runs each over its corpus.
# tests/fuzz/run builds them with clang's libFuzzer.  A new one, here or in the fragment of what it tests, is:
#
#       fuzz_targets += tests/fuzz/fuzz-NAME
#       tests_fuzz_fuzz_NAME_SOURCES = tests/fuzz/fuzz-NAME.c $(fuzz_main)
#       tests_fuzz_fuzz_NAME_LDADD = $(daemon_libs)
#       EXTRA_DIST += tests/fuzz/corpus/NAME
fuzz_main = tests/fuzz/standalone.c

fuzz_targets += tests/fuzz/fuzz-config
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c $(fuzz_main)
tests_fuzz_fuzz_config_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/config

fuzz_targets += tests/fuzz/fuzz-infisical-answer
tests_fuzz_fuzz_infisical_answer_SOURCES = tests/fuzz/fuzz-infisical-answer.c $(fuzz_main)
tests_fuzz_fuzz_infisical_answer_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/infisical-answer

fuzz_targets += tests/fuzz/fuzz-credential
tests_fuzz_fuzz_credential_SOURCES = tests/fuzz/fuzz-credential.c $(fuzz_main)
tests_fuzz_fuzz_credential_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/credential

fuzz_targets += tests/fuzz/fuzz-api
tests_fuzz_fuzz_api_SOURCES = tests/fuzz/fuzz-api.c $(fuzz_main)
tests_fuzz_fuzz_api_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/api

fuzz_targets += tests/fuzz/fuzz-login
tests_fuzz_fuzz_login_SOURCES = tests/fuzz/fuzz-login.c $(fuzz_main)
tests_fuzz_fuzz_login_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/login

fuzz_targets += tests/fuzz/fuzz-forge-answer
tests_fuzz_fuzz_forge_answer_SOURCES = tests/fuzz/fuzz-forge-answer.c $(fuzz_main)
tests_fuzz_fuzz_forge_answer_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/forge-answer

fuzz_targets += tests/fuzz/fuzz-preflight
tests_fuzz_fuzz_preflight_SOURCES = tests/fuzz/fuzz-preflight.c $(fuzz_main)
tests_fuzz_fuzz_preflight_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/preflight

fuzz_targets += tests/fuzz/fuzz-cgroup
tests_fuzz_fuzz_cgroup_SOURCES = tests/fuzz/fuzz-cgroup.c $(fuzz_main)
tests_fuzz_fuzz_cgroup_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/cgroup

fuzz_targets += tests/fuzz/fuzz-bound-name
tests_fuzz_fuzz_bound_name_SOURCES = tests/fuzz/fuzz-bound-name.c $(fuzz_main)
tests_fuzz_fuzz_bound_name_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/bound-name

fuzz_targets += tests/fuzz/fuzz-match
tests_fuzz_fuzz_match_SOURCES = tests/fuzz/fuzz-match.c $(fuzz_main)
tests_fuzz_fuzz_match_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/match

fuzz_targets += tests/fuzz/fuzz-audit
tests_fuzz_fuzz_audit_SOURCES = tests/fuzz/fuzz-audit.c $(fuzz_main)
tests_fuzz_fuzz_audit_LDADD = libforge-broker-audit.a $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/audit

fuzz_targets += tests/fuzz/fuzz-environment-file
tests_fuzz_fuzz_environment_file_SOURCES = tests/fuzz/fuzz-environment-file.c $(fuzz_main)
tests_fuzz_fuzz_environment_file_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/environment-file

fuzz_targets += tests/fuzz/fuzz-id-token
tests_fuzz_fuzz_id_token_SOURCES = tests/fuzz/fuzz-id-token.c $(fuzz_main)
tests_fuzz_fuzz_id_token_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/id-token

fuzz_targets += tests/fuzz/fuzz-job-facts
tests_fuzz_fuzz_job_facts_SOURCES = tests/fuzz/fuzz-job-facts.c $(fuzz_main)
tests_fuzz_fuzz_job_facts_LDADD = $(daemon_libs)
EXTRA_DIST += tests/fuzz/corpus/job-facts

check_PROGRAMS += $(fuzz_targets)
TESTS += tests/fuzz/replay.t
EXTRA_DIST += tests/fuzz/replay.t tests/fuzz/run
AM_TESTS_ENVIRONMENT += export fuzz_targets='$(fuzz_targets)';

# The same objects with libFuzzer's main() instead of standalone.c's; works in a tree that tests/fuzz/run configured.  Each with its
# own libraries: the client's and the daemon's have names in common.
tests/fuzz/fuzz-%.libfuzzer: tests/fuzz/fuzz-%.o libforge-broker-audit.a libforge-broker-job.a libforge-broker-relay.a libforge-broker.a
	$(AM_V_CCLD)$(LINK) -fsanitize=fuzzer tests/fuzz/fuzz-$*.o $(tests_fuzz_fuzz_$(subst -,_,$*)_LDADD)
