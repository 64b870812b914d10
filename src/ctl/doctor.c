#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "broker/findings.h"
#include "ctl/checkup.h"
#include "ctl/commands.h"
#include "ctl/doctor_tree.h"
#include "ctl/doctor_unit.h"
#include "ctl/journal_keeps.h"
#include "ctl/leftovers.h"
#include "ctl/output.h"
#include "ctl/sudo_rules.h"

/* A check-up of many tokens behind servers that hang; each single step is bounded by its own
 * time. */
#define DAEMON_PATIENCE (300 * USEC_PER_SEC)

/* Who did the checking, as "by" says. */
enum checker { BY_DAEMON, BY_UNIT, BY_PROCESS };

struct visit {
        struct options *options;
        const char *config_file;
        const char *units[LEFTOVER_UNITS_MAX];
        size_t n_units;
        bool as_unit; /* this process is the unit's */

        bool systemd; /* the unit can be used */
        enum checker by;
        struct findings findings;
        const char *journal_unit; /* who wrote the line to be read back */
};

enum { OPTION_CONFIG = 256, OPTION_UNIT, OPTION_AS_UNIT };

static bool parse(struct visit *visit, int argc, char **argv) {
        static const struct option own[] = {
                { "config", required_argument, NULL, OPTION_CONFIG },
                { "unit", required_argument, NULL, OPTION_UNIT },
                { "as-unit", no_argument, NULL, OPTION_AS_UNIT },
                { NULL, 0, NULL, 0 },
        };
        int option;

        while ((option = options_next(visit->options, argc, argv, own)) != OPTIONS_END) {
                if (option == OPTION_CONFIG) {
                        visit->config_file = optarg;
                } else if (option == OPTION_AS_UNIT) {
                        visit->as_unit = true;
                } else if (option == OPTION_UNIT && visit->n_units < LEFTOVER_UNITS_MAX) {
                        visit->units[visit->n_units++] = optarg;
                } else {
                        if (option == OPTION_UNIT)
                                (void)fprintf(stderr,
                                              "forge-brokerctl: more than %d times --unit\n",
                                              LEFTOVER_UNITS_MAX);
                        return false;
                }
        }
        return options_count(visit->options, "doctor", 0, 0);
}

static int no_memory(void) {
        (void)fprintf(stderr, "forge-brokerctl: out of memory\n");
        return EXIT_NO_VALUE;
}

/* The unit's standard input says what is wanted of it; nobody else's says anything. */
static int run_as_unit(const struct visit *visit) {
        struct checkup checkup = { .config_file = visit->config_file, .in_unit = true };
        struct findings findings;
        char word[16] = "";
        ssize_t n = read(STDIN_FILENO, word, sizeof(word) - 1);

        checkup.files_only = n > 0 && strcmp(word, DOCTOR_ASK_FILES) == 0;
        if (!checkup.files_only && (n <= 0 || strcmp(word, DOCTOR_ASK_ALL) != 0)) {
                (void)fprintf(
                    stderr,
                    "forge-brokerctl: this is for %s, which 'forge-brokerctl doctor' starts\n",
                    DOCTOR_UNIT);
                return EXIT_USAGE;
        }
        if (!findings_init(&findings))
                return no_memory();
        checkup_run(&checkup, &findings);
        n = findings.lost ? -1
                          : json_dumpf(findings.steps, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        findings_done(&findings);
        return n < 0 ? EXIT_NO_VALUE : EXIT_DONE;
}

/* Takes over the steps of @from below @parent (NULL: as roots). */
static void adopt(struct findings *findings, json_t *parent, json_t *from) {
        json_t *list = parent ? json_object_get(parent, "steps") : findings->steps;

        if (from && json_array_extend(list, from) < 0)
                findings->lost = true;
}

/* In the unit where there is one, else here. */
static void check_here(struct visit *visit, json_t *parent, bool files_only) {
        const struct checkup checkup = { .config_file = visit->config_file,
                                         .files_only = files_only };
        struct findings found = { 0 };
        struct error err = { 0 };

        if (visit->systemd) {
                if (doctor_unit_run(files_only, &found.steps, &err) < 0)
                        finding_broken(finding_add(&visit->findings, parent, "unit", DOCTOR_UNIT),
                                       &err);
        } else if (findings_init(&found)) {
                checkup_run(&checkup, &found);
        } else {
                found.lost = true;
        }
        adopt(&visit->findings, parent, found.steps);
        visit->findings.lost = visit->findings.lost || found.lost;
        findings_done(&found);
}

/*
 * Asks the daemon until it is done; it answers every request_timeout that it still runs.
 *
 * Return: CONTROL_ANSWERED with @ret, or as control_request().
 */
static int ask_daemon(const struct visit *visit, json_t **ret, struct error *err) {
        usec_t deadline = clock_monotonic() + DAEMON_PATIENCE;
        struct control_answer answer;
        int r;

        do {
                r = control_request(visit->options->socket, "POST", "/v1/doctor", &answer, err);
                if (r != CONTROL_ANSWERED)
                        return r;
                if (answer.status == 200 && json_is_array(json_object_get(answer.body, "steps"))) {
                        *ret = answer.body;
                        return CONTROL_ANSWERED;
                }
                json_decref(answer.body);
        } while (answer.status == 202 && clock_monotonic() < deadline);
        if (answer.status == 202)
                return error_set(err, DIAG_UPSTREAM_TIMEOUT, "the daemon's check-up did not end");
        (void)error_set(err, DIAG_INTERNAL_ERROR, "the daemon answered %ld", answer.status);
        error_remedy_set(err, "An older forge-brokerd may still run: restart it. Else see "
                              "'journalctl -u forge-brokerd'.");
        return -(int)DIAG_INTERNAL_ERROR;
}

/* What the daemon has in force, as it says. */
static void add_in_force(struct visit *visit, const json_t *answer) {
        const char *file = json_member_string(answer, "config"),
                   *loaded = json_member_string(answer, "loaded_at");
        struct error err = { 0 };
        json_t *finding;
        char name[224];

        (void)snprintf(name, sizeof(name), "configuration %.200s", file ? file : "?");
        finding = finding_add(&visit->findings, NULL, "configuration", name);
        if (!json_member_true(answer, "reload_failed")) {
                finding_ok(finding, "in force since %s", loaded ? loaded : "?");
                return;
        }
        (void)error_set(&err, DIAG_NONE, "the last reload was rejected; the one of %s is in force",
                        loaded ? loaded : "?");
        error_remedy_set(&err, "Correct what 'forge-brokerctl reload' says.");
        finding_broken(finding, &err);
}

/* A daemon that runs checks everything itself; what its next start would read is seen only from
 * outside. */
static void visit_daemon(struct visit *visit, json_t *answer) {
        json_t *daemon = finding_add(&visit->findings, NULL, "daemon", "forge-brokerd");
        const char *version = json_member_string(answer, "version");

        finding_ok(daemon, "version %s runs, and checks with its own sessions",
                   version ? version : "?");
        add_in_force(visit, answer);
        adopt(&visit->findings, NULL, json_object_get(answer, "steps"));
        check_here(visit,
                   finding_add(&visit->findings, NULL, "next-start", "what a restart would read"),
                   true);
        visit->by = BY_DAEMON;
        visit->journal_unit = visit->systemd ? DAEMON_UNIT : NULL;
}

static void visit_alone(struct visit *visit, const struct error *err) {
        json_t *daemon = finding_add(&visit->findings, NULL, "daemon", "forge-brokerd");

        if (visit->systemd)
                finding_note(daemon, "does not run; %s checks in its place", DOCTOR_UNIT);
        else
                finding_note(daemon,
                             "cannot be asked: %s; this process checks as uid %u, without the "
                             "unit's credentials and "
                             "sandbox",
                             err->detail, (unsigned)geteuid());
        check_here(visit, NULL, false);
        visit->by = visit->systemd ? BY_UNIT : BY_PROCESS;
        visit->journal_unit = visit->systemd ? DOCTOR_UNIT : NULL;
}

/* It has a process and does not answer: its sessions are its own, so nothing is asked in its
 * place. */
static void visit_silent(struct visit *visit, const struct error *err) {
        finding_broken(finding_add(&visit->findings, NULL, "daemon", "forge-brokerd"), err);
        check_here(visit,
                   finding_add(&visit->findings, NULL, "next-start", "what a restart would read"),
                   true);
        finding_unchecked(finding_add(&visit->findings, NULL, "identities", "identities"),
                          "only the daemon may log in while it runs");
        finding_unchecked(finding_add(&visit->findings, NULL, "tokens", "tokens"),
                          "only the daemon may read while it runs");
        visit->by = BY_PROCESS;
}

static void check_leftovers(struct visit *visit) {
        _cleanup_(config_unrefp) struct config *config = NULL;
        struct leftovers leftovers = { .steps = visit->findings.steps, .n_units = visit->n_units };
        struct config_problems problems = { 0 };
        struct fingerprint_key *key = NULL;
        char path[256];

        memcpy(leftovers.units, visit->units, sizeof(leftovers.units));
        (void)config_load(visit->config_file, &config, &problems);
        config_problems_done(&problems);
        leftovers.config = config;
        /* Only one that is there: made here, it would not be the daemon's. */
        (void)snprintf(path, sizeof(path), "%.200s/fingerprint.key", process_state_directory());
        if (access(path, R_OK) == 0)
                (void)fingerprint_key_load(process_state_directory(), &key, NULL);
        leftovers.key = key;
        leftovers_check(&visit->findings, &leftovers);
        (void)fingerprint_key_free(key);
}

static void examine(struct visit *visit) {
        struct error err = { 0 };
        json_t *answer = NULL;
        bool runs;
        int r = CONTROL_NOT_RUNNING;

        /* Who names a socket or a file means a daemon of their own. */
        visit->systemd = strcmp(visit->options->socket, CONTROL_SOCKET) == 0 &&
                         strcmp(visit->config_file, CONFIG_FILE) == 0 && doctor_unit_usable();
        runs = !visit->systemd || doctor_daemon_runs();
        if (runs)
                r = ask_daemon(visit, &answer, &err);
        if (r == CONTROL_ANSWERED)
                visit_daemon(visit, answer);
        else if (r == CONTROL_NOT_RUNNING && !(runs && visit->systemd))
                visit_alone(visit, &err);
        else
                visit_silent(visit, &err);
        json_decref(answer);
        journal_keeps(&visit->findings, visit->findings.steps, visit->journal_unit);
        check_leftovers(visit);
        sudo_rules_check(&visit->findings);
}

static int print_report(struct visit *visit, const struct findings_count *count) {
        static const char *const names[] = {
                [BY_DAEMON] = "daemon", [BY_UNIT] = "unit", [BY_PROCESS] = "process"
        };
        const char *result = count->broken > 0      ? "broken"
                             : count->unchecked > 0 ? "incomplete"
                                                    : "ok";
        char now[CLOCK_TEXT_MAX];
        json_t *report;

        if (visit->options->json) {
                report = json_pack(
                    "{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:O}", "version", PACKAGE_VERSION,
                    "checked_at", clock_format(clock_realtime(), now), "by", names[visit->by],
                    "result", result, "proven", (int)count->ok, "broken", (int)count->broken,
                    "not_checked", (int)count->unchecked, "steps", visit->findings.steps);
                output_json(report);
                json_decref(report);
        } else {
                doctor_tree_print(visit->findings.steps, stdout);
                (void)printf("\n%u proven, %u broken, %u not checked\n", count->ok, count->broken,
                             count->unchecked);
        }
        return count->broken > 0      ? DOCTOR_BROKEN
               : count->unchecked > 0 ? EXIT_CANNOT_TELL
                                      : EXIT_DONE;
}

int command_doctor(struct options *options, int argc, char **argv) {
        struct visit visit = { .options = options, .config_file = CONFIG_FILE };
        struct findings_count count;
        int status;

        if (!parse(&visit, argc, argv))
                return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (visit.as_unit)
                return run_as_unit(&visit);
        if (!findings_init(&visit.findings))
                return no_memory();
        examine(&visit);
        findings_close(visit.findings.steps, &count);
        status = visit.findings.lost ? no_memory() : print_report(&visit, &count);
        findings_done(&visit.findings);
        return status;
}
