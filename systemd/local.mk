# systemd: units and what belongs to them.  Paths are put in here and not by configure, so that the prefix is known.
dist_systemdsystemunit_DATA = systemd/forge-brokerd.socket systemd/forge-brokerd-control.socket
nodist_systemdsystemunit_DATA = systemd/forge-brokerd.service
dist_systemdpreset_DATA = systemd/50-forge-broker.preset
dist_catalog_DATA = systemd/forge-brokerd.catalog

EXTRA_DIST += systemd/forge-brokerd.service.in systemd/forge-broker.sysusers systemd/forge-broker.tmpfiles
CLEANFILES += systemd/forge-brokerd.service

systemd/forge-brokerd.service: systemd/forge-brokerd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) \
		-e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@sysconfdir[@]|$(sysconfdir)|g' \
		$(srcdir)/systemd/forge-brokerd.service.in >$@.tmp && mv $@.tmp $@

# These two are named after the package where they go.
install-data-hook:
	$(MKDIR_P) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir)
	$(INSTALL_DATA) $(srcdir)/systemd/forge-broker.sysusers $(DESTDIR)$(sysusersdir)/forge-broker.conf
	$(INSTALL_DATA) $(srcdir)/systemd/forge-broker.tmpfiles $(DESTDIR)$(tmpfilesdir)/forge-broker.conf

uninstall-hook:
	rm -f $(DESTDIR)$(sysusersdir)/forge-broker.conf $(DESTDIR)$(tmpfilesdir)/forge-broker.conf
