# tests/integration: the real programs, over the real socket
integration_tests = \
	tests/integration/10-issue.t \
	tests/integration/20-herd.t \
	tests/integration/30-outage.t \
	tests/integration/35-rejected.t \
	tests/integration/36-match.t \
	tests/integration/37-preflight.t \
	tests/integration/38-forge-conformance.t \
	tests/integration/38-preflight-conformance.t \
	tests/integration/39-preflight-github.t \
	tests/integration/40-containers.t \
	tests/integration/40-old-kernel.t \
	tests/integration/40-peers.t \
	tests/integration/40-recycled-pid.t \
	tests/integration/41-policy.t \
	tests/integration/42-explain.t \
	tests/integration/43-proof.t \
	tests/integration/43-proof-tls.t \
	tests/integration/44-credential-socket.t \
	tests/integration/45-ctl.t \
	tests/integration/45-rate.t \
	tests/integration/46-metrics.t \
	tests/integration/47-alerts.t \
	tests/integration/50-bad-input.t \
	tests/integration/48-policy-table.t \
	tests/integration/49-hostile-job.t \
	tests/integration/54-job-proof.t \
	tests/integration/55-git.t \
	tests/integration/56-docker.t \
	tests/integration/57-require.t \
	tests/integration/58-canary.t \
	tests/integration/59-founding-cases.t \
	tests/integration/60-sources.t \
	tests/integration/65-rotation.t \
	tests/integration/70-audit.t \
	tests/integration/75-doctor.t \
	tests/integration/80-systemd.t \
	tests/integration/82-mount.t \
	tests/integration/83-host-jobs.t \
	tests/integration/84-credential-systemd.t \
	tests/integration/85-journal.t \
	tests/integration/86-audit-systemd.t \
	tests/integration/87-doctor-systemd.t \
	tests/integration/88-credential-set.t \
	tests/integration/90-no-leak.t \
	tests/integration/91-proof-leak.t \
	tests/integration/92-sandbox.t
TESTS += $(integration_tests)

EXTRA_DIST += $(integration_tests) tests/integration/boot.sh tests/integration/herd.py tests/integration/hostile-job.py tests/integration/journal.py tests/integration/load-credential.py tests/integration/scan.py tests/integration/scrapes.py tests/integration/lib.sh tests/integration/machine.sh tests/integration/names.sh tests/integration/preflight.sh tests/integration/registry.py tests/integration/sandbox-machine.sh tests/integration/tap.sh tests/integration/unit-daemon.sh tests/integration/units.sh

# Where `make install` puts things: the units are tested where they are installed.
AM_TESTS_ENVIRONMENT += export bindir='$(bindir)' sbindir='$(sbindir)' libexecdir='$(libexecdir)' docdir='$(docdir)' sysconfdir='$(sysconfdir)';
