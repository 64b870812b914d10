# The relay: static like the client, for it runs as root and should depend on nothing.
relay_sources = \
	src/base/cleanup.h \
	src/base/text.c src/base/text.h \
	src/relay/job_request.c src/relay/job_request.h \
	src/relay/main.c
relay_paths = $(addprefix $(srcdir)/,$(relay_sources))

pkglibexec_SCRIPTS += src/relay/relay
CLEANFILES += src/relay/relay
EXTRA_DIST += $(relay_sources)

src/relay/relay: $(relay_sources) Makefile
	$(AM_V_CCLD)$(MKDIR_P) src/relay && $(CLIENT_CC) -static -std=gnu17 -D_GNU_SOURCE -I$(top_srcdir)/src \
		$(WARN_CFLAGS) $(CLIENT_CFLAGS) -ffunction-sections -fdata-sections \
		-Wl,--gc-sections -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
		-o $@ $(filter %.c,$(relay_paths))

noinst_LIBRARIES += libforge-broker-relay.a
libforge_broker_relay_a_SOURCES = src/relay/job_request.c src/relay/job_request.h

fuzz_targets += tests/fuzz/fuzz-relay-request
tests_fuzz_fuzz_relay_request_SOURCES = tests/fuzz/fuzz-relay-request.c tests/fuzz/standalone.c
tests_fuzz_fuzz_relay_request_LDADD = libforge-broker-relay.a libforge-broker.a
EXTRA_DIST += tests/fuzz/corpus/relay-request

dist_man_MANS += docs/man/forge-broker-relay.8

# The real static executable in a mount namespace of its own, where its fixed socket is the test's.
relay_scripts = tests/unit/test-relay.t
TESTS += $(relay_scripts)
EXTRA_DIST += $(relay_scripts)
