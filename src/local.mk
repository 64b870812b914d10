# The library holds all but main: the programs and the tests link the same objects.
noinst_LIBRARIES += libforge-broker.a
libforge_broker_a_SOURCES = \
	src/base/cleanup.h \
	src/base/clock.c src/base/clock.h \
	src/base/error.c src/base/error.h \
	src/base/json.c src/base/json.h \
	src/base/log.c src/base/log.h \
	src/base/secret.c src/base/secret.h \
	src/base/text.c src/base/text.h

daemon_libs = libforge-broker.a $(MICROHTTPD_LIBS) $(CURL_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(CRYPTO_LIBS)

sbin_PROGRAMS += src/daemon/forge-brokerd
src_daemon_forge_brokerd_SOURCES = src/daemon/main.c
src_daemon_forge_brokerd_LDADD = $(daemon_libs)
