# The example goes where Debian keeps examples.  Nothing is installed below sysconfdir: a configuration can only be written
# by the operator, the daemon says what is missing until then, and conf.d need not exist.
examplesdir = $(docdir)/examples
dist_examples_DATA = etc/forge-broker.conf
