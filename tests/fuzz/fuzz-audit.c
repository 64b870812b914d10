/*
 * What an audit takes from outside: the first byte of the input chooses the parser, the rest is for
 * it.
 *   C a condition behind --require   F behind --forbid   T a time
 *   E entries of a journal: "NAME=value" lines, an empty line behind each entry; into a whole report, in all its forms
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/audit_complete.h"
#include "ctl/audit_tally.h"
#include "ctl/audit_time.h"

#define NOW (UINT64_C(1800000000) * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_condition(const char *text, bool forbid) {
        struct audit_condition condition, again;
        char written[AUDIT_CONDITION_TEXT_MAX];
        struct error err = { 0 };

        if (audit_condition_parse(text, forbid, &condition, &err) < 0) {
                assert(err.detail[0]);
                return;
        }
        audit_condition_format(&condition, written);
        assert(audit_condition_parse(strchr(written, ' ') + 1, forbid, &again, &err) == 0);
        assert(strcmp(again.token, condition.token) == 0 && again.source == condition.source &&
               again.measure == condition.measure && again.least == condition.least);
}

static void try_time(const char *text) {
        usec_t at = 1;

        if (!audit_time_parse(text, NOW, &at))
                assert(at == 1);
}

static void print_all(const struct audit_report *report) {
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);

        assert(out);
        audit_report_text(report, out);
        audit_report_markdown(report, out);
        audit_report_html(report, out);
        assert(audit_report_json(report, out) == 0);
        (void)fclose(out);
        for (size_t i = 0; i < length; i++)
                assert((unsigned char)text[i] >= ' ' || text[i] == '\n');
        free(text);
}

static void try_entries(const char *text, size_t size) {
        static const struct audit_trust trust = { .check_uid = true, .uid = 997 };
        struct audit_report *report = calloc(1, sizeof(*report));
        const struct audit_condition condition = { .forbid = true,
                                                   .source = SOURCE_DIRECT_ENV_FALLBACK };
        struct audit_tally tally;
        struct audit_fields fields;
        struct audit_entry entry;
        struct error err;

        assert(report);
        report->since = NOW - 48 * USEC_PER_HOUR;
        report->until = report->made_at = NOW;
        report->journal = "the fuzzer";
        report->fleet = true;
        assert(audit_tally_init(&tally, report, &err) == 0);
        audit_fields_clear(&fields);
        for (const char *line = text, *end = text + size; line < end;) {
                const char *newline = memchr(line, '\n', (size_t)(end - line));
                size_t length = newline ? (size_t)(newline - line) : (size_t)(end - line);

                if (length > 0)
                        audit_fields_add(&fields, line, length);
                if (length == 0 || line + length + 1 >= end) {
                        enum audit_verdict verdict = audit_entry_judge(&fields, &trust, &entry);

                        assert((verdict == ENTRY_BROKEN) == (entry.fault != NULL));
                        entry.at = NOW - USEC_PER_HOUR;
                        audit_tally_add(&tally, verdict, &entry, &fields);
                        audit_fields_clear(&fields);
                }
                line += length + 1;
        }
        audit_complete_judge(report, &condition, 1);
        print_all(report);
        audit_tally_done(&tally);
        free(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char text[200];

        if (size < 1 || size > 32768)
                return 0;
        if (data[0] == 'E') {
                try_entries((const char *)data + 1, size - 1);
                return 0;
        }
        if (size > sizeof(text))
                return 0;
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        if (data[0] == 'C' || data[0] == 'F')
                try_condition(text, data[0] == 'F');
        else if (data[0] == 'T')
                try_time(text);
        return 0;
}
