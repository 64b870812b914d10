# Completions, for the three shells; bash and fish look them up by the program's name.
dist_zshcompletion_DATA = completions/_forge-broker
EXTRA_DIST += completions/forge-broker.bash completions/forge-broker.fish completions/completions.t
TESTS += completions/completions.t

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)' '$(DESTDIR)$(fishcompletiondir)'
	for program in forge-broker forge-brokerctl forge-brokerd; do \
		$(INSTALL_DATA) $(srcdir)/completions/forge-broker.bash '$(DESTDIR)$(bashcompletiondir)'/$$program && \
		$(INSTALL_DATA) $(srcdir)/completions/forge-broker.fish '$(DESTDIR)$(fishcompletiondir)'/$$program.fish || exit 1; \
	done

uninstall-local:
	for program in forge-broker forge-brokerctl forge-brokerd; do \
		rm -f '$(DESTDIR)$(bashcompletiondir)'/$$program '$(DESTDIR)$(fishcompletiondir)'/$$program.fish; \
	done
