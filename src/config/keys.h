/*
 * The table of sections and keys: what can be configured, of which type, with which default.
 * Parsing, defaults, messages and the checks of the documentation go through it.
 *
 * A key is in it only when something acts on it: an option that is read and not enforced must never
 * be accepted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum section_kind {
        SECTION_BROKER,
        SECTION_IDENTITY,
        SECTION_FORGE,
        SECTION_TOKEN,
        SECTION_KIND_COUNT
};

enum key_id {
        BROKER_SOCKET,
        BROKER_CONTROL_SOCKET,
        BROKER_CREDENTIAL_SOCKET,
        BROKER_LOG,
        BROKER_MAX_CONNECTIONS,
        BROKER_REQUEST_TIMEOUT,
        BROKER_REQUESTS_PER_SECOND,

        IDENTITY_URL,
        IDENTITY_CA_FILE,
        IDENTITY_TOKEN_FILE,
        IDENTITY_CLIENT_ID_FILE,
        IDENTITY_CLIENT_SECRET_FILE,
        IDENTITY_PROJECT_ID,
        IDENTITY_ENVIRONMENT,
        IDENTITY_PROXY,
        IDENTITY_HEADER_FILE,
        IDENTITY_CONNECT_TIMEOUT,
        IDENTITY_TIMEOUT,
        IDENTITY_ALLOW_PLAINTEXT,

        FORGE_KEY_TYPE,
        FORGE_KEY_URL,
        FORGE_KEY_REGISTRY,
        FORGE_KEY_CA_FILE,
        FORGE_KEY_OIDC_AUDIENCE,
        FORGE_KEY_OIDC_ISSUER,
        FORGE_KEY_ID_TOKEN_HOSTS,

        TOKEN_FORGE,
        TOKEN_IDENTITY,
        TOKEN_SECRET_PATH,
        TOKEN_SECRET_NAME,
        TOKEN_USERNAME,
        TOKEN_REFRESH,
        TOKEN_MAX_STALE,
        TOKEN_SOURCES,
        TOKEN_DIRECT_ENV,
        TOKEN_DIRECT_ENV_UNTIL,
        TOKEN_FOR,
        TOKEN_WRITE_PROBE,
        TOKEN_UNITS,
        TOKEN_PROOF,
        TOKEN_VOUCHED_BY,
        TOKEN_JOB_REPOSITORIES,
        TOKEN_JOB_EVENTS,
        TOKEN_JOB_REFS,

        KEY_COUNT
};

struct value_type; /* config/values.h */

struct key {
        enum section_kind section;
        const char *name;
        const struct value_type *type;
        /* the default as it would be written; NULL: none, or one that other keys decide */
        const char *fallback;
        bool required;
        bool list;            /* repeated lines append, an empty value resets */
        uint64_t least, most; /* of numbers and durations */
        const char *help;     /* one line: what it is */
};

/** key_get() - the row of a key */
const struct key *key_get(enum key_id id);

/** key_find() - the row of this name in that kind of section, or NULL */
const struct key *key_find(enum section_kind section, const char *name);

/** key_id() - the row's number */
enum key_id key_id(const struct key *key);

/** section_kind_name() - "broker", "identity", "forge", "token" */
const char *section_kind_name(enum section_kind kind);

/** section_kind_find() - true and the kind of that name */
bool section_kind_find(const char *name, enum section_kind *ret);

/** section_kind_has_name() - true for kinds of which there can be several: [token NAME] */
bool section_kind_has_name(enum section_kind kind);
