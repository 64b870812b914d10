# systemd: units and what belongs to them.  Paths are put in here and not by configure, so that the prefix is known.
dist_systemdsystemunit_DATA = systemd/forge-broker-metrics.timer systemd/forge-brokerd-control.socket \
	systemd/forge-brokerd-credentials.socket
nodist_systemdsystemunit_DATA = systemd/forge-broker-doctor.service systemd/forge-broker-metrics.service systemd/forge-broker-programs.service systemd/forge-brokerd.service systemd/forge-brokerd.socket
dist_systemdpreset_DATA = systemd/50-forge-broker.preset
nodist_catalog_DATA = systemd/forge-brokerd.catalog
pkglibexec_SCRIPTS += systemd/jobs-directory

systemd_templates = systemd/forge-broker-metrics.service.in systemd/forge-broker-programs.service.in systemd/forge-brokerd.service.in systemd/forge-brokerd.socket.in \
	systemd/jobs-directory.in
EXTRA_DIST += $(systemd_templates) systemd/forge-broker.mount systemd/forge-broker-jobs.mount systemd/forge-broker.sysusers \
	systemd/forge-broker.tmpfiles
CLEANFILES += $(systemd_templates:.in=) systemd/forge-broker-doctor.service

# The program that prints the catalog from the table of diagnoses runs here and now.
noinst_PROGRAMS += systemd/print-catalog
systemd_print_catalog_SOURCES = systemd/print-catalog.c
systemd_print_catalog_LDADD = libforge-broker.a
EXTRA_DIST += systemd/forge-brokerd.catalog.in
CLEANFILES += systemd/forge-brokerd.catalog

systemd/forge-brokerd.catalog: systemd/forge-brokerd.catalog.in systemd/print-catalog$(EXEEXT)
	$(AM_V_GEN)./systemd/print-catalog$(EXEEXT) $(srcdir)/systemd/forge-brokerd.catalog.in >$@.tmp && mv $@.tmp $@

unit_paths = \
	-e 's|@bindir[@]|$(bindir)|g' \
	-e 's|@libexecdir[@]|$(libexecdir)|g' \
	-e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g'

# Two units come from the daemon's template: lines that begin with @daemon@ or @doctor@ are of one of them only.
$(systemd_templates:.in=): %: %.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) -e '/^@doctor[@]/d' -e 's|^@daemon[@]||' \
		-e 's|@program[@]|$(sbindir)/forge-brokerd|g' $(unit_paths) $< >$@.tmp && mv $@.tmp $@

systemd/forge-broker-doctor.service: systemd/forge-brokerd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) -e '/^@daemon[@]/d' -e 's|^@doctor[@]||' \
		-e 's|@program[@]|$(sbindir)/forge-brokerctl|g' $(unit_paths) \
		$(srcdir)/systemd/forge-brokerd.service.in >$@.tmp && mv $@.tmp $@

# Those are named after what they mount, in systemd's spelling, and the last two after the package where they go.
install-data-hook:
	$(MKDIR_P) $(DESTDIR)$(systemdsystemunitdir) $(DESTDIR)$(sysusersdir) $(DESTDIR)$(tmpfilesdir)
	$(INSTALL_DATA) $(srcdir)/systemd/forge-broker.mount '$(DESTDIR)$(systemdsystemunitdir)/run-forge\x2dbroker.mount'
	$(INSTALL_DATA) $(srcdir)/systemd/forge-broker-jobs.mount '$(DESTDIR)$(systemdsystemunitdir)/run-forge\x2dbroker\x2djobs.mount'
	$(INSTALL_DATA) $(srcdir)/systemd/forge-broker.sysusers $(DESTDIR)$(sysusersdir)/forge-broker.conf
	$(INSTALL_DATA) $(srcdir)/systemd/forge-broker.tmpfiles $(DESTDIR)$(tmpfilesdir)/forge-broker.conf

uninstall-hook:
	rm -f '$(DESTDIR)$(systemdsystemunitdir)/run-forge\x2dbroker.mount' \
		'$(DESTDIR)$(systemdsystemunitdir)/run-forge\x2dbroker\x2djobs.mount'
	rm -f $(DESTDIR)$(sysusersdir)/forge-broker.conf $(DESTDIR)$(tmpfilesdir)/forge-broker.conf
