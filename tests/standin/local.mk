# The Infisical stand-in: a server of its own for the integration tests, and the test that it is faithful.
check_PROGRAMS += tests/standin/infisical-standin
tests_standin_infisical_standin_SOURCES = \
	tests/standin/access.c tests/standin/access.h \
	tests/standin/answer.c tests/standin/answer.h \
	tests/standin/authenticate.c \
	tests/standin/control.c tests/standin/control.h \
	tests/standin/control_state.c \
	tests/standin/counters.c tests/standin/counters.h \
	tests/standin/faults.c tests/standin/faults.h \
	tests/standin/jwt.c tests/standin/jwt.h \
	tests/standin/lifecycle.c \
	tests/standin/limiter.c tests/standin/limiter.h \
	tests/standin/list.c \
	tests/standin/login.c \
	tests/standin/main.c \
	tests/standin/operator.c \
	tests/standin/place.c tests/standin/place.h \
	tests/standin/project.c \
	tests/standin/request.c tests/standin/request.h \
	tests/standin/routes.c tests/standin/routes.h \
	tests/standin/secret.c \
	tests/standin/send.c \
	tests/standin/server.c tests/standin/server.h \
	tests/standin/settings.c \
	tests/standin/shape.c tests/standin/shape.h \
	tests/standin/standin.h \
	tests/standin/state.c \
	tests/standin/text.c \
	tests/standin/tree.c tests/standin/tree.h
tests_standin_infisical_standin_CFLAGS = $(AM_CFLAGS) -pthread
tests_standin_infisical_standin_LDADD = $(MICROHTTPD_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS) -lm

# What the forge stand-in is put together from, and what it is compared with.
forge_standin_parts = \
	tests/standin/forge/__init__.py \
	tests/standin/forge/control.py \
	tests/standin/forge/git.py \
	tests/standin/forge/gitea.py \
	tests/standin/forge/gitea_git.py \
	tests/standin/forge/gitea_registry.py \
	tests/standin/forge/gitea_releases.py \
	tests/standin/forge/gitea_repository.py \
	tests/standin/forge/gitea_user.py \
	tests/standin/forge/github.py \
	tests/standin/forge/github_git.py \
	tests/standin/forge/github_registry.py \
	tests/standin/forge/github_releases.py \
	tests/standin/forge/github_rules.py \
	tests/standin/forge/gitlab.py \
	tests/standin/forge/gitlab_git.py \
	tests/standin/forge/gitlab_project.py \
	tests/standin/forge/gitlab_registry.py \
	tests/standin/forge/jose.py \
	tests/standin/forge/oidc.py \
	tests/standin/forge/oidc_keys.py \
	tests/standin/forge/registry.py \
	tests/standin/forge/server.py \
	tests/standin/forge/state.py \
	tests/standin/forge/types.py \
	tests/standin/forge/web.py \
	tests/standin/rows/__init__.py \
	tests/standin/rows/faults.py \
	tests/standin/rows/gitea.py \
	tests/standin/rows/github.py \
	tests/standin/rows/gitlab.py

TESTS += tests/standin/behaviour.t tests/standin/conformance.t tests/standin/forge-conformance.t tests/standin/forge-git.t
EXTRA_DIST += \
	tests/standin/README.md \
	tests/standin/behaviour.py \
	tests/standin/forge-standin \
	tests/standin/forge-standin.md \
	tests/standin/forge-conformance.t \
	tests/standin/forge-git.t \
	tests/standin/forge_conformance.py \
	$(forge_standin_parts) \
	tests/standin/git-server \
	tests/standin/behaviour.t \
	tests/standin/conformance.py \
	tests/standin/conformance.t \
	tests/standin/lab.py \
	tests/standin/recorded/README.md \
	tests/standin/recorded/lab.json \
	tests/standin/recorded/recorded.jsonl \
	tests/standin/recorded/v2024-07.tsv
