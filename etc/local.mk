# The example goes where Debian keeps examples.  Nothing is installed below sysconfdir: a configuration can only be written
# by the operator, the daemon says what is missing until then, and conf.d need not exist.
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/forge-broker.conf
nodist_examples_DATA = etc/forge-broker.sudoers
EXTRA_DIST += etc/forge-broker.sudoers.in
CLEANFILES += etc/forge-broker.sudoers

etc/forge-broker.sudoers: etc/forge-broker.sudoers.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && $(SED) -e 's|@libexecdir[@]|$(libexecdir)|g' \
		$(srcdir)/etc/forge-broker.sudoers.in >$@.tmp && mv $@.tmp $@
