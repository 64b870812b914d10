/*
 * forge-brokerctl audit: what was issued from which source, as the journal vouches for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/audit_complete.h"
#include "ctl/audit_condition.h"
#include "ctl/audit_journal.h"
#include "ctl/audit_tally.h"
#include "ctl/audit_time.h"
#include "ctl/commands.h"
#include "ctl/output.h"

#define DEFAULT_WINDOW (48 * USEC_PER_HOUR)
#define DAEMON_USER    "forge-broker"
#define LIST_MAX       64

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_MARKDOWN, FORMAT_HTML, FORMAT_COUNT };

static const char *const formats[FORMAT_COUNT] = { "text", "json", "markdown", "html" };

struct audit_options {
        usec_t now, since, until;
        enum format format;
        const char *tokens[LIST_MAX + 1];
        const char *files[LIST_MAX + 1];
        size_t token_count, file_count, condition_count;
        struct audit_condition conditions[AUDIT_CONDITIONS_MAX];
        struct audit_place place;
        bool allow_holes, has_uid;
        uid_t uid;
};

enum {
        OPTION_SINCE = 256,
        OPTION_UNTIL,
        OPTION_TOKEN,
        OPTION_FORMAT,
        OPTION_REQUIRE,
        OPTION_FORBID,
        OPTION_ALLOW_HOLES,
        OPTION_DIRECTORY,
        OPTION_FILE,
        OPTION_MERGE,
        OPTION_UID
};

static const struct option own[] = {
        { "since", required_argument, NULL, OPTION_SINCE },
        { "until", required_argument, NULL, OPTION_UNTIL },
        { "token", required_argument, NULL, OPTION_TOKEN },
        { "format", required_argument, NULL, OPTION_FORMAT },
        { "require", required_argument, NULL, OPTION_REQUIRE },
        { "forbid", required_argument, NULL, OPTION_FORBID },
        { "allow-holes", no_argument, NULL, OPTION_ALLOW_HOLES },
        { "directory", required_argument, NULL, OPTION_DIRECTORY },
        { "file", required_argument, NULL, OPTION_FILE },
        { "merge", no_argument, NULL, OPTION_MERGE },
        { "uid", required_argument, NULL, OPTION_UID },
        { NULL, 0, NULL, 0 },
};

static bool wrong(const char *option, const char *value, const char *wanted) {
        char clean[80];

        (void)fprintf(stderr, "forge-brokerctl: audit: --%s %s: %s\n", option,
                      text_clean(clean, sizeof(clean), value, strlen(value)), wanted);
        return false;
}

static bool take_time(const struct audit_options *audit, const char *option, usec_t *ret) {
        return audit_time_parse(optarg, audit->now, ret) ||
               wrong(option, optarg,
                     "a time is 48h, yesterday, '2026-11-20 10:00', '2026-11-20 10:00 UTC' or "
                     "@SECONDS");
}

static bool take_list(const char *option, const char **list, size_t *count) {
        if (*count == LIST_MAX)
                return wrong(option, optarg, "that is one too many");
        list[(*count)++] = optarg;
        return true;
}

static bool take_format(struct audit_options *audit) {
        for (int format = 0; format < FORMAT_COUNT; format++)
                if (strcmp(optarg, formats[format]) == 0) {
                        audit->format = (enum format)format;
                        return true;
                }
        return wrong("format", optarg, "the formats are text, json, markdown and html");
}

static bool take_condition(struct audit_options *audit, bool forbid) {
        struct error err = { 0 };

        if (audit->condition_count == AUDIT_CONDITIONS_MAX)
                return wrong(forbid ? "forbid" : "require", optarg, "that is one too many");
        if (audit_condition_parse(optarg, forbid, &audit->conditions[audit->condition_count],
                                  &err) < 0) {
                (void)fprintf(stderr, "forge-brokerctl: audit: --%s %s\n",
                              forbid ? "forbid" : "require", err.detail);
                return false;
        }
        audit->condition_count++;
        return true;
}

static bool take_uid(struct audit_options *audit) {
        char *end;
        unsigned long uid;

        errno = 0;
        uid = strtoul(optarg, &end, 10);
        if (errno != 0 || *end || *optarg < '0' || *optarg > '9' || uid >= UINT32_MAX)
                return wrong("uid", optarg, "it is a number");
        audit->has_uid = true;
        audit->uid = (uid_t)uid;
        return true;
}

static bool take_option(struct audit_options *audit, int option) {
        switch (option) {
        case OPTION_SINCE:
                return take_time(audit, "since", &audit->since);
        case OPTION_UNTIL:
                return take_time(audit, "until", &audit->until);
        case OPTION_TOKEN:
                return (text_is_name(optarg) ||
                        wrong("token", optarg, "that is no token's name")) &&
                       take_list("token", audit->tokens, &audit->token_count);
        case OPTION_FORMAT:
                return take_format(audit);
        case OPTION_REQUIRE:
                return take_condition(audit, false);
        case OPTION_FORBID:
                return take_condition(audit, true);
        case OPTION_ALLOW_HOLES:
                audit->allow_holes = true;
                return true;
        case OPTION_DIRECTORY:
                audit->place.directory = optarg;
                return true;
        case OPTION_FILE:
                return take_list("file", audit->files, &audit->file_count);
        case OPTION_MERGE:
                audit->place.merge = true;
                return true;
        case OPTION_UID:
                return take_uid(audit);
        default:
                return false;
        }
}

/* A condition on a token that the report leaves out could only be met by mistake. */
static bool check_conditions(const struct audit_options *audit) {
        for (size_t i = 0; i < audit->condition_count && audit->token_count > 0; i++) {
                const char *token = audit->conditions[i].token;
                bool known = !token[0];

                for (size_t j = 0; j < audit->token_count && !known; j++)
                        known = strcmp(token, audit->tokens[j]) == 0;
                if (!known)
                        return wrong("token", token,
                                     "there is a condition on it, but --token leaves it out");
        }
        return true;
}

static bool check_options(struct audit_options *audit) {
        const struct audit_place *place = &audit->place;

        if (audit->file_count > 0)
                audit->place.files = audit->files;
        if ((place->files != NULL) + (place->directory != NULL) + place->merge > 1) {
                (void)fprintf(stderr, "forge-brokerctl: audit: only one of --directory, --file and "
                                      "--merge can be given\n");
                return false;
        }
        if (audit->since >= audit->until) {
                (void)fprintf(stderr, "forge-brokerctl: audit: the window ends before it begins\n");
                return false;
        }
        return check_conditions(audit);
}

/* On this machine the daemon's uid is known; of another one it is not, and its journald vouches
 * for the unit. */
static int find_trust(const struct audit_options *audit, struct audit_trust *ret,
                      struct error *err) {
        const struct audit_place *place = &audit->place;
        const struct passwd *user;

        *ret = (struct audit_trust){ .check_uid = audit->has_uid, .uid = audit->uid };
        if (audit->has_uid || place->files || place->directory || place->merge)
                return 0;
        /* cppcheck-suppress getpwnamCalled ; there is one thread */
        user = getpwnam(DAEMON_USER);
        if (!user) {
                (void)error_set(err, DIAG_INTERNAL_ERROR,
                                "there is no user '%s' here, so nothing tells its records from "
                                "forged ones",
                                DAEMON_USER);
                error_remedy_set(err, "Run 'systemd-sysusers', or name the uid that the daemon ran "
                                      "as with --uid, or another "
                                      "machine's journal with --directory.");
                return -DIAG_INTERNAL_ERROR;
        }
        ret->check_uid = true;
        ret->uid = user->pw_uid;
        return 0;
}

static void on_entry(void *userdata, enum audit_verdict verdict, const struct audit_entry *entry,
                     const struct audit_fields *fields) {
        audit_tally_add(userdata, verdict, entry, fields);
}

static bool wants(const void *userdata, const char *token) {
        return audit_tally_wants(userdata, token);
}

static int examine(const struct audit_options *audit, struct audit_tally *tally,
                   struct error *err) {
        _cleanup_(audit_journal_closep) struct audit_journal *journal = NULL;
        struct audit_report *report = tally->report;
        struct audit_trust trust;
        int r = find_trust(audit, &trust, err);

        if (r >= 0)
                r = audit_journal_open(&audit->place, &trust, &journal, err);
        if (r >= 0)
                r = audit_journal_read(journal, audit->since, audit->until, on_entry, tally, err);
        if (r < 0)
                return r;
        report->fallback_at = audit_journal_last_use(journal, SOURCE_DIRECT_ENV_FALLBACK,
                                                     audit->until, wants, report);
        audit_complete_find(tally, journal);
        if (tally->out_of_memory)
                return error_oom(err);
        audit_complete_judge(report, audit->conditions, audit->condition_count);
        return 0;
}

static int print(const struct audit_report *report, enum format format) {
        switch (format) {
        case FORMAT_JSON:
                return audit_report_json(report, stdout);
        case FORMAT_MARKDOWN:
                audit_report_markdown(report, stdout);
                return 0;
        case FORMAT_HTML:
                audit_report_html(report, stdout);
                return 0;
        default:
                audit_report_text(report, stdout);
                return 0;
        }
}

static const char *describe(const struct audit_place *place) {
        return place->files       ? "files of journals"
               : place->directory ? "a directory of journals"
               : place->merge     ? "this machine's journal and those collected from others"
                                  : "this machine's journal";
}

static int run(const struct audit_options *audit) {
        struct audit_report *report = calloc(1, sizeof(*report));
        struct audit_tally tally = { 0 };
        struct error err = { 0 };
        int r, status = EXIT_CANNOT_TELL;

        if (!report) {
                (void)error_oom(&err);
                output_error(&err);
                return EXIT_CANNOT_TELL;
        }
        *report = (struct audit_report){
                .since = audit->since,
                .until = audit->until,
                .made_at = audit->now,
                .only = audit->tokens,
                .allow_holes = audit->allow_holes,
                .journal = describe(&audit->place),
                .fleet = audit->place.files || audit->place.directory || audit->place.merge,
        };
        r = audit_tally_init(&tally, report, &err);
        if (r >= 0)
                r = examine(audit, &tally, &err);
        if (r >= 0 && print(report, audit->format) < 0)
                r = error_oom(&err);
        if (r < 0)
                output_error(&err);
        else
                status = report->outcome_count == 0 || report->met ? EXIT_DONE : EXIT_UNMET;
        audit_tally_done(&tally);
        free(report);
        return status;
}

int command_audit(struct options *options, int argc, char **argv) {
        const usec_t now = clock_realtime();
        struct audit_options audit = {
                .now = now, .since = now - DEFAULT_WINDOW, .until = now, .format = FORMAT_COUNT
        };
        int option;

        while ((option = options_next(options, argc, argv, own)) != OPTIONS_END)
                if (!take_option(&audit, option))
                        return EXIT_USAGE;
        if (options->help)
                return COMMAND_HELP;
        if (!options_count(options, "audit", 0, 0))
                return EXIT_USAGE;
        if (audit.format == FORMAT_COUNT)
                audit.format = options->json ? FORMAT_JSON : FORMAT_TEXT;
        else if (options->json && audit.format != FORMAT_JSON) {
                (void)fprintf(
                    stderr,
                    "forge-brokerctl: audit: --json and another --format cannot both be had\n");
                return EXIT_USAGE;
        }
        return check_options(&audit) ? run(&audit) : EXIT_USAGE;
}
