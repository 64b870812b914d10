#include "job/commands.h"

#include <string.h>

#include "job/claims.h"
#include "job/output.h"
#include "job/preflight_output.h"

/* The words of the command line that become the question. */
struct wanted {
        const char *repository, *ref, *image, *variable;
        struct option_list needs;
        bool write_probe, json;
};

static int usage(struct failure *failure, const char *remedy, int r) {
        failure_remedy_set(failure, "%s", remedy);
        return r;
}

/* Without --repo it is the job's own repository; and where something is to be pushed there, its
 * own ref without --ref. */
static int take_defaults(const struct wanted *wanted, struct preflight_question *question,
                         struct failure *failure) {
        const char *own = claims_repository(),
                   *repository = wanted->repository ? wanted->repository : own;
        char ref[CLAIM_BYTES];
        int r;

        if (!repository && !wanted->ref && question->needs == 1u << PREFLIGHT_PACKAGES_WRITE)
                return 0;
        if (!repository)
                return usage(failure,
                             "Give it with --repo OWNER/NAME: this environment names no repository "
                             "of the job's own.",
                             failure_set(failure, EXIT_USAGE, "which repository?"));
        r = preflight_repository_set(question, repository, failure);
        if (r < 0)
                return r;
        if (wanted->ref)
                return preflight_ref_set(question, wanted->ref, failure);
        if (!own || strcmp(own, repository) != 0 ||
            !(question->needs & 1u << PREFLIGHT_CONTENTS_WRITE) || !claims_ref(ref))
                return 0;
        return preflight_ref_set(question, ref, failure);
}

static int build(const struct wanted *wanted, struct preflight_question *question,
                 struct failure *failure) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < wanted->needs.count; i++)
                r = preflight_needs_add(question, wanted->needs.texts[i], failure);
        if (r < 0)
                return r;
        if (question->needs == 0 && !wanted->ref)
                return usage(failure,
                             "Say it with --need, such as --need contents:write; 'forge-broker "
                             "whoami' needs nothing.",
                             failure_set(failure, EXIT_USAGE, "what is it to be able to do?"));
        r = take_defaults(wanted, question, failure);
        if (r == 0 && wanted->image)
                r = preflight_image_set(question, wanted->image, failure);
        if (r < 0)
                return r;
        if (!question->image[0] && question->needs & 1u << PREFLIGHT_PACKAGES_WRITE)
                return usage(failure,
                             "Give it with --image OWNER/NAME, as it is named in the registry.",
                             failure_set(failure, EXIT_USAGE, "packages:write to which image?"));
        if (wanted->write_probe && !(question->needs & 1u << PREFLIGHT_RELEASE_WRITE))
                return usage(
                    failure, "Leave it out, or add --need release:write.",
                    failure_set(
                        failure, EXIT_USAGE,
                        "--write-probe is for release:write, which is not among the needs"));
        question->write_probe = wanted->write_probe;
        return wanted->variable ? preflight_token_read(question, wanted->variable, failure) : 0;
}

static int conclude(const struct preflight_report *report, struct failure *failure) {
        size_t refused = preflight_count(report, PREFLIGHT_NO),
               untold = preflight_count(report, PREFLIGHT_CANNOT_TELL);

        if (refused > 0)
                return failure_set(failure, EXIT_UNMET, "needs that are refused: %zu of %zu",
                                   refused, report->count);
        if (report->identity.verdict == PREFLIGHT_NO)
                return failure_set(failure, EXIT_UNMET, "the forge does not take this token");
        if (untold > 0)
                return failure_set(failure, EXIT_CANNOT_TELL,
                                   "needs that cannot be told: %zu of %zu", untold, report->count);
        return 0;
}

static int report_all(const struct arguments *arguments, const struct preflight_question *question,
                      bool json, const struct preflight_report *report, struct failure *failure) {
        int r = 0;

        if (!arguments->quiet)
                r = preflight_note_source(question, report, failure);
        if (r == 0)
                r = json ? output_line(report->json.text, report->json.length, failure)
                         : preflight_print(report, failure);
        if (r < 0)
                return r;
        for (size_t i = 0; i < report->warning_count; i++)
                output_note("warning: %s", report->warnings[i]);
        preflight_annotate(question, report);
        preflight_summarize(question, report);
        return conclude(report, failure);
}

static int run(const struct arguments *arguments, const struct wanted *wanted,
               struct failure *failure) {
        _cleanup_(preflight_question_done) struct preflight_question question = { 0 };
        _cleanup_(preflight_report_done) struct preflight_report report = { 0 };
        struct client client;
        int r;

        r = arguments_name(arguments, "preflight", &question.name, failure);
        if (r == 0)
                r = build(wanted, &question, failure);
        if (r < 0)
                return r;
        client_init(&client, arguments->socket, arguments->timeout);
        r = preflight_ask(&client, &question, &report, failure);
        if (r < 0)
                preflight_annotate_failure(&question, failure);
        return r < 0 ? r : report_all(arguments, &question, wanted->json, &report, failure);
}

int command_preflight(struct arguments *arguments, char **argv, struct failure *failure) {
        struct wanted wanted = { 0 };
        const struct option options[] = {
                { .name = "--repo", .text = &wanted.repository },
                { .name = "--ref", .text = &wanted.ref },
                { .name = "--need", .list = &wanted.needs },
                { .name = "--image", .text = &wanted.image },
                { .name = "--write-probe", .flag = &wanted.write_probe },
                { .name = "--token-env", .text = &wanted.variable },
                { .name = "--json", .flag = &wanted.json },
                { 0 },
        };
        int r;

        r = arguments_parse(arguments, "preflight", argv, options, /* only_leading= */ false,
                            failure);
        if (r < 0)
                return r;
        return arguments->help ? COMMAND_HELP : run(arguments, &wanted, failure);
}
