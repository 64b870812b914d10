#include "job/git_explain.h"

#include <stdbool.h>
#include <string.h>

#include "job/git_pushed.h"
#include "job/output.h"
#include "job/preflight_output.h"
#include "job/url.h"

/* for all that is asked: the job waits for its failure */
#define PATIENCE      (5 * USEC_PER_SEC)
#define EXPLAINED_MAX 3 /* places; a push to more is seldom refused in more than one way */

static bool is_one_of(const char *subcommand, const char *const *list, size_t count) {
        for (size_t i = 0; i < count; i++)
                if (strcmp(list[i], subcommand) == 0)
                        return true;
        return false;
}

static bool speaks_to_remotes(const char *subcommand) {
        static const char *const names[] = { "push",      "fetch",     "pull",   "clone",
                                             "ls-remote", "submodule", "remote", "archive" };

        return subcommand && is_one_of(subcommand, names, ELEMENTS(names));
}

static void note_finding(const struct preflight_finding *finding) {
        char line[PREFLIGHT_LINE_MAX];

        preflight_line(finding, line);
        output_note("  %s", line);
        if (finding->remedy[0])
                output_note("  remedy: %s", finding->remedy);
}

static void note_report(const struct preflight_report *report) {
        if (report->identity.verdict != PREFLIGHT_YES)
                note_finding(&report->identity);
        for (size_t i = 0; i < report->count; i++)
                note_finding(&report->findings[i]);
}

/* False where the forge's URL, the place or the words leave nothing to ask. */
static bool build(const struct git *git, char *const words[], const struct token_list *tokens,
                  const struct git_answer *answer, struct preflight_question *ret) {
        char repository[URL_MAX], ref[PREFLIGHT_PLACE_MAX];
        struct failure unused;
        struct token_item item;
        struct json position;

        ret->name = answer->name;
        ret->needs = 1u << PREFLIGHT_CONTENTS_READ;
        if (token_list_find(tokens, answer->name, &position, &item, &unused) < 0 ||
            !url_repository(item.forge_url, answer->url, repository) ||
            preflight_repository_set(ret, repository, &unused) < 0)
                return false;
        if (strcmp(words[0], "push") != 0)
                return true;
        ret->needs |= 1u << PREFLIGHT_CONTENTS_WRITE;
        if (git_pushed_ref(git, words, ref, sizeof(ref)))
                (void)preflight_ref_set(ret, ref, &unused);
        return true;
}

static void explain_answer(const struct client *client, const struct git *git, char *const words[],
                           const struct token_list *tokens, const struct git_answer *answer) {
        _cleanup_(preflight_question_done) struct preflight_question question = { 0 };
        _cleanup_(preflight_report_done) struct preflight_report report = { 0 };
        struct failure failure;
        int r = 1;

        if (build(git, words, tokens, answer, &question))
                r = preflight_ask(client, &question, &report, &failure);
        output_note("git %s failed; at %s it authenticated with the broker's token '%s'%s%s, and "
                    "with nothing else",
                    words[0], answer->url, answer->name, report.login[0] ? ", which is " : "",
                    report.login);
        if (r == 0) {
                note_report(&report);
        } else if (r < 0) {
                output_note("  what the token may do there cannot be told:");
                output_failure(&failure);
        }
}

void git_explain(const struct arguments *arguments, const struct git *git, char *const words[],
                 const struct remote_urls *urls, const struct token_list *tokens,
                 const struct git_report *report) {
        struct client client;

        if (!speaks_to_remotes(words[0]))
                return;
        if (report->count == 0 && urls->count > 0)
                output_note("git %s failed; it asked for no credential: it ended before that, or "
                            "the server refused or was not reached",
                            words[0]);
        else if (report->count == 0)
                output_note(
                    "git %s failed; no remote here is http or https, so that no token was used",
                    words[0]);
        client_init(&client, arguments->socket,
                    arguments->timeout < PATIENCE ? arguments->timeout : PATIENCE);
        for (size_t i = 0; i < report->count && i < EXPLAINED_MAX; i++)
                explain_answer(&client, git, words, tokens, &report->answers[i]);
}
