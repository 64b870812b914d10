#include "ctl/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "ctl/doctor_unit.h"
#include "ctl/environment_file.h"
#include "ctl/program.h"

#define SYSTEMCTL_TIMEOUT (20 * USEC_PER_SEC)
#define OUTPUT_MAX        ((size_t)256 * 1024)
#define FILE_MAX_BYTES    ((size_t)64 * 1024)
/* No forge's token is shorter; "yes" and "8080" have equals without being anybody's secret. */
#define VALUE_MIN_BYTES 8
#define NAME_MAX_BYTES  192

/* How runners are called by their packages and their own installers. */
static const char *const runner_patterns[] = {
        "forgejo-runner*.service", "gitea-runner*.service",    "act_runner*.service",
        "act-runner*.service",     "actions.runner.*.service", "gitlab-runner*.service"
};

/* One unit being looked at. */
struct search {
        const struct leftovers *leftovers;
        struct findings *findings;
        json_t *finding;
        const char *unit;
        const char *place; /* "Environment=" or a file's name */
        bool in_unit_file; /* Environment=, which systemctl shows to every user */
        size_t variables, found;
};

static const struct token_config *token_of_variable(const struct config *config, const char *name) {
        for (size_t i = 0; config && i < config->n_tokens; i++)
                if (config->tokens[i]->direct_env &&
                    strcmp(config->tokens[i]->direct_env, name) == 0)
                        return config->tokens[i];
        return NULL;
}

/* The name of the token whose present value in Infisical has this fingerprint, or NULL. */
static const char *token_of_print(const json_t *steps, const char *print) {
        const json_t *token, *source, *step;
        size_t i, k, n;

        json_array_foreach(steps, i, token) {
                const char *name = json_member_string(token, "name");

                json_array_foreach(json_object_get(token, "steps"), k, source) {
                        json_array_foreach(json_object_get(source, "steps"), n, step) {
                                const char *word = json_member_string(step, "step");
                                const char *own = json_member_string(step, "fingerprint");

                                if (word && own && name && strcmp(word, "secret") == 0 &&
                                    strcmp(own, print) == 0)
                                        return name;
                        }
                }
        }
        return NULL;
}

static json_t *add(struct search *search, const char *variable) {
        char name[NAME_MAX_BYTES + ENVIRONMENT_NAME_MAX];

        search->found++;
        (void)snprintf(name, sizeof(name), "%s in %.*s", variable, NAME_MAX_BYTES / 2,
                       search->place);
        return finding_add(search->findings, search->finding, "variable", name);
}

#define ROTATE                                                                                     \
        "Create a new token at the forge, store it in Infisical, revoke the old one at the "       \
        "forge, and take %s out of "                                                               \
        "%.100s: taking it out alone leaves a value valid that could be read there."

/* The daemon's own fallback: meant to be there, for now. */
static void note_fallback(struct search *search, const struct token_config *token,
                          const char *same) {
        json_t *finding = add(search, token->direct_env);
        char day[CLOCK_TEXT_MAX], remedy[ERROR_REMEDY_MAX];

        (void)clock_format(usec_sub(token->direct_env_until, USEC_PER_SEC), day);
        finding_note(
            finding, "the fallback of token %s until %.10s%s%s%s", token->name, day,
            same ? "; it has the very value that Infisical has for " : "", same ? same : "",
            search->in_unit_file ? "; Environment= is shown to every user, use EnvironmentFile="
                                 : "");
        if (!same)
                return;
        (void)snprintf(remedy, sizeof(remedy), "When the fallback ends: " ROTATE, token->direct_env,
                       search->place);
        finding_remedy(finding, remedy);
}

static void report(struct search *search, const char *variable, const struct token_config *token,
                   const char *same) {
        struct error err = { 0 };

        if (same) {
                (void)error_set(
                    &err, DIAG_NONE, "it holds the very value that Infisical has for %s%s", same,
                    search->in_unit_file ? ", and Environment= is shown to every user" : "");
                error_remedy_set(&err, ROTATE, variable, search->place);
        } else {
                (void)error_set(
                    &err, DIAG_NONE,
                    "a direct token, which the configuration names as the fallback of '%s'%s",
                    token->name,
                    search->in_unit_file ? ", and Environment= is shown to every user" : "");
                error_remedy_set(&err,
                                 "Let the jobs use the broker, take %s out of %.100s, and revoke "
                                 "that token at the forge.",
                                 variable, search->place);
        }
        finding_broken(add(search, variable), &err);
}

static void on_variable(void *userdata, const char *name, struct secret *value) {
        struct search *search = userdata;
        const struct token_config *token = token_of_variable(search->leftovers->config, name);
        const char *same = NULL;
        char print[FINGERPRINT_MAX];

        search->variables++;
        if (search->leftovers->key && secret_length(value) >= VALUE_MIN_BYTES) {
                fingerprint(search->leftovers->key, value, print);
                same = token_of_print(search->leftovers->steps, print);
        }
        if (token && strcmp(search->unit, DAEMON_UNIT) == 0)
                note_fallback(search, token, same);
        else if (same || (token && secret_length(value) > 0))
                report(search, name, token, same);
}

static void read_file(struct search *search, const char *path) {
        _cleanup_(secret_unrefp) struct secret *content = secret_new(FILE_MAX_BYTES);
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        char bytes[4096];
        struct stat st;
        ssize_t n;
        bool whole = content != NULL;

        if (fd < 0 && errno == ENOENT)
                return;
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                finding_unchecked(add(search, "any variable"), "the file cannot be read: %s",
                                  fd < 0 ? strerror(errno) : "not a regular file");
                return;
        }
        while (whole && (n = read(fd, bytes, sizeof(bytes))) > 0)
                whole = secret_append(content, bytes, (size_t)n);
        explicit_bzero(bytes, sizeof(bytes));
        if (!whole) {
                finding_unchecked(add(search, "any variable"), "the file is larger than %zu KiB",
                                  FILE_MAX_BYTES / 1024);
                return;
        }
        environment_file_read(content, on_variable, search);
}

/* "PATTERN (ignore_errors=no)" */
static void read_files(struct search *search, const char *line, size_t length) {
        const char *end = memmem(line, length, " (ignore_errors=", strlen(" (ignore_errors="));
        _cleanup_(freep) char *pattern = strndup(line, end ? (size_t)(end - line) : length);
        glob_t paths = { 0 };

        if (pattern && glob(pattern, GLOB_NOSORT, NULL, &paths) == 0) {
                for (size_t i = 0; i < paths.gl_pathc; i++) {
                        char place[NAME_MAX_BYTES];

                        search->place = text_clean(place, sizeof(place), paths.gl_pathv[i],
                                                   strlen(paths.gl_pathv[i]));
                        read_file(search, paths.gl_pathv[i]);
                }
        }
        globfree(&paths);
}

static void read_properties(struct search *search, const struct secret *output) {
        const char *line = secret_bytes(output), *next;

        for (; *line; line = next) {
                size_t length = strcspn(line, "\n");

                next = line + length + (line[length] == '\n');
                search->in_unit_file = text_starts_with(line, "Environment=");
                if (search->in_unit_file) {
                        search->place = "Environment=";
                        environment_words_read(line + strlen("Environment="),
                                               length - strlen("Environment="), on_variable,
                                               search);
                } else if (text_starts_with(line, "EnvironmentFiles=")) {
                        read_files(search, line + strlen("EnvironmentFiles="),
                                   length - strlen("EnvironmentFiles="));
                }
        }
}

static void search_unit(struct findings *findings, json_t *parent,
                        const struct leftovers *leftovers, const char *unit) {
        const char *const argv[] = {
                "systemctl", "show", "--property=Environment", "--property=EnvironmentFiles", "--",
                unit,        NULL
        };
        _cleanup_(secret_unrefp) struct secret *output = secret_new(OUTPUT_MAX);
        struct search search = { .leftovers = leftovers, .findings = findings, .unit = unit };
        struct error err = { 0 };
        int status = 0;

        search.finding = finding_add(findings, parent, "unit", unit);
        if (!output)
                (void)error_oom(&err);
        else
                (void)program_run(argv, NULL, output, SYSTEMCTL_TIMEOUT, &status, &err);
        if (err.code == DIAG_NONE && status != 0)
                (void)error_set(&err, DIAG_INTERNAL_ERROR, "systemctl show ended with status %d",
                                status);
        if (err.code != DIAG_NONE) {
                finding_unchecked(search.finding, "%s", err.detail);
                return;
        }
        read_properties(&search, output);
        if (search.found == 0)
                finding_ok(search.finding, "%zu variables, none of them a token of the broker's",
                           search.variables);
}

/* The first word of each line of `systemctl list-...`. */
static void add_units(const struct secret *output, json_t *units) {
        const char *line = secret_bytes(output);

        while (*line) {
                size_t length = strcspn(line, " \n");
                const char *newline = strchr(line, '\n');
                char unit[256];

                /* A template has no environment; its instances are listed as units. */
                if (length > 0 && length < sizeof(unit) && !memmem(line, length, "@.", 2)) {
                        (void)text_clean(unit, sizeof(unit), line, length);
                        (void)json_object_set_new(units, unit, json_true());
                }
                line = newline ? newline + 1 : line + strlen(line);
        }
}

/* Installed ones, and those that are only loaded. */
static void list_runners(json_t *units) {
        static const char *const verbs[] = { "list-unit-files", "list-units" };
        _cleanup_(secret_unrefp) struct secret *output = secret_new(OUTPUT_MAX);

        for (size_t i = 0; output && i < ELEMENTS(verbs); i++) {
                const char *argv[8 + ELEMENTS(runner_patterns)] = {
                        "systemctl", verbs[i], "--all", "--plain", "--no-legend", "--full", "--"
                };
                int status;

                memcpy(&argv[7], runner_patterns, sizeof(runner_patterns));
                if (program_run(argv, NULL, output, SYSTEMCTL_TIMEOUT, &status, NULL) >= 0)
                        add_units(output, units);
        }
}

void leftovers_check(struct findings *findings, const struct leftovers *leftovers) {
        json_t *parent =
            finding_add(findings, NULL, "leftovers", "direct tokens left in units' environments");
        json_t *units, *ignored;
        const char *unit;

        if (access("/run/systemd/system", F_OK) < 0) {
                finding_note(parent, "there is no systemd here");
                return;
        }
        if (geteuid() != 0) {
                finding_unchecked(parent, "only root may read every EnvironmentFile=");
                return;
        }
        units = json_object();
        (void)json_object_set_new(units, DAEMON_UNIT, json_true());
        list_runners(units);
        for (size_t i = 0; i < leftovers->n_units; i++)
                (void)json_object_set_new(units, leftovers->units[i], json_true());
        json_object_foreach(units, unit, ignored) search_unit(findings, parent, leftovers, unit);
        json_decref(units);
        if (!leftovers->key)
                finding_unchecked(
                    finding_add(findings, parent, "values", "compared with Infisical's"),
                    "there is no key of fingerprints yet: variables were compared by name only");
}
