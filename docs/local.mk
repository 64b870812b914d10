# docs: manual pages, and the pages that they and the programs' remedies refer to
dist_man_MANS += docs/man/forge-broker.conf.5 docs/man/forge-brokerctl.8 docs/man/forge-brokerd.8
dist_doc_DATA = README.md docs/api.md docs/audit.md docs/benchmarks.md docs/dependencies.md docs/faults.md docs/install.md docs/jobs.md docs/monitoring.md docs/runbook.md docs/sources.md docs/threat-model.md docs/forge-broker-alerts.yml
upstreamdocdir = $(docdir)/upstream
dist_upstreamdoc_DATA = docs/upstream/forges.md docs/upstream/git.md docs/upstream/infisical.md docs/upstream/systemd.md

# Workflows; they go beside the example of the configuration.
dist_examples_DATA += docs/examples/container-push.yml docs/examples/gate.yml docs/examples/preflight.yml docs/examples/release.yml \
	docs/examples/submodules.yml \
	docs/examples/tag-push.yml docs/examples/proof-automatic-token.yml docs/examples/proof-forgejo.yml \
	docs/examples/proof-github.yml docs/examples/proof-gitlab.yml
TESTS += tests/unit/test-examples.t
EXTRA_DIST += tests/unit/test-examples.t

# Printed from the code's table.
noinst_PROGRAMS += docs/print-codes
docs_print_codes_SOURCES = docs/print-codes.c
docs_print_codes_LDADD = libforge-broker.a
nodist_man_MANS = docs/man/forge-broker-codes.7
CLEANFILES += docs/man/forge-broker-codes.7
docs/man/forge-broker-codes.7: docs/print-codes$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && ./docs/print-codes$(EXEEXT) >$@.tmp && mv $@.tmp $@
