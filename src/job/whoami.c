#include "job/commands.h"

#include <stdio.h>
#include <string.h>

#include "job/output.h"
#include "job/preflight_output.h"

static int print_line(const char *what, const char *says, struct failure *failure) {
        char line[PREFLIGHT_LINE_MAX + 16];

        (void)snprintf(line, sizeof(line), "%-8s %s", what, says);
        return output_line(line, strlen(line), failure);
}

/* A token that may not read its own user is a good one all the same. */
static int print(const struct preflight_report *report, struct failure *failure) {
        char user[PREFLIGHT_LINE_MAX], url[160], type[16], forge[200];
        int r;

        (void)json_text(report->json, "forge_url", url, sizeof(url));
        (void)json_text(report->json, "forge_type", type, sizeof(type));
        if (report->login[0])
                (void)snprintf(user, sizeof(user), "%s", report->login);
        else
                (void)snprintf(user, sizeof(user), "valid, undisclosed: %s",
                               report->identity.evidence);
        (void)snprintf(forge, sizeof(forge), "%s (%s)", url, type);
        r = print_line("user", user, failure);
        if (r == 0)
                r = print_line("forge", forge, failure);
        if (r == 0)
                r = print_line("kind", report->kind[0] ? report->kind : "not known", failure);
        if (r == 0)
                r = print_line("scopes",
                               !report->scopes_known ? "not readable"
                               : report->scopes[0]   ? report->scopes
                                                     : "none",
                               failure);
        if (r == 0)
                r = print_line("expires", report->expires_at[0] ? report->expires_at : "not known",
                               failure);
        return r;
}

static int conclude(const struct preflight_finding *identity, struct failure *failure) {
        int r;

        if (identity->verdict == PREFLIGHT_YES)
                return 0;
        r = failure_set(failure, identity->verdict == PREFLIGHT_NO ? EXIT_UNMET : EXIT_CANNOT_TELL,
                        "%s", identity->evidence);
        memcpy(failure->code, identity->code, sizeof(failure->code));
        failure_remedy_set(failure, "%s", identity->remedy);
        return r;
}

static int run(const struct arguments *arguments, const char *variable, bool json,
               struct failure *failure) {
        _cleanup_(preflight_question_done) struct preflight_question question = { 0 };
        _cleanup_(preflight_report_done) struct preflight_report report = { 0 };
        struct client client;
        int r;

        r = arguments_name(arguments, "whoami", &question.name, failure);
        if (r == 0 && variable)
                r = preflight_token_read(&question, variable, failure);
        if (r < 0)
                return r;
        client_init(&client, arguments->socket, arguments->timeout);
        r = preflight_ask(&client, &question, &report, failure);
        if (r < 0)
                preflight_annotate_failure(&question, failure);
        if (r == 0 && !arguments->quiet)
                r = preflight_note_source(&question, &report, failure);
        if (r == 0 && json)
                r = output_line(report.json.text, report.json.length, failure);
        else if (r == 0 && report.identity.verdict == PREFLIGHT_YES)
                r = print(&report, failure);
        if (r < 0)
                return r;
        preflight_annotate(&question, &report);
        return conclude(&report.identity, failure);
}

int command_whoami(struct arguments *arguments, char **argv, struct failure *failure) {
        const char *variable = NULL;
        bool json = false;
        const struct option options[] = {
                { .name = "--token-env", .text = &variable },
                { .name = "--json", .flag = &json },
                { 0 },
        };
        int r;

        r = arguments_parse(arguments, "whoami", argv, options, /* only_leading= */ false, failure);
        if (r < 0)
                return r;
        return arguments->help ? COMMAND_HELP : run(arguments, variable, json, failure);
}
