#include "ctl/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "ctl/commands.h"
#include "ctl/control.h"
#include "ctl/output.h"
#include "ctl/program.h"
#include "infisical/session.h"

#define UNIT            "forge-brokerd.service"
#define RESTART_TIMEOUT (90 * USEC_PER_SEC)
#define USABLE_TIMEOUT  (60 * USEC_PER_SEC)
#define ASK_INTERVAL    (2 * USEC_PER_SEC)
#define LOOK_INTERVAL   (200 * USEC_PER_MSEC)
#define PLACES_MAX      2

#define CREDENTIAL_FAILED 1

enum { OPTION_CONFIG = 256, OPTION_UNIVERSAL };

/* Everything of one `credential set`. */
struct change {
        const struct options *options;
        struct config *config;
        const struct identity_config *identity;
        struct new_credential credential;
        struct credential_place places[PLACES_MAX];
        size_t n_places;
        bool restart; /* systemd hands it over at the start of the unit only */
};

static void change_done(struct change *change) {
        (void)config_unref(change->config);
        new_credential_done(&change->credential);
}

static const struct identity_config *find_identity(const struct config *config, const char *name) {
        for (size_t i = 0; i < config->n_identities; i++)
                if (strcmp(config->identities[i]->name, name) == 0)
                        return config->identities[i];
        return NULL;
}

static int missing_key(const struct change *change, const char *keys, struct error *err) {
        (void)error_set(err, DIAG_CREDENTIAL_MISSING, "identity '%s' has no %s",
                        change->identity->name, keys);
        error_remedy_set(
            err, "Set it in the configuration, and reload, before there can be such a credential.");
        return -(int)err->code;
}

static int find_places(struct change *change, struct error *err) {
        const struct identity_config *identity = change->identity;
        int r;

        if (!change->credential.universal) {
                if (!identity->token_file)
                        return missing_key(change, "token_file", err);
                change->n_places = 1;
                return credential_place_find("token_file", identity->token_file, &change->places[0],
                                             err);
        }
        if (!identity->client_id_file || !identity->client_secret_file)
                return missing_key(change, "client_id_file and client_secret_file", err);
        change->n_places = 2;
        r = credential_place_find("client_id_file", identity->client_id_file, &change->places[0],
                                  err);
        if (r >= 0)
                r = credential_place_find("client_secret_file", identity->client_secret_file,
                                          &change->places[1], err);
        return r;
}

static const struct secret *value_of(const struct change *change, size_t place) {
        if (!change->credential.universal)
                return change->credential.token;
        return place == 0 ? change->credential.client_id : change->credential.client_secret;
}

static void undo(struct change *change) {
        for (size_t i = 0; i < change->n_places; i++)
                credential_store_undo(&change->places[i]);
}

static int put(struct change *change, struct error *err) {
        for (size_t i = 0; i < change->n_places; i++) {
                int r = credential_store_put(&change->places[i], value_of(change, i), err);

                if (r < 0) {
                        undo(change);
                        return r;
                }
                (void)printf("%s: written\n", change->places[i].file);
                if (change->places[i].name[0] != '/')
                        change->restart = true;
        }
        return 0;
}

static int restart(struct error *err) {
        static const char *const argv[] = { "systemctl", "restart", UNIT, NULL };
        _cleanup_(secret_unrefp) struct secret *noise = secret_new(PROGRAM_INPUT_MAX);
        struct stat st;
        int status = 0, r;

        if (stat("/run/systemd/system", &st) < 0) {
                (void)error_set(err, DIAG_INTERNAL_ERROR,
                                "systemd does not run here: nobody hands the new credential over");
                error_remedy_set(
                    err, "Name credential files by absolute paths where there is no systemd.");
                return -(int)err->code;
        }
        if (!noise)
                return error_oom(err);
        r = program_run(argv, NULL, noise, RESTART_TIMEOUT, &status, err);
        if (r >= 0 && status != 0)
                r = error_set(err, DIAG_INTERNAL_ERROR, "systemctl restart " UNIT " ended with %d",
                              status);
        return r;
}

static json_t *status_of_daemon(const struct change *change) {
        struct control_answer answer = { 0 };
        struct error unused;

        if (control_request(change->options->socket, "GET", "/v1/status", &answer, &unused) !=
                CONTROL_ANSWERED ||
            answer.status != 200) {
                json_decref(answer.body);
                return NULL;
        }
        return answer.body;
}

static const json_t *find_named(const json_t *list, const char *name) {
        const json_t *item;
        size_t i;

        json_array_foreach(list, i, item) if (json_member_string(item, "name") &&
                                              strcmp(json_member_string(item, "name"), name) ==
                                                  0) return item;
        return NULL;
}

/* Everything that the identity reads comes from the source that the new credential is for,
 * confirmed since it is there. */
static bool is_served(const struct change *change, const json_t *status, const char *since) {
        const char *wanted =
            source_name(change->credential.universal ? SOURCE_INFISICAL_UNIVERSAL_AUTH
                                                     : SOURCE_INFISICAL_TOKEN_AUTH);
        const json_t *tokens = json_object_get(status, "tokens");

        for (size_t i = 0; i < change->config->n_tokens; i++) {
                const struct token_config *token = change->config->tokens[i];
                const json_t *view;
                const char *state, *source, *confirmed;

                if (token->identity != change->identity)
                        continue;
                view = find_named(tokens, token->name);
                state = json_member_string(view, "state");
                source = json_member_string(view, "source");
                confirmed = json_member_string(view, "confirmed_at");
                if (!state || strcmp(state, "fresh") != 0 || !confirmed ||
                    strcmp(confirmed, since) < 0)
                        return false;
                /* With a good access token in place nothing asks for the pair, which the proof has
                 * shown to work. */
                if (!change->credential.universal && (!source || strcmp(source, wanted) != 0))
                        return false;
        }
        return true;
}

/* The daemon has seen a file that changed by itself; what it read before says nothing of the new
 * credential. */
static void ask_for_refresh(const struct change *change) {
        for (size_t i = 0; i < change->config->n_tokens; i++) {
                struct control_answer answer = { 0 };
                struct error unused;
                char path[128];

                if (change->config->tokens[i]->identity != change->identity)
                        continue;
                (void)snprintf(path, sizeof(path), "/v1/tokens/%s/refresh",
                               change->config->tokens[i]->name);
                (void)control_request(change->options->socket, "POST", path, &answer, &unused);
                json_decref(answer.body);
        }
}

static int wait_until_served(const struct change *change, const char *since, struct error *err) {
        const struct timespec pause = { 0, (long)(LOOK_INTERVAL * 1000) };
        usec_t deadline = clock_monotonic() + USABLE_TIMEOUT, next_ask = 0;

        while (clock_monotonic() < deadline) {
                json_t *status = status_of_daemon(change);
                bool served = status && is_served(change, status, since);

                json_decref(status);
                if (served)
                        return 0;
                /* Again, for the daemon turns down what comes too soon after another read that was
                 * asked for. */
                if (!change->restart && clock_monotonic() >= next_ask) {
                        ask_for_refresh(change);
                        next_ask = clock_monotonic() + ASK_INTERVAL;
                }
                (void)nanosleep(&pause, NULL);
        }
        return error_set(err, DIAG_NO_USABLE_VALUE,
                         "the tokens of identity '%s' are not served from the new credential "
                         "after a minute",
                         change->identity->name);
}

/* "identity 'ci-broker', ends in 20d 4h": what the daemon knows of the credential that it uses. */
static void describe(const struct change *change, const char *when) {
        json_t *status = status_of_daemon(change);
        const json_t *identity =
            find_named(json_object_get(status, "identities"), change->identity->name);
        const char *name = json_member_string(identity, "token_identity");
        const char *expires = json_member_string(identity, "token_expires_at");
        char clean[TOKEN_NAME_MAX * 2] = "";

        if (!status)
                (void)printf("%s: the daemon does not run\n", when);
        else if (!json_member_true(identity, "has_token"))
                (void)printf("%s: no access token\n", when);
        else if (name)
                (void)printf("%s: access token of identity '%s', %s%s\n", when,
                             text_clean(clean, sizeof(clean), name, strlen(name)),
                             expires ? "ends at " : "without a known end", expires ? expires : "");
        else
                (void)printf(
                    "%s: an access token, which does not say whose it is and when it ends\n", when);
        json_decref(status);
}

static int take_back(struct change *change, const struct error *err) {
        struct error again;

        output_error(err);
        undo(change);
        if (change->restart && restart(&again) < 0)
                output_error(&again);
        (void)fprintf(stderr, "forge-brokerctl: the old credential is in place again\n");
        return CREDENTIAL_FAILED;
}

static int replace(struct change *change, struct error *err) {
        char since[CLOCK_TEXT_MAX];
        int r;

        describe(change, "before");
        r = put(change, err);
        if (r < 0) {
                output_error(err);
                return CREDENTIAL_FAILED;
        }
        (void)clock_format(clock_realtime(), since);
        if (change->restart)
                r = restart(err);
        for (size_t i = 0; r >= 0 && i < change->n_places; i++)
                r = credential_store_check(&change->places[i], value_of(change, i), err);
        if (r >= 0)
                r = wait_until_served(change, since, err);
        if (r < 0)
                return take_back(change, err);
        for (size_t i = 0; i < change->n_places; i++)
                credential_store_keep(&change->places[i]);
        describe(change, "now");
        (void)puts("every token of the identity is served from it; revoke the old credential in "
                   "Infisical");
        return EXIT_DONE;
}

static int set(struct change *change, const char *name, const char *file) {
        struct config_problems problems = { 0 };
        struct error err = { 0 };
        int r;

        if (config_load(file, &change->config, &problems) < 0) {
                output_problems(&problems);
                config_problems_done(&problems);
                return CREDENTIAL_FAILED;
        }
        change->identity = find_identity(change->config, name);
        if (!change->identity) {
                (void)fprintf(stderr, "forge-brokerctl: there is no [identity %s] in %s\n", name,
                              file);
                return EXIT_USAGE;
        }
        r = find_places(change, &err);
        if (r >= 0)
                r = credential_input(&change->credential, &err);
        if (r >= 0)
                r = credential_proof(&change->credential, change->config, change->identity, &err);
        if (r >= 0)
                return replace(change, &err);
        (void)fflush(stdout);
        output_error(&err);
        (void)fprintf(stderr, "forge-brokerctl: nothing was changed\n");
        return CREDENTIAL_FAILED;
}

static int parse(struct options *options, int argc, char **argv, const char **file,
                 bool *universal) {
        static const struct option own[] = {
                { "config", required_argument, NULL, OPTION_CONFIG },
                { "universal-auth", no_argument, NULL, OPTION_UNIVERSAL },
                { NULL, 0, NULL, 0 },
        };
        int option;

        while ((option = options_next(options, argc, argv, own)) != OPTIONS_END) {
                if (option == OPTIONS_WRONG)
                        return EXIT_USAGE;
                if (option == OPTION_CONFIG)
                        *file = optarg;
                else
                        *universal = true;
        }
        if (options->help)
                return COMMAND_HELP;
        if (!options_count(options, argv[0], 1, 2))
                return EXIT_USAGE;
        if (strcmp(options->words[0], "set") != 0) {
                (void)fprintf(
                    stderr,
                    "forge-brokerctl: there is 'credential set', and no 'credential %.40s'\n",
                    options->words[0]);
                return EXIT_USAGE;
        }
        return EXIT_DONE;
}

int command_credential(struct options *options, int argc, char **argv) {
        struct change change = { .options = options };
        const char *file = CONFIG_FILE;
        int status = parse(options, argc, argv, &file, &change.credential.universal);

        if (status != EXIT_DONE)
                return status;
        if (geteuid() != 0) {
                (void)fprintf(stderr, "forge-brokerctl: only root may replace a credential\n");
                return CREDENTIAL_FAILED;
        }
        status = set(&change, options->count > 1 ? options->words[1] : "default", file);
        change_done(&change);
        return status;
}
