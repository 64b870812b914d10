/*
 * The broker's answer to a preflight, which has the forge's words in it: the first byte says what
 * was asked.  Whatever the answer is, each need that was asked for has one finding, only "yes" is
 * one, and what is printed is clean and begins with words of the program's own.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "job/preflight_output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *text) {
        for (; *text; text++)
                assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_finding(const struct preflight_finding *finding) {
        char line[PREFLIGHT_LINE_MAX];

        check_clean(finding->evidence);
        check_clean(finding->code);
        check_clean(finding->remedy);
        preflight_line(finding, line);
        check_clean(line);
        assert(strncmp(line, "yes ", 4) == 0 || strncmp(line, "no ", 3) == 0 ||
               strncmp(line, "cannot tell ", 12) == 0);
        assert((finding->verdict == PREFLIGHT_YES) == (line[0] == 'y'));
}

static void check_report(const struct preflight_question *question,
                         const struct preflight_report *report) {
        bool has_ref = question->ref[0] && !(question->needs & 1u << PREFLIGHT_CONTENTS_WRITE);
        char identity[PREFLIGHT_LINE_MAX];

        assert(report->count == (size_t)__builtin_popcount(question->needs) + (has_ref ? 1 : 0));
        assert(preflight_count(report, PREFLIGHT_YES) + preflight_count(report, PREFLIGHT_NO) +
                   preflight_count(report, PREFLIGHT_CANNOT_TELL) ==
               report->count);
        for (size_t i = 0; i < report->count; i++)
                check_finding(&report->findings[i]);
        check_finding(&report->identity);
        preflight_identity(report, identity);
        check_clean(identity);
        assert(report->warning_count <= PREFLIGHT_WARNINGS_MAX);
        for (size_t i = 0; i < report->warning_count; i++)
                check_clean(report->warnings[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct preflight_question question = { .name = "deploy", .repository = "o/r" };
        struct preflight_report report = { 0 };
        struct failure failure;
        char *text;

        if (size == 0)
                return 0;
        question.needs = data[0] & ((1u << PREFLIGHT_NEED_COUNT) - 1);
        if (data[0] & 0x40)
                memcpy(question.ref, "refs/heads/main", sizeof("refs/heads/main"));
        /* A copy without a byte behind it, so that reading past the end is noticed. */
        text = malloc(size > 1 ? size - 1 : 1);
        assert(text);
        memcpy(text, data + 1, size - 1);
        if (json_parse(text, size - 1, &report.json, &failure) == 0 &&
            preflight_report_read(&question, &report, &failure) == 0)
                check_report(&question, &report);
        free(text);
        return 0;
}
