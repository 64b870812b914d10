#include "config/keys.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "config/config.h"
#include "config/values.h"

static const struct {
        const char *name;
        bool has_name;
} kinds[SECTION_KIND_COUNT] = {
        [SECTION_BROKER] = { "broker", false },
        [SECTION_IDENTITY] = { "identity", true },
        [SECTION_FORGE] = { "forge", true },
        [SECTION_TOKEN] = { "token", true },
};

static const struct key keys[KEY_COUNT] = {
        /* [broker] */
        [BROKER_SOCKET] = {
                .section = SECTION_BROKER, .name = "socket", .type = &value_socket,
                .fallback = "/run/forge-broker/broker.sock",
                .help = "the jobs' socket",
        },
        [BROKER_CONTROL_SOCKET] = {
                .section = SECTION_BROKER, .name = "control_socket", .type = &value_socket_or_none,
                .fallback = "/run/forge-broker-control.sock",
                .help = "the operators' socket",
        },
        [BROKER_CREDENTIAL_SOCKET] = {
                .section = SECTION_BROKER, .name = "credential_socket", .type = &value_socket_or_none,
                .fallback = "/run/forge-broker-credentials.sock",
                .help = "the socket of systemd's LoadCredential=",
        },
        [BROKER_LOG] = {
                .section = SECTION_BROKER, .name = "log", .type = &value_log_target,
                .fallback = "auto",
                .help = "where messages and audit records go",
        },
        [BROKER_MAX_CONNECTIONS] = {
                .section = SECTION_BROKER, .name = "max_connections", .type = &value_number,
                .fallback = "64", .least = 4, .most = 1024,
                .help = "how many connections are open at a time",
        },
        [BROKER_REQUEST_TIMEOUT] = {
                .section = SECTION_BROKER, .name = "request_timeout", .type = &value_duration,
                .fallback = "10s", .least = USEC_PER_SEC, .most = REQUEST_TIMEOUT_MAX,
                .help = "when a slow client is cut off",
        },
        [BROKER_REQUESTS_PER_SECOND] = {
                .section = SECTION_BROKER, .name = "requests_per_second", .type = &value_number,
                .fallback = "200", .most = 1000000,
                .help = "how many requests one control group may make, 0 for any number",
        },

        /* [identity NAME] */
        [IDENTITY_URL] = {
                .section = SECTION_IDENTITY, .name = "url", .type = &value_infisical_url,
                .required = true, .list = true,
                .help = "the address of Infisical",
        },
        [IDENTITY_CA_FILE] = {
                .section = SECTION_IDENTITY, .name = "ca_file", .type = &value_file,
                .help = "certificates that replace the system's",
        },
        [IDENTITY_TOKEN_FILE] = {
                .section = SECTION_IDENTITY, .name = "token_file", .type = &value_credential,
                .help = "the file with the access token (Token Auth)",
        },
        [IDENTITY_CLIENT_ID_FILE] = {
                .section = SECTION_IDENTITY, .name = "client_id_file", .type = &value_credential,
                .help = "the file with the client id (Universal Auth)",
        },
        [IDENTITY_CLIENT_SECRET_FILE] = {
                .section = SECTION_IDENTITY, .name = "client_secret_file", .type = &value_credential,
                .help = "the file with the client secret (Universal Auth)",
        },
        [IDENTITY_PROJECT_ID] = {
                .section = SECTION_IDENTITY, .name = "project_id", .type = &value_project,
                .required = true,
                .help = "the id of the Infisical project",
        },
        [IDENTITY_ENVIRONMENT] = {
                .section = SECTION_IDENTITY, .name = "environment", .type = &value_slug,
                .required = true,
                .help = "the slug of the project's environment",
        },
        [IDENTITY_PROXY] = {
                .section = SECTION_IDENTITY, .name = "proxy", .type = &value_proxy_url,
                .help = "the HTTP proxy on the way to Infisical",
        },
        [IDENTITY_HEADER_FILE] = {
                .section = SECTION_IDENTITY, .name = "header_file", .type = &value_credential,
                .help = "the file with extra request headers for an access proxy",
        },
        [IDENTITY_CONNECT_TIMEOUT] = {
                .section = SECTION_IDENTITY, .name = "connect_timeout", .type = &value_duration,
                .fallback = "3s", .least = 100 * USEC_PER_MSEC, .most = 60 * USEC_PER_SEC,
                .help = "how long connecting to one server may take",
        },
        [IDENTITY_TIMEOUT] = {
                .section = SECTION_IDENTITY, .name = "timeout", .type = &value_duration,
                .fallback = "10s", .least = USEC_PER_SEC, .most = 120 * USEC_PER_SEC,
                .help = "how long one whole exchange may take",
        },
        [IDENTITY_ALLOW_PLAINTEXT] = {
                .section = SECTION_IDENTITY, .name = "allow_plaintext", .type = &value_flag,
                .fallback = "no",
                .help = "whether http:// may leave this host",
        },

        /* [forge NAME] */
        [FORGE_KEY_TYPE] = {
                .section = SECTION_FORGE, .name = "type", .type = &value_forge_type,
                .required = true,
                .help = "the forge's software",
        },
        [FORGE_KEY_URL] = {
                .section = SECTION_FORGE, .name = "url", .type = &value_forge_url,
                .required = true,
                .help = "the forge's address",
        },
        [FORGE_KEY_REGISTRY] = {
                .section = SECTION_FORGE, .name = "registry", .type = &value_registry,
                .help = "the host of its container registry",
        },
        [FORGE_KEY_CA_FILE] = {
                .section = SECTION_FORGE, .name = "ca_file", .type = &value_file,
                .help = "certificates that replace the system's",
        },
        [FORGE_KEY_OIDC_AUDIENCE] = {
                .section = SECTION_FORGE, .name = "oidc_audience", .type = &value_audience,
                .help = "the audience of ID tokens that count as proof",
        },
        [FORGE_KEY_OIDC_ISSUER] = {
                .section = SECTION_FORGE, .name = "oidc_issuer", .type = &value_forge_url,
                .help = "who signs the jobs' ID tokens",
        },
        [FORGE_KEY_ID_TOKEN_HOSTS] = {
                .section = SECTION_FORGE, .name = "id_token_hosts", .type = &value_host_pattern,
                .list = true,
                .help = "the hosts that hand out ID tokens, besides the forge's own",
        },

        /* [token NAME] */
        [TOKEN_FORGE] = {
                .section = SECTION_TOKEN, .name = "forge", .type = &value_reference,
                .required = true,
                .help = "the forge that the token is for",
        },
        [TOKEN_IDENTITY] = {
                .section = SECTION_TOKEN, .name = "identity", .type = &value_reference,
                .fallback = "default",
                .help = "the identity that reads it",
        },
        [TOKEN_SECRET_PATH] = {
                .section = SECTION_TOKEN, .name = "secret_path", .type = &value_secret_path,
                .required = true,
                .help = "the folder of the secret",
        },
        [TOKEN_SECRET_NAME] = {
                .section = SECTION_TOKEN, .name = "secret_name", .type = &value_secret_name,
                .required = true,
                .help = "the name of the secret",
        },
        [TOKEN_USERNAME] = {
                .section = SECTION_TOKEN, .name = "username", .type = &value_username,
                .help = "the user name for git and registries",
        },
        [TOKEN_REFRESH] = {
                .section = SECTION_TOKEN, .name = "refresh", .type = &value_duration,
                .fallback = "5m", .least = 10 * USEC_PER_SEC, .most = USEC_PER_DAY,
                .help = "how often the value is read again",
        },
        [TOKEN_MAX_STALE] = {
                .section = SECTION_TOKEN, .name = "max_stale", .type = &value_duration,
                .fallback = "1h", .most = 30 * USEC_PER_DAY,
                .help = "how long an unconfirmed value is served",
        },
        [TOKEN_SOURCES] = {
                .section = SECTION_TOKEN, .name = "sources", .type = &value_source,
                .list = true,
                .help = "the sources that may be used",
        },
        [TOKEN_DIRECT_ENV] = {
                .section = SECTION_TOKEN, .name = "direct_env", .type = &value_variable,
                .help = "the variable that holds a fallback value",
        },
        [TOKEN_DIRECT_ENV_UNTIL] = {
                .section = SECTION_TOKEN, .name = "direct_env_until", .type = &value_day,
                .help = "the last day of the fallback",
        },
        [TOKEN_FOR] = {
                .section = SECTION_TOKEN, .name = "for", .type = &value_target,
                .list = true,
                .help = "the repositories and images it is for",
        },
        [TOKEN_WRITE_PROBE] = {
                .section = SECTION_TOKEN, .name = "write_probe", .type = &value_flag,
                .fallback = "no",
                .help = "whether a preflight may write with it",
        },
        [TOKEN_UNITS] = {
                .section = SECTION_TOKEN, .name = "units", .type = &value_unit,
                .list = true,
                .help = "the units that get it",
        },
        [TOKEN_PROOF] = {
                .section = SECTION_TOKEN, .name = "proof", .type = &value_proof,
                .fallback = "none",
                .help = "whether a forge must vouch for the job",
        },
        [TOKEN_VOUCHED_BY] = {
                .section = SECTION_TOKEN, .name = "vouched_by", .type = &value_reference,
                .help = "the forge whose proof counts",
        },
        [TOKEN_JOB_REPOSITORIES] = {
                .section = SECTION_TOKEN, .name = "job_repositories", .type = &value_target,
                .list = true,
                .help = "the repositories whose jobs get it",
        },
        [TOKEN_JOB_EVENTS] = {
                .section = SECTION_TOKEN, .name = "job_events", .type = &value_event,
                .fallback = "push, create, schedule, workflow_dispatch, release", .list = true,
                .help = "the events whose jobs get it",
        },
        [TOKEN_JOB_REFS] = {
                .section = SECTION_TOKEN, .name = "job_refs", .type = &value_git_ref,
                .list = true,
                .help = "the refs whose jobs get it",
        },
};

const struct key *key_get(enum key_id id) {
        return &keys[id];
}

const struct key *key_find(enum section_kind section, const char *name) {
        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if (keys[i].section == section && strcmp(keys[i].name, name) == 0)
                        return &keys[i];
        return NULL;
}

enum key_id key_id(const struct key *key) {
        return (enum key_id)(key - keys);
}

const char *section_kind_name(enum section_kind kind) {
        return kinds[kind].name;
}

bool section_kind_find(const char *name, enum section_kind *ret) {
        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                if (strcmp(kinds[i].name, name) != 0)
                        continue;
                *ret = (enum section_kind)i;
                return true;
        }
        return false;
}

bool section_kind_has_name(enum section_kind kind) {
        return kinds[kind].has_name;
}
