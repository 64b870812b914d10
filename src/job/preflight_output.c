#include "job/preflight_output.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "job/marker.h"
#include "job/output.h"
#include "job/workflow.h"

#define SUMMARY_MAX (16 * 1024)
#define CELL_MAX    (2 * (PREFLIGHT_LINE_MAX + 64))

static const char *title(const struct preflight_question *question) {
        return question->needs || question->ref[0] ? "forge-broker preflight"
                                                   : "forge-broker whoami";
}

int preflight_note_source(const struct preflight_question *question,
                          const struct preflight_report *report, struct failure *failure) {
        struct marker marker;
        int r;

        if (question->token.used > 0)
                return 0;
        r = marker_read(report->json, &marker, failure);
        if (r == 0)
                marker_note(&marker, question->name);
        return r;
}

void preflight_identity(const struct preflight_report *report,
                        char line[static PREFLIGHT_LINE_MAX]) {
        size_t used = 0;

        line[0] = '\0';
        if (report->identity.verdict == PREFLIGHT_YES)
                (void)text_append(line, PREFLIGHT_LINE_MAX, &used, "%s",
                                  report->login[0] ? report->login : "valid, undisclosed");
        if (report->kind[0])
                (void)text_append(line, PREFLIGHT_LINE_MAX, &used, "%s%s", used > 0 ? ", " : "",
                                  report->kind);
        if (report->scopes_known)
                (void)text_append(line, PREFLIGHT_LINE_MAX, &used, "%sscopes %s",
                                  used > 0 ? ", " : "",
                                  report->scopes[0] ? report->scopes : "none");
        if (report->expires_at[0])
                (void)text_append(line, PREFLIGHT_LINE_MAX, &used, "%suntil %s",
                                  used > 0 ? ", " : "", report->expires_at);
        if (report->identity.evidence[0] && !report->login[0])
                (void)text_append(line, PREFLIGHT_LINE_MAX, &used, "%s%s", used > 0 ? ": " : "",
                                  report->identity.evidence);
}

static void append_row(char line[static PREFLIGHT_LINE_MAX],
                       const struct preflight_finding *finding, const char *says) {
        size_t used = 0;

        (void)text_append(line, PREFLIGHT_LINE_MAX, &used, "%-11s  %-14s  %s%s%s",
                          preflight_verdict_name(finding->verdict), finding->need, finding->code,
                          finding->code[0] ? ": " : "", says);
}

void preflight_line(const struct preflight_finding *finding, char line[static PREFLIGHT_LINE_MAX]) {
        append_row(line, finding, finding->evidence);
}

static int print_row(const char *line, const struct preflight_finding *finding,
                     struct failure *failure) {
        char remedy[sizeof(finding->remedy) + 32];
        int r;

        r = output_line(line, strlen(line), failure);
        if (r < 0 || !finding->remedy[0])
                return r;
        (void)snprintf(remedy, sizeof(remedy), "             remedy: %s", finding->remedy);
        return output_line(remedy, strlen(remedy), failure);
}

int preflight_print(const struct preflight_report *report, struct failure *failure) {
        char line[PREFLIGHT_LINE_MAX], identity[PREFLIGHT_LINE_MAX];
        int r;

        preflight_identity(report, identity);
        append_row(line, &report->identity, identity);
        r = print_row(line, &report->identity, failure);
        for (size_t i = 0; r == 0 && i < report->count; i++) {
                preflight_line(&report->findings[i], line);
                r = print_row(line, &report->findings[i], failure);
        }
        return r;
}

static void annotate(enum forge_env env, const struct preflight_question *question,
                     const struct preflight_finding *finding) {
        if (finding->verdict == PREFLIGHT_YES)
                return;
        workflow_annotate(
            env, finding->verdict == PREFLIGHT_NO ? ANNOTATION_ERROR : ANNOTATION_WARNING,
            title(question), "%s with token '%s'%s%s: %s: %s%s%s%s%s", finding->need,
            question->name, question->repository[0] ? " in " : "", question->repository,
            preflight_verdict_name(finding->verdict), finding->code, finding->code[0] ? ": " : "",
            finding->evidence, finding->remedy[0] ? " Remedy: " : "", finding->remedy);
}

void preflight_annotate(const struct preflight_question *question,
                        const struct preflight_report *report) {
        enum forge_env env = forge_env_detect();

        if (!workflow_has_commands(env))
                return;
        annotate(env, question, &report->identity);
        for (size_t i = 0; i < report->count; i++)
                annotate(env, question, &report->findings[i]);
        for (size_t i = 0; i < report->warning_count; i++)
                workflow_annotate(env, ANNOTATION_WARNING, title(question), "%s",
                                  report->warnings[i]);
}

void preflight_annotate_failure(const struct preflight_question *question,
                                const struct failure *failure) {
        enum forge_env env = forge_env_detect();

        if (workflow_has_commands(env))
                workflow_annotate(env,
                                  failure->exit_code == EXIT_CANNOT_TELL ? ANNOTATION_WARNING
                                                                         : ANNOTATION_ERROR,
                                  title(question), "token '%s': %s%s%s%s%s", question->name,
                                  failure->code, failure->code[0] ? ": " : "", failure->detail,
                                  failure->remedy[0] ? " Remedy: " : "", failure->remedy);
}

/* Text from outside as text: no markup, no cell of its own, no HTML. */
static const char *escape(char cell[static CELL_MAX], const char *text) {
        size_t used = 0;

        cell[0] = '\0';
        for (; *text; text++)
                if (!text_append(cell, CELL_MAX, &used, "%s%c",
                                 strchr("\\`*_[]<>|~#&!", *text) ? "\\" : "", *text))
                        break;
        return cell;
}

static void append_cells(char *summary, size_t *used, const struct preflight_finding *finding,
                         const char *says) {
        char evidence[PREFLIGHT_LINE_MAX + sizeof(finding->code)], cells[2][CELL_MAX];

        (void)snprintf(evidence, sizeof(evidence), "%s%s%s", finding->code,
                       finding->code[0] ? ": " : "", says);
        (void)text_append(summary, SUMMARY_MAX, used, "| %s | %s | %s | %s |\n", finding->need,
                          preflight_verdict_name(finding->verdict), escape(cells[0], evidence),
                          escape(cells[1], finding->remedy));
}

void preflight_summarize(const struct preflight_question *question,
                         const struct preflight_report *report) {
        char summary[SUMMARY_MAX] = "", cell[CELL_MAX], identity[PREFLIGHT_LINE_MAX];
        struct failure failure;
        size_t used = 0;

        (void)text_append(summary, sizeof(summary), &used, "### %s: %s%s", title(question),
                          question->name, question->repository[0] ? " in " : "");
        (void)text_append(summary, sizeof(summary), &used, "%s",
                          escape(cell, question->repository));
        (void)text_append(summary, sizeof(summary), &used, "%s", question->ref[0] ? ", " : "");
        (void)text_append(summary, sizeof(summary), &used,
                          "%s\n\n| need | verdict | evidence | remedy |\n|---|---|---|---|\n",
                          escape(cell, question->ref));
        preflight_identity(report, identity);
        append_cells(summary, &used, &report->identity, identity);
        for (size_t i = 0; i < report->count; i++)
                append_cells(summary, &used, &report->findings[i], report->findings[i].evidence);
        for (size_t i = 0; i < report->warning_count; i++)
                (void)text_append(summary, sizeof(summary), &used, "\nWarning: %s\n",
                                  escape(cell, report->warnings[i]));
        if (workflow_summary(summary, &failure) < 0)
                output_failure(&failure);
}
