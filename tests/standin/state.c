#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "counters.h"
#include "tree.h"

#define SECRET_VALUE_MAX_BYTES (4 * 1024 * 1024)

double standin_now(const struct standin *s) {
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (double)now.tv_sec + (double)now.tv_nsec / 1e9 + s->clock_offset;
}

bool standin_wait(const struct standin *s, int fd, int ms) {
        struct pollfd waits[2] = { { .fd = s->stop_fd, .events = POLLIN },
                                   { .fd = fd, .events = POLLRDHUP } };

        return poll(waits, fd >= 0 ? 2 : 1, ms) == 0;
}

static bool complain(const char *format, ...) _printf_(1, 2);

static bool complain(const char *format, ...) {
        va_list args;

        va_start(args, format);
        (void)fputs("infisical-standin: state: ", stderr);
        (void)vfprintf(stderr, format, args);
        (void)fputc('\n', stderr);
        va_end(args);
        return false;
}

static void complete_text(json_t *object, const char *key, const char *value) {
        if (!json_object_get(object, key))
                (void)json_object_set_new(object, key, json_string(value));
}

static void complete_number(json_t *object, const char *key, json_int_t value) {
        if (!json_object_get(object, key))
                (void)json_object_set_new(object, key, json_integer(value));
}

static void complete_id(json_t *object) {
        char uuid[37];

        random_uuid(uuid);
        complete_text(object, "id", uuid);
}

static void complete_dates(struct standin *s, json_t *object) {
        char date[32];

        complete_text(object, "created_at", iso_date(standin_now(s), date));
        complete_text(object, "updated_at", member_text(object, "created_at", date));
}

/* A value, or "value_bytes": that many times the letter A. */
static json_t *wanted_value(const json_t *wanted) {
        json_t *value = json_object_get(wanted, "value");
        size_t bytes = (size_t)settings_number(wanted, "value_bytes", 0);
        char *text;

        if (json_is_string(value))
                return json_incref(value);
        if (bytes > SECRET_VALUE_MAX_BYTES)
                bytes = SECRET_VALUE_MAX_BYTES;
        text = format_text("%*s", (int)bytes, "");
        memset(text, 'A', bytes);
        value = json_stringn(text, bytes);
        free(text);
        return value;
}

json_t *secret_put(struct standin *s, json_t *folder, const json_t *wanted) {
        json_t *secret = secret_find(folder, member_text(wanted, "name", ""));
        bool changes = secret && !json_is_true(json_object_get(secret, "deleted"));
        char date[32];

        if (!member_text(wanted, "name", NULL))
                return NULL;
        if (!secret) {
                secret =
                    json_pack("{s:o, s:i, s:s, s:b, s:[], s:[], s:[]}", "name",
                              json_incref(json_object_get(wanted, "name")), "version", 1, "comment",
                              "", "skip_multiline_encoding", 0, "metadata", "tags", "versions");
                (void)json_array_append_new(json_object_get(folder, "secrets"), secret);
        }
        if (changes) {
                json_t *old = json_deep_copy(secret);

                (void)json_object_del(old, "versions");
                (void)json_array_append_new(json_object_get(secret, "versions"), old);
        }
        (void)json_object_update(secret, (json_t *)(uintptr_t)wanted);
        (void)json_object_del(secret, "value_bytes");
        (void)json_object_set_new(secret, "value", wanted_value(wanted));
        (void)json_object_set_new(secret, "deleted", json_false());
        if (changes) {
                const json_t *last =
                    json_array_get(json_object_get(secret, "versions"),
                                   json_array_size(json_object_get(secret, "versions")) - 1);

                if (!json_object_get(wanted, "version"))
                        (void)json_object_set_new(
                            secret, "version",
                            json_integer((json_int_t)settings_number(last, "version", 0) + 1));
                if (!json_object_get(wanted, "updated_at"))
                        (void)json_object_set_new(secret, "updated_at",
                                                  json_string(iso_date(standin_now(s), date)));
        }
        complete_id(secret);
        complete_dates(s, secret);
        return secret;
}

static bool folder_complete(struct standin *s, json_t *folder) {
        _cleanup_(json_decrefp) json_t *wanted = json_object_get(folder, "secrets");
        size_t i;
        json_t *entry;

        if (*member_text(folder, "path", "") != '/')
                return complain("a folder needs a path that begins with a slash");
        complete_id(folder);
        complete_dates(s, folder);
        if (!json_object_get(folder, "imports"))
                (void)json_object_set_new(folder, "imports", json_array());
        wanted = wanted ? json_incref(wanted) : json_array();
        (void)json_object_set_new(folder, "secrets", json_array());
        json_array_foreach(wanted, i, entry) if (!secret_put(s, folder, entry)) return complain(
            "a secret in %s needs a name", member_text(folder, "path", ""));
        return true;
}

bool project_complete(struct standin *s, json_t *project) {
        size_t e, f;
        json_t *environment, *folder;

        if (!member_text(project, "slug", NULL))
                return complain("a project needs a slug");
        complete_id(project);
        complete_dates(s, project);
        complete_text(project, "name", member_text(project, "slug", ""));
        complete_text(project, "type", "secret-manager");
        complete_text(project, "org_id", member_text(s->organization, "id", ""));
        json_array_foreach(json_object_get(project, "environments"), e, environment) {
                if (!member_text(environment, "slug", NULL))
                        return complain("an environment needs a slug");
                complete_id(environment);
                complete_text(environment, "name", member_text(environment, "slug", ""));
                if (!json_object_get(environment, "folders"))
                        (void)json_object_set_new(environment, "folders", json_array());
                json_array_foreach(json_object_get(environment, "folders"), f,
                                   folder) if (!folder_complete(s, folder)) return false;
        }
        return true;
}

bool identity_complete(struct standin *s, json_t *identity) {
        json_t *login = json_object_get(identity, "universal_auth");
        size_t i;
        json_t *entry;

        if (!member_text(identity, "name", NULL))
                return complain("an identity needs a name");
        complete_id(identity);
        json_array_foreach(
            json_object_get(identity, "memberships"), i,
            entry) if (!project_named(s,
                                      member_text(
                                          entry, "project",
                                          NULL))) return complain("identity %s: unknown project",
                                                                  member_text(identity, "name",
                                                                              ""));
        if (!login)
                return true;
        if (!json_object_get(login, "client_secrets"))
                (void)json_object_set_new(login, "client_secrets", json_array());
        json_array_foreach(json_object_get(login, "client_secrets"), i, entry) {
                complete_id(entry);
                complete_number(entry, "uses", 0);
                if (!json_object_get(entry, "created"))
                        (void)json_object_set_new(entry, "created", json_real(standin_now(s)));
        }
        if (!member_text(login, "client_id", NULL)) {
                char uuid[37];

                random_uuid(uuid);
                complete_text(login, "client_id", uuid);
        }
        return true;
}

bool token_complete(struct standin *s, json_t *token) {
        const json_t *identity = identity_find(s, member_text(token, "identity", NULL));
        const json_t *config = json_object_get(identity, "token_auth");
        char uuid[37];

        if (!identity)
                return complain("token %s: unknown identity", member_text(token, "name", "?"));
        complete_id(token);
        random_uuid(uuid);
        complete_text(token, "name", uuid);
        (void)json_object_set_new(token, "identity", json_string(member_text(identity, "id", "")));
        complete_text(token, "method", "token-auth");
        complete_number(token, "ttl", (json_int_t)settings_number(config, "ttl", 0));
        complete_number(token, "max_ttl", (json_int_t)settings_number(config, "max_ttl", 0));
        complete_number(token, "uses_limit", (json_int_t)settings_number(config, "uses_limit", 0));
        complete_number(token, "period", 0);
        complete_number(token, "uses", 0);
        if (!json_object_get(token, "trusted_ips") && json_object_get(config, "trusted_ips"))
                (void)json_object_set(token, "trusted_ips", json_object_get(config, "trusted_ips"));
        if (!json_object_get(token, "created"))
                (void)json_object_set_new(token, "created", json_real(standin_now(s)));
        return true;
}

static json_t *taken_array(json_t *file, const char *key) {
        json_t *array = json_object_get(file, key);

        return json_is_array(array) ? json_incref(array) : json_array();
}

bool standin_load(struct standin *s, const char *path) {
        json_error_t error;
        _cleanup_(json_decrefp) json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
        const char *wrong;
        size_t i;
        json_t *entry;

        if (!json_is_object(file))
                return complain("%s:%d: %s", path, file ? 1 : error.line,
                                file ? "not an object" : error.text);
        s->settings = settings_defaults();
        wrong = settings_change(s, json_object_get(file, "settings"));
        if (wrong)
                return complain("unknown setting or wrong value: %s", wrong);
        s->organization = json_incref(json_object_get(file, "organization"));
        if (!s->organization)
                s->organization =
                    json_pack("{s:s, s:s, s:s}", "id", "00000000-0000-4000-8000-00000000000a",
                              "name", "Stand-in", "slug", "stand-in");
        s->projects = taken_array(file, "projects");
        s->identities = taken_array(file, "identities");
        s->tokens = taken_array(file, "tokens");
        s->faults = json_array();
        s->limiter = json_object();
        counters_reset(s);
        json_array_foreach(s->projects, i, entry) if (!project_complete(s, entry)) return false;
        json_array_foreach(s->identities, i, entry) if (!identity_complete(s, entry)) return false;
        json_array_foreach(s->tokens, i, entry) if (!token_complete(s, entry)) return false;
        return true;
}

void standin_done(struct standin *s) {
        json_decref(s->settings);
        json_decref(s->organization);
        json_decref(s->projects);
        json_decref(s->identities);
        json_decref(s->tokens);
        json_decref(s->faults);
        json_decref(s->counters);
        json_decref(s->limiter);
}
