/*
 * The configuration: INI files in, validated and immutable settings out.
 *
 * SYSCONFDIR/forge-broker/forge-broker.conf, then the .conf files of conf.d beside it in order of
 * name.  All mistakes are reported, each with file and line and what was expected, and then there
 * is no configuration at all: a policy that is half understood is worse than none.  A published
 * configuration never changes; a reload makes another one.
 *
 *      load.c files -> ini.c grammar -> draft.c merging, keys.c and values.c types -> check.c rules -> build.c settings
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum forge_type {
        FORGE_FORGEJO,
        FORGE_GITEA,
        FORGE_GITHUB,
        FORGE_GITLAB,
        FORGE_OTHER,
        FORGE_TYPE_COUNT
};

/* The longest that may be set, for those who wait for an answer and do not know the setting. */
#define REQUEST_TIMEOUT_MAX (120 * USEC_PER_SEC)

enum log_target { LOG_TARGET_AUTO, LOG_TARGET_JOURNAL, LOG_TARGET_STDERR };

/* Where a value can come from, in the order of the chain.  The names are the source markers. */
enum source {
        SOURCE_INFISICAL_TOKEN_AUTH,
        SOURCE_INFISICAL_UNIVERSAL_AUTH,
        SOURCE_DIRECT_ENV_FALLBACK,
        SOURCE_COUNT
};

/* Lists are NULL-terminated arrays of strings, never NULL themselves. */
struct identity_config {
        char *name;
        char **urls;   /* at least one, in normal form: lower case host, no slash at the end */
        char *ca_file; /* NULL: the system's */
        /* credential files: as written; relative means $CREDENTIALS_DIRECTORY */
        char *token_file;
        char *client_id_file; /* NULL: no Universal Auth */
        char *client_secret_file;
        char *project_id;
        char *environment;
        char *proxy; /* NULL: none, whatever the environment says */
        char *header_file;
        usec_t connect_timeout, timeout;
        bool allow_plaintext;
};

struct forge_config {
        char *name;
        enum forge_type type;
        char *url;      /* no slash at the end */
        char *registry; /* NULL: none */
        char *ca_file;
        char *oidc_audience; /* NULL: its ID tokens are no proof */
        /* NULL: it issues no ID tokens; else as URLs are, without a slash at the end */
        char *oidc_issuer;
        /* patterns on "host" or "host:port" in lower case, besides the forge's own origin */
        char **id_token_hosts;
};

struct token_config {
        char *name;
        const struct forge_config *forge;
        const struct identity_config *identity;
        char *secret_path; /* normalised: begins with '/', no slash at the end but for "/" */
        char *secret_name;
        char *username; /* never NULL: the forge type's default where none is set */
        char **targets; /* `for`: globs on repositories and images; none: all of the forge */
        usec_t refresh, max_stale;
        /* to be tried: allowed by `sources`, and there is what they need */
        bool sources[SOURCE_COUNT];
        char *direct_env;        /* NULL: no direct fallback */
        usec_t direct_env_until; /* wall clock, the end of that day in UTC */
        bool write_probe;
        char **units;        /* globs on the kernel's unit names; none: any unit, and none at all */
        bool proof_required; /* only with it the next four mean something */
        /* never NULL: the token's own where none is named */
        const struct forge_config *vouched_by;
        char **job_repositories; /* globs; at least one */
        char **job_events;       /* none: any event */
        char **job_refs;         /* globs; none: any ref */
};

struct config {
        unsigned references;
        char *file; /* the main file's path */

        char *socket;            /* jobs' socket; ignored under socket activation */
        char *control_socket;    /* NULL: everything is served on the one socket */
        char *credential_socket; /* NULL: none */
        enum log_target log;
        unsigned max_connections;
        usec_t request_timeout;
        unsigned requests_per_second;

        struct identity_config **identities; /* each list in the order of the files */
        size_t n_identities;
        struct forge_config **forges;
        size_t n_forges;
        struct token_config **tokens;
        size_t n_tokens;
};

/* One finding: "FILE:LINE: what is wrong; what was expected".  line is 0 where none applies. */
struct config_problem {
        char *file;
        unsigned line;
        char *text;
};

struct config_problems {
        struct config_problem *items;
        size_t count;
        size_t dropped; /* beyond CONFIG_PROBLEMS_MAX only counted */
};

#define CONFIG_PROBLEMS_MAX 200

/**
 * config_load() - reads @file and the drop-ins in conf.d beside it
 * @ret:      a reference, release with config_unref()
 * @problems: zeroed by the caller, receives every mistake; release with config_problems_done()
 *
 * Reads files, asks nothing of the network.  CA files must be there; credential files are not
 * opened here.  The text of a finding quotes outside bytes cleaned and bounded, and never the value
 * of a key that could hold a secret by mistake.
 * Return: 0, or -1 and at least one problem.
 */
int config_load(const char *file, struct config **ret, struct config_problems *problems);

/* One setting as it is in force, and where it comes from. */
struct config_setting {
        const char *kind; /* "token" */
        const char *name; /* of the section; NULL for [broker] */
        const char *key;
        /* as it could be written; NULL: nothing is set, and there is no default */
        const char *value;
        const char *file; /* NULL: the default */
        unsigned line;
};

typedef void (*config_visitor)(const struct config_setting *setting, void *userdata);

/**
 * config_describe() - calls @visit for each setting of a configuration, defaults included; once per
 * item for a list
 *
 * Return: 0, or -1 and at least one problem, as config_load().
 */
int config_describe(const char *file, config_visitor visit, void *userdata,
                    struct config_problems *problems);

struct config *config_ref(struct config *config);
struct config *config_unref(struct config *config);
DEFINE_CLEANUP(struct config *, config_unref);

void config_problems_done(struct config_problems *problems);

/** config_find_token() - borrowed, or NULL if there is no token of that name */
const struct token_config *config_find_token(const struct config *config, const char *name);

/** source_name() - the marker's value: "infisical-token-auth", ... */
const char *source_name(enum source source);

/** source_find() - true and the source of that name */
bool source_find(const char *name, enum source *ret);

/** forge_type_name() - "forgejo", ... */
const char *forge_type_name(enum forge_type type);

/** forge_type_marker() - the marker's key: "forgejo_token_source", ..., "forge_token_source" */
const char *forge_type_marker(enum forge_type type);
