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

unit_tests += tests/unit/test-cgroup
tests_unit_test_cgroup_SOURCES = tests/unit/test-cgroup.c
tests_unit_test_cgroup_LDADD = $(unit_libs)
EXTRA_DIST += tests/unit/data/cgroup-lines.txt

unit_tests += tests/unit/test-peer
tests_unit_test_peer_SOURCES = tests/unit/test-peer.c tests/faults/old-kernel.h
tests_unit_test_peer_LDADD = $(unit_libs)

unit_tests += tests/unit/test-bound-name
tests_unit_test_bound_name_SOURCES = tests/unit/test-bound-name.c
tests_unit_test_bound_name_LDADD = $(unit_libs)

unit_tests += tests/unit/test-policy
tests_unit_test_policy_SOURCES = tests/unit/test-policy.c $(config_harness)
tests_unit_test_policy_LDADD = $(unit_libs)

unit_tests += tests/unit/test-attempts
tests_unit_test_attempts_SOURCES = tests/unit/test-attempts.c
tests_unit_test_attempts_LDADD = $(unit_libs)

unit_tests += tests/unit/test-rate
tests_unit_test_rate_SOURCES = tests/unit/test-rate.c
tests_unit_test_rate_LDADD = $(unit_libs)

unit_tests += tests/unit/test-audit-parts
tests_unit_test_audit_parts_SOURCES = tests/unit/test-audit-parts.c
tests_unit_test_audit_parts_LDADD = libforge-broker-audit.a $(unit_libs)

unit_tests += tests/unit/test-counters
tests_unit_test_counters_SOURCES = tests/unit/test-counters.c
tests_unit_test_counters_LDADD = $(unit_libs)

unit_tests += tests/unit/test-catalog
tests_unit_test_catalog_SOURCES = tests/unit/test-catalog.c
tests_unit_test_catalog_LDADD = $(unit_libs)
EXTRA_tests_unit_test_catalog_DEPENDENCIES = systemd/forge-brokerd.catalog

unit_tests += tests/unit/test-environment-file
tests_unit_test_environment_file_SOURCES = tests/unit/test-environment-file.c
tests_unit_test_environment_file_LDADD = $(unit_libs)

unit_tests += tests/unit/test-findings
tests_unit_test_findings_SOURCES = tests/unit/test-findings.c
tests_unit_test_findings_LDADD = $(unit_libs)

unit_tests += tests/unit/test-infisical-answers
tests_unit_test_infisical_answers_SOURCES = tests/unit/test-infisical-answers.c
tests_unit_test_infisical_answers_LDADD = $(unit_libs)
EXTRA_DIST += tests/unit/data/README.md tests/unit/data/infisical-reads.jsonl

config_harness = tests/unit/test-config-harness.c tests/unit/test-config-harness.h

unit_tests += tests/unit/test-config
tests_unit_test_config_SOURCES = tests/unit/test-config.c $(config_harness)
tests_unit_test_config_LDADD = $(unit_libs)

unit_tests += tests/unit/test-config-values
tests_unit_test_config_values_SOURCES = tests/unit/test-config-values.c $(config_harness)
tests_unit_test_config_values_LDADD = $(unit_libs)

unit_tests += tests/unit/test-config-files
tests_unit_test_config_files_SOURCES = tests/unit/test-config-files.c $(config_harness)
tests_unit_test_config_files_LDADD = $(unit_libs)

unit_tests += tests/unit/test-config-ini
tests_unit_test_config_ini_SOURCES = tests/unit/test-config-ini.c
tests_unit_test_config_ini_LDADD = $(unit_libs)

unit_tests += tests/unit/test-match
tests_unit_test_match_SOURCES = tests/unit/test-match.c $(config_harness)
tests_unit_test_match_LDADD = $(unit_libs)

unit_tests += tests/unit/test-verify
tests_unit_test_verify_SOURCES = tests/unit/test-verify.c
tests_unit_test_verify_LDADD = $(unit_libs)

# The real server over a fake broker, so that the library's own broker stays out.
server_harness = tests/unit/test-server-harness.c tests/unit/test-server-harness.h \
	tests/unit/test-server-fake.c tests/unit/test-server-fake.h

unit_tests += tests/unit/test-server
tests_unit_test_server_SOURCES = tests/unit/test-server.c $(server_harness)
tests_unit_test_server_LDADD = $(unit_libs)

unit_tests += tests/unit/test-server-limits
tests_unit_test_server_limits_SOURCES = tests/unit/test-server-limits.c $(server_harness)
tests_unit_test_server_limits_LDADD = $(unit_libs)

unit_tests += tests/unit/test-server-parking
tests_unit_test_server_parking_SOURCES = tests/unit/test-server-parking.c $(server_harness)
tests_unit_test_server_parking_LDADD = $(unit_libs)

unit_tests += tests/unit/test-secret
tests_unit_test_secret_SOURCES = tests/unit/test-secret.c
tests_unit_test_secret_LDADD = $(unit_libs)

unit_tests += tests/unit/test-wiping
tests_unit_test_wiping_SOURCES = tests/unit/test-wiping.c
tests_unit_test_wiping_LDADD = $(unit_libs)

unit_tests += tests/unit/test-credential
tests_unit_test_credential_SOURCES = tests/unit/test-credential.c
tests_unit_test_credential_LDADD = $(unit_libs)

unit_tests += tests/unit/test-http
tests_unit_test_http_SOURCES = tests/unit/test-http.c tests/unit/test-http-server.c tests/unit/test-http-server.h
tests_unit_test_http_LDADD = $(unit_libs)

unit_tests += tests/unit/test-infisical-read
tests_unit_test_infisical_read_SOURCES = \
	tests/unit/test-infisical-read.c tests/unit/test-http-server.c tests/unit/test-http-server.h
tests_unit_test_infisical_read_LDADD = $(unit_libs)

unit_tests += tests/unit/test-forge-alive
tests_unit_test_forge_alive_SOURCES = \
	tests/unit/test-forge-alive.c tests/unit/test-http-server.c tests/unit/test-http-server.h
tests_unit_test_forge_alive_LDADD = $(unit_libs)

unit_tests += tests/unit/test-job-facts
tests_unit_test_job_facts_SOURCES = tests/unit/test-job-facts.c
tests_unit_test_job_facts_LDADD = $(unit_libs)

unit_tests += tests/unit/test-id-token
tests_unit_test_id_token_SOURCES = tests/unit/test-id-token.c
tests_unit_test_id_token_LDADD = $(unit_libs)

unit_tests += tests/unit/test-vouch-desk
tests_unit_test_vouch_desk_SOURCES = \
	tests/unit/test-vouch-desk.c tests/unit/test-http-server.c tests/unit/test-http-server.h
tests_unit_test_vouch_desk_LDADD = $(unit_libs)

unit_tests += tests/unit/test-session
tests_unit_test_session_SOURCES = tests/unit/test-session.c
tests_unit_test_session_LDADD = $(unit_libs)
EXTRA_DIST += tests/unit/data/infisical-logins.jsonl

unit_tests += tests/unit/test-fault-matrix
tests_unit_test_fault_matrix_SOURCES = tests/unit/test-fault-matrix.c
tests_unit_test_fault_matrix_LDADD = $(unit_libs)

# The lists stay last: what is above this line is what they name.
EXTRA_DIST += tests/unit/no-cmocka.t
if HAVE_CMOCKA
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
else
TESTS += tests/unit/no-cmocka.t
endif

unit_tests += tests/unit/test-forgejo-evidence
tests_unit_test_forgejo_evidence_SOURCES = tests/unit/test-forgejo-evidence.c tests/unit/test-inquiry.c tests/unit/test-inquiry.h
tests_unit_test_forgejo_evidence_LDADD = $(unit_libs)

unit_tests += tests/unit/test-github-evidence
tests_unit_test_github_evidence_SOURCES = tests/unit/test-github-evidence.c tests/unit/test-inquiry.c tests/unit/test-inquiry.h
tests_unit_test_github_evidence_LDADD = $(unit_libs)

unit_tests += tests/unit/test-gitlab-evidence
tests_unit_test_gitlab_evidence_SOURCES = tests/unit/test-gitlab-evidence.c tests/unit/test-inquiry.c tests/unit/test-inquiry.h
tests_unit_test_gitlab_evidence_LDADD = $(unit_libs)

unit_tests += tests/unit/test-confine
tests_unit_test_confine_SOURCES = tests/unit/test-confine.c
tests_unit_test_confine_LDADD = $(unit_libs)
