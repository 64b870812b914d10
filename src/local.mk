# The library holds all but main: the programs and the tests link the same objects.
noinst_LIBRARIES += libforge-broker.a
libforge_broker_a_SOURCES = \
	src/api/connection.c src/api/connection.h \
	src/api/deadline.c src/api/deadline.h \
	src/api/explain.c src/api/explain.h \
	src/api/head.c src/api/head.h \
	src/api/limits.h \
	src/api/listener.c src/api/listener.h \
	src/api/metrics.c src/api/metrics.h \
	src/api/preflight.c src/api/preflight.h \
	src/api/query.c src/api/query.h \
	src/api/render.c src/api/render.h \
	src/api/reply.c src/api/reply.h \
	src/api/request.c src/api/request.h \
	src/api/handlers.c src/api/handlers.h \
	src/api/routes.c src/api/routes.h \
	src/api/server.c src/api/server.h src/api/server_internal.h \
	src/base/base64url.c src/base/base64url.h \
	src/base/budget.h \
	src/base/cleanup.h \
	src/base/clock.c src/base/clock.h \
	src/base/confine.c src/base/confine.h \
	src/base/error.c src/base/error.h \
	src/base/fingerprint.c src/base/fingerprint.h \
	src/base/glob.c src/base/glob.h \
	src/base/json.c src/base/json.h \
	src/base/log.c src/base/log.h \
	src/base/process.c src/base/process.h \
	src/base/secret.c src/base/secret.h \
	src/base/text.c src/base/text.h \
	src/base/wiping.c src/base/wiping.h \
	src/broker/admission.c src/broker/admission.h \
	src/broker/ask.c \
	src/broker/attempts.c src/broker/attempts.h \
	src/broker/audit.c src/broker/audit.h \
	src/broker/audit_render.c src/broker/audit_render.h \
	src/broker/broker.c src/broker/broker.h src/broker/broker_internal.h \
	src/broker/cache.c src/broker/cache.h \
	src/broker/cgroup.c src/broker/cgroup.h \
	src/broker/cgroup_layout.c src/broker/cgroup_layout.h \
	src/broker/counters.c src/broker/counters.h \
	src/broker/direct_env.c src/broker/direct_env.h \
	src/broker/doctor.c src/broker/doctor.h \
	src/broker/doctor_desk.c src/broker/doctor_desk.h \
	src/broker/doctor_files.c \
	src/broker/endpoint.c src/broker/endpoint.h \
	src/broker/explain.c src/broker/explain.h \
	src/broker/expiry.c src/broker/expiry.h \
	src/broker/findings.c src/broker/findings.h \
	src/broker/generation.c src/broker/generation.h \
	src/broker/key_check.c src/broker/key_check.h \
	src/broker/login.c src/broker/login.h \
	src/broker/match.c src/broker/match.h \
	src/broker/peer.c src/broker/peer.h \
	src/broker/preflight.c src/broker/preflight.h \
	src/broker/preflight_desk.c src/broker/preflight_desk.h \
	src/broker/preflight_query.c \
	src/broker/policy.c src/broker/policy.h \
	src/broker/proof.c src/broker/proof.h \
	src/broker/rate.c src/broker/rate.h \
	src/broker/refresh.c src/broker/refresh.h \
	src/broker/rejected.c src/broker/rejected.h \
	src/broker/source.c src/broker/source.h \
	src/broker/upstream.c src/broker/upstream.h \
	src/broker/verify.c src/broker/verify.h \
	src/broker/view.c \
	src/broker/vouch_desk.c src/broker/vouch_desk.h \
	src/broker/waiter.c src/broker/waiter.h \
	src/config/build.c \
	src/config/check.c src/config/check.h \
	src/config/check_rules.c \
	src/config/config.c src/config/config.h \
	src/config/describe.c \
	src/config/draft.c src/config/draft.h \
	src/config/ini.c src/config/ini.h \
	src/config/keys.c src/config/keys.h \
	src/config/load.c \
	src/config/pasted.c src/config/pasted.h \
	src/config/problems.c src/config/problems.h \
	src/config/suggest.c src/config/suggest.h \
	src/config/url.c src/config/url.h \
	src/config/value_patterns.c \
	src/config/value_text.h \
	src/config/value_texts.c \
	src/config/values.c src/config/values.h \
	src/credentials/bound_name.c src/credentials/bound_name.h \
	src/credentials/consumer.c src/credentials/consumer.h \
	src/credentials/credentials.c src/credentials/credentials.h src/credentials/credentials_internal.h \
	src/ctl/environment_file.c src/ctl/environment_file.h \
	src/forge/adapter.c src/forge/adapter.h \
	src/forge/alive.c src/forge/alive.h \
	src/forge/answer.c src/forge/answer.h \
	src/forge/challenge.c src/forge/challenge.h \
	src/forge/draft.c src/forge/draft.h \
	src/forge/fill.c src/forge/fill.h \
	src/forge/forgejo.c \
	src/forge/forgejo_evidence.c \
	src/forge/forgejo_probes.c src/forge/forgejo_probes.h \
	src/forge/forgejo_refusals.c \
	src/forge/github.c \
	src/forge/github_evidence.c \
	src/forge/github_identity.c \
	src/forge/github_probes.c src/forge/github_probes.h \
	src/forge/github_refusals.c \
	src/forge/github_rules.c \
	src/forge/gitlab.c \
	src/forge/gitlab_event.c src/forge/gitlab_event.h \
	src/forge/gitlab_evidence.c \
	src/forge/gitlab_probes.c src/forge/gitlab_probes.h \
	src/forge/gitlab_refs.c \
	src/forge/gitlab_refusals.c \
	src/forge/id_token.c src/forge/id_token.h \
	src/forge/inquiry.c src/forge/inquiry.h \
	src/forge/job_facts.c src/forge/job_facts.h \
	src/forge/job_facts_claims.c \
	src/forge/job_facts_job.c \
	src/forge/job_facts_run.c \
	src/forge/key_desk.c src/forge/key_desk.h \
	src/forge/key_set.c src/forge/key_set.h \
	src/forge/preflight.c src/forge/preflight.h \
	src/forge/refusal.c \
	src/forge/registry_token.c src/forge/registry_token.h \
	src/forge/upload.c src/forge/upload.h \
	src/forge/vouch.c src/forge/vouch.h \
	src/forge/vouch_answer.c \
	src/forge/vouch_id_token.c \
	src/forge/vouch_internal.h \
	src/forge/words.c \
	src/infisical/answer.c src/infisical/answer.h \
	src/infisical/claims.c \
	src/infisical/classify.c \
	src/infisical/credential.c src/infisical/credential.h \
	src/infisical/header_lines.c src/infisical/header_lines.h \
	src/infisical/infisical.h \
	src/infisical/lockout.c src/infisical/lockout.h \
	src/infisical/login_answer.c \
	src/infisical/read.c \
	src/infisical/refusal.c src/infisical/refusal.h \
	src/infisical/session.c src/infisical/session.h \
	src/infisical/status.c src/infisical/status.h \
	src/infisical/watch.c src/infisical/watch.h \
	src/net/http.c src/net/http.h src/net/http_call.h \
	src/net/http_failure.c src/net/http_head.c src/net/http_request.c src/net/http_send.c src/net/http_setup.c

daemon_libs = libforge-broker.a $(MICROHTTPD_LIBS) $(CURL_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS) $(CRYPTO_LIBS)

sbin_PROGRAMS += src/daemon/forge-brokerd
src_daemon_forge_brokerd_SOURCES = \
	src/daemon/main.c \
	src/daemon/sockets.c src/daemon/sockets.h
src_daemon_forge_brokerd_LDADD = $(daemon_libs)

# What audits a journal, but for the command itself: its tests link it as well.
noinst_LIBRARIES += libforge-broker-audit.a
libforge_broker_audit_a_SOURCES = \
	src/ctl/audit_access.c src/ctl/audit_access.h \
	src/ctl/audit_chart.c src/ctl/audit_chart.h \
	src/ctl/audit_complete.c src/ctl/audit_complete.h \
	src/ctl/audit_condition.c src/ctl/audit_condition.h \
	src/ctl/audit_entry.c src/ctl/audit_entry.h \
	src/ctl/audit_escape.c src/ctl/audit_escape.h \
	src/ctl/audit_html.c \
	src/ctl/audit_journal.c src/ctl/audit_journal.h \
	src/ctl/audit_json.c \
	src/ctl/audit_markdown.c \
	src/ctl/audit_report.h \
	src/ctl/audit_sequence.c src/ctl/audit_sequence.h \
	src/ctl/audit_set.c src/ctl/audit_set.h \
	src/ctl/audit_tally.c src/ctl/audit_tally.h \
	src/ctl/audit_text.c \
	src/ctl/audit_time.c src/ctl/audit_time.h \
	src/ctl/audit_words.c

sbin_PROGRAMS += src/ctl/forge-brokerctl
src_ctl_forge_brokerctl_SOURCES = \
	src/ctl/audit.c \
	src/ctl/check_config.c \
	src/ctl/checkup.c src/ctl/checkup.h \
	src/ctl/commands.h \
	src/ctl/control.c src/ctl/control.h \
	src/ctl/credential.c src/ctl/credential.h \
	src/ctl/credential_input.c src/ctl/credential_proof.c src/ctl/credential_store.c \
	src/ctl/doctor.c \
	src/ctl/doctor_tree.c src/ctl/doctor_tree.h \
	src/ctl/doctor_unit.c src/ctl/doctor_unit.h \
	src/ctl/drop_ins.c src/ctl/drop_ins.h \
	src/ctl/explain.c \
	src/ctl/journal_keeps.c src/ctl/journal_keeps.h \
	src/ctl/leftovers.c src/ctl/leftovers.h \
	src/ctl/main.c \
	src/ctl/metrics.c \
	src/ctl/options.c src/ctl/options.h \
	src/ctl/output.c src/ctl/output.h \
	src/ctl/program.c src/ctl/program.h \
	src/ctl/refresh.c \
	src/ctl/reload.c \
	src/ctl/show_config.c \
	src/ctl/status.c \
	src/ctl/status_table.c src/ctl/status_table.h \
	src/ctl/status_watch.c src/ctl/status_watch.h \
	src/ctl/sudo_rules.c src/ctl/sudo_rules.h
src_ctl_forge_brokerctl_LDADD = libforge-broker-audit.a $(daemon_libs)
