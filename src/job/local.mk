# forge-broker: one static executable for jobs.  It is not built from the library but from its own few sources, in one
# command, with a compiler of its own: musl-gcc where that is installed, else $(CC).
job_shared = \
	src/base/clock.c src/base/clock.h \
	src/base/cleanup.h \
	src/base/confine.c src/base/confine.h \
	src/base/error.c src/base/error.h \
	src/base/text.c src/base/text.h
job_core = \
	src/job/arguments.c src/job/arguments.h \
	src/job/base64.c src/job/base64.h \
	src/job/child.c src/job/child.h \
	src/job/claims.c src/job/claims.h \
	src/job/confine.c src/job/confine.h \
	src/job/client.c src/job/client.h \
	src/job/commands.h \
	src/job/connection.c src/job/connection.h \
	src/job/credential_request.c src/job/credential_request.h \
	src/job/docker_config.c src/job/docker_config.h \
	src/job/docker_credential.c \
	src/job/docker_server.c src/job/docker_server.h \
	src/job/environment.c src/job/environment.h \
	src/job/event.c src/job/event.h \
	src/job/event_source.c \
	src/job/exec.c \
	src/job/failure.c src/job/failure.h \
	src/job/forge_env.c src/job/forge_env.h \
	src/job/get.c \
	src/job/git.c src/job/git.h \
	src/job/git_check.c \
	src/job/git_command.c \
	src/job/git_credential.c \
	src/job/git_explain.c src/job/git_explain.h \
	src/job/git_identity.c src/job/git_identity.h \
	src/job/git_pushed.c src/job/git_pushed.h \
	src/job/git_remotes.c src/job/git_remotes.h \
	src/job/git_report.c src/job/git_report.h \
	src/job/git_settings.c src/job/git_settings.h \
	src/job/http_answer.c src/job/http_answer.h \
	src/job/issuance.c src/job/issuance.h \
	src/job/json_character.c src/job/json_character.h \
	src/job/json_reader.c src/job/json_reader.h \
	src/job/list.c \
	src/job/json_writer.c src/job/json_writer.h \
	src/job/locked_buffer.c src/job/locked_buffer.h \
	src/job/marker.c src/job/marker.h \
	src/job/match.c src/job/match.h \
	src/job/netrc.c src/job/netrc.h \
	src/job/output.c src/job/output.h \
	src/job/preflight.c \
	src/job/preflight_output.c src/job/preflight_output.h \
	src/job/preflight_question.c src/job/preflight_question.h \
	src/job/preflight_report.c src/job/preflight_report.h \
	src/job/private_file.c src/job/private_file.h \
	src/job/problem.c src/job/problem.h \
	src/job/proof.c src/job/proof.h \
	src/job/ready.c src/job/ready.h \
	src/job/registries.c src/job/registries.h \
	src/job/rejected.c \
	src/job/rejection.c src/job/rejection.h \
	src/job/relay.c src/job/relay.h \
	src/job/require.c \
	src/job/setup.c \
	src/job/token_list.c src/job/token_list.h \
	src/job/url.c src/job/url.h \
	src/job/wait.c \
	src/job/whoami.c \
	src/job/workflow.c src/job/workflow.h
job_sources = $(job_shared) $(job_core) src/job/main.c
job_paths = $(addprefix $(srcdir)/,$(job_sources))

bin_SCRIPTS += src/job/forge-broker
CLEANFILES += src/job/forge-broker
EXTRA_DIST += $(job_sources)

src/job/forge-broker: $(job_sources) Makefile
	$(AM_V_CCLD)$(MKDIR_P) src/job && $(CLIENT_CC) -static -std=gnu17 -D_GNU_SOURCE \
		-DPACKAGE_VERSION='"$(PACKAGE_VERSION)"' -DLIBEXECDIR='"$(libexecdir)"' -I$(top_srcdir)/src $(WARN_CFLAGS) $(CLIENT_CFLAGS) \
		-ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
		-o $@ $(filter %.c,$(job_paths))

# The same sources with the ordinary compiler, for the tests and the fuzzers.
noinst_LIBRARIES += libforge-broker-job.a
libforge_broker_job_a_SOURCES = $(job_core)
job_test_libs = libforge-broker-job.a libforge-broker.a

unit_tests += tests/unit/test-job-json
tests_unit_test_job_json_SOURCES = tests/unit/test-job-json.c
tests_unit_test_job_json_LDADD = $(job_test_libs) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-job-http
tests_unit_test_job_http_SOURCES = tests/unit/test-job-http.c
tests_unit_test_job_http_LDADD = $(job_test_libs) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-job-docker
tests_unit_test_job_docker_SOURCES = tests/unit/test-job-docker.c
tests_unit_test_job_docker_LDADD = $(job_test_libs) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-job-workflow
tests_unit_test_job_workflow_SOURCES = tests/unit/test-job-workflow.c
tests_unit_test_job_workflow_LDADD = $(job_test_libs) $(CMOCKA_LIBS)

unit_tests += tests/unit/test-job-event
tests_unit_test_job_event_SOURCES = tests/unit/test-job-event.c
tests_unit_test_job_event_LDADD = $(job_test_libs) $(CMOCKA_LIBS)

# The real static executable against a broker of a few lines, which is told how to misbehave.
job_scripts = tests/unit/test-job-cli.t tests/unit/test-job-exec.t tests/unit/test-job-git-credential.t \
	tests/unit/test-job-git-explain.t \
	tests/unit/test-job-output.t tests/unit/test-job-preflight.t tests/unit/test-job-proof.t \
	tests/unit/test-job-require.t
TESTS += $(job_scripts)
EXTRA_DIST += $(job_scripts) tests/unit/job-lib.sh tests/unit/test-job-broker.py

dist_man_MANS += docs/man/forge-broker.1

fuzz_targets += tests/fuzz/fuzz-job-json
tests_fuzz_fuzz_job_json_SOURCES = tests/fuzz/fuzz-job-json.c tests/fuzz/standalone.c
tests_fuzz_fuzz_job_json_LDADD = $(job_test_libs)

fuzz_targets += tests/fuzz/fuzz-job-http
tests_fuzz_fuzz_job_http_SOURCES = tests/fuzz/fuzz-job-http.c tests/fuzz/standalone.c
tests_fuzz_fuzz_job_http_LDADD = $(job_test_libs)

fuzz_targets += tests/fuzz/fuzz-job-preflight
tests_fuzz_fuzz_job_preflight_SOURCES = tests/fuzz/fuzz-job-preflight.c tests/fuzz/standalone.c
tests_fuzz_fuzz_job_preflight_LDADD = $(job_test_libs)

fuzz_targets += tests/fuzz/fuzz-job-credential
tests_fuzz_fuzz_job_credential_SOURCES = tests/fuzz/fuzz-job-credential.c tests/fuzz/standalone.c
tests_fuzz_fuzz_job_credential_LDADD = $(job_test_libs)

fuzz_targets += tests/fuzz/fuzz-job-git
tests_fuzz_fuzz_job_git_SOURCES = tests/fuzz/fuzz-job-git.c tests/fuzz/standalone.c
tests_fuzz_fuzz_job_git_LDADD = $(job_test_libs)

EXTRA_DIST += tests/fuzz/corpus/job-git
EXTRA_DIST += tests/fuzz/corpus/job-json tests/fuzz/corpus/job-http tests/fuzz/corpus/job-preflight \
	tests/fuzz/corpus/job-credential

fuzz_targets += tests/fuzz/fuzz-event
tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz-event.c tests/fuzz/standalone.c
tests_fuzz_fuzz_event_LDADD = $(job_test_libs)
EXTRA_DIST += tests/fuzz/corpus/event

fuzz_targets += tests/fuzz/fuzz-docker
tests_fuzz_fuzz_docker_SOURCES = tests/fuzz/fuzz-docker.c tests/fuzz/standalone.c
tests_fuzz_fuzz_docker_LDADD = $(job_test_libs)
EXTRA_DIST += tests/fuzz/corpus/docker
