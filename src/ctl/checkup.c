#include "ctl/checkup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/process.h"
#include "broker/doctor.h"
#include "config/problems.h"

/* As the daemon at its stop. */
#define REVOKE_PATIENCE (2 * USEC_PER_SEC)

/* All that a check-up without a daemon needs of one. */
struct stand_in {
        sd_event *event;
        struct fingerprint_key *key;
        struct direct_env *direct_env;
        struct audit *audit;
        struct generation *generation;
        struct doctor *doctor;
        struct findings *findings;
        struct error error;
        size_t revocations;
        bool ended;
};

static void stand_in_done(struct stand_in *stand_in) {
        stand_in->doctor = doctor_cancel(stand_in->doctor);
        (void)generation_free(stand_in->generation);
        (void)audit_free(stand_in->audit);
        (void)direct_env_free(stand_in->direct_env);
        (void)fingerprint_key_free(stand_in->key);
        (void)sd_event_unref(stand_in->event);
}

static void on_done(void *userdata, json_t *steps, const struct error *err) {
        struct stand_in *stand_in = userdata;

        stand_in->doctor = NULL;
        stand_in->ended = true;
        stand_in->error = *err;
        if (steps && json_array_extend(stand_in->findings->steps, steps) < 0)
                stand_in->findings->lost = true;
}

static void on_revoked(void *userdata) {
        struct stand_in *stand_in = userdata;

        stand_in->revocations--;
}

/* A login of this process has nobody who would use it on. */
static void end_sessions(struct stand_in *stand_in) {
        usec_t deadline = clock_monotonic() + REVOKE_PATIENCE, now;

        stand_in->revocations = generation_revoke(stand_in->generation, on_revoked, stand_in);
        while (stand_in->revocations > 0 && (now = clock_monotonic()) < deadline)
                if (sd_event_run(stand_in->event, deadline - now) < 0)
                        return;
}

static int prepare(struct stand_in *stand_in, struct config *config, struct error *err) {
        struct refresh_context context = { .state_directory = process_state_directory() };
        bool journal = config->log == LOG_TARGET_JOURNAL ||
                       (config->log == LOG_TARGET_AUTO && process_has_journal());
        int r;

        if (sd_event_new(&stand_in->event) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make an event loop");
        stand_in->direct_env = direct_env_new();
        if (!stand_in->direct_env)
                return error_oom(err);
        r = direct_env_capture(stand_in->direct_env, config, err);
        if (r >= 0)
                r = fingerprint_key_load(context.state_directory, &stand_in->key, err);
        if (r >= 0)
                r = audit_new(stand_in->event, journal, &stand_in->audit, err);
        if (r < 0)
                return r;
        context.event = stand_in->event;
        context.audit = stand_in->audit;
        context.key = stand_in->key;
        context.direct_env = stand_in->direct_env;
        return generation_new(&context, config, NULL, &stand_in->generation, err);
}

static int examine(struct stand_in *stand_in, struct config *config, bool in_unit,
                   struct error *err) {
        struct doctor_context context = { .environment_known = in_unit };
        int r = prepare(stand_in, config, err);

        if (r < 0)
                return r;
        context.event = stand_in->event;
        context.generation = stand_in->generation;
        context.audit = stand_in->audit;
        r = doctor_start(&context, on_done, stand_in, &stand_in->doctor, err);
        while (r >= 0 && !stand_in->ended)
                r = sd_event_run(stand_in->event, UINT64_MAX);
        if (!stand_in->ended)
                return r < 0 && err->code != DIAG_NONE
                           ? r
                           : error_set(err, DIAG_INTERNAL_ERROR, "the event loop failed");
        end_sessions(stand_in);
        *err = stand_in->error;
        return -(int)err->code;
}

/*
 * Counts of rejected logins and the key of the fingerprints are there.  Whoever else writes there
 * makes files that the daemon's user cannot read, and a lockout that is not remembered locks the
 * identity.
 */
static bool check_state_directory(struct findings *findings) {
        const char *directory = process_state_directory();
        struct error err = { 0 };
        struct stat st;
        char name[192];

        if (stat(directory, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid())
                return true;
        (void)snprintf(name, sizeof(name), "state directory %.150s", directory);
        if (stat(directory, &st) < 0) {
                (void)error_set(&err, DIAG_NONE, "%s", strerror(errno));
                error_remedy_set(
                    &err, "Set STATE_DIRECTORY to the one of the daemon, as where it is started.");
        } else {
                (void)error_set(&err, DIAG_NONE, "it belongs to uid %u, and this is uid %u",
                                (unsigned)st.st_uid, (unsigned)geteuid());
                error_remedy_set(&err, "Run this as that user, or start the daemon and run it "
                                       "again: it is asked then.");
        }
        finding_broken(finding_add(findings, NULL, "state-directory", name), &err);
        return false;
}

static void rest_unchecked(struct findings *findings, const char *why) {
        static const char *const parts[][2] = { { "identities", "identities" },
                                                { "forges", "forges" },
                                                { "tokens", "tokens" },
                                                { "journal", "journal" } };

        for (size_t i = 0; i < ELEMENTS(parts); i++)
                finding_unchecked(finding_add(findings, NULL, parts[i][0], parts[i][1]), "%s", why);
}

static void show_problems(struct findings *findings, json_t *configuration,
                          const struct config_problems *problems) {
        struct error err = { 0 };
        char name[224];

        error_remedy_set(&err, "Correct this line; forge-broker.conf(5) has every setting.");
        for (size_t i = 0; i < problems->count; i++) {
                (void)snprintf(name, sizeof(name), "%.190s:%u", problems->items[i].file,
                               problems->items[i].line);
                (void)snprintf(err.detail, sizeof(err.detail), "%s", problems->items[i].text);
                finding_broken(finding_add(findings, configuration, "problem", name), &err);
        }
}

static void check_files(struct findings *findings, const struct config *config) {
        char name[96];

        for (size_t i = 0; i < config->n_identities; i++) {
                (void)snprintf(name, sizeof(name), "identity %s", config->identities[i]->name);
                (void)doctor_check_files(findings, finding_add(findings, NULL, "identity", name),
                                         config->identities[i]);
        }
}

void checkup_run(const struct checkup *checkup, struct findings *findings) {
        _cleanup_(config_unrefp) struct config *config = NULL;
        struct config_problems problems = { 0 };
        struct stand_in stand_in = { .findings = findings };
        struct error err = { 0 };
        char name[224];
        json_t *configuration;
        int r;

        (void)snprintf(name, sizeof(name), "configuration %.200s", checkup->config_file);
        configuration = finding_add(findings, NULL, "configuration", name);
        r = config_load(checkup->config_file, &config, &problems);
        if (r < 0)
                show_problems(findings, configuration, &problems);
        config_problems_done(&problems);
        if (r < 0) {
                if (!checkup->files_only)
                        rest_unchecked(findings, "the configuration is broken");
                return;
        }
        finding_ok(configuration, "%zu tokens, %zu identities, %zu forges", config->n_tokens,
                   config->n_identities, config->n_forges);
        if (checkup->files_only) {
                check_files(findings, config);
                return;
        }
        if (!check_state_directory(findings)) {
                rest_unchecked(findings, "the state directory cannot be used");
                return;
        }
        if (examine(&stand_in, config, checkup->in_unit, &err) < 0)
                finding_broken(finding_add(findings, NULL, "check-up", "check-up"), &err);
        stand_in_done(&stand_in);
}
