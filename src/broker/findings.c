#include "broker/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define DETAIL_MAX 512

bool findings_init(struct findings *findings) {
        *findings = (struct findings){ .steps = json_array() };
        return findings->steps != NULL;
}

void findings_done(struct findings *findings) {
        json_decref(findings->steps);
        findings->steps = NULL;
}

json_t *finding_add(struct findings *findings, json_t *parent, const char *step, const char *name) {
        json_t *finding =
            json_pack("{s:s, s:s, s:s, s:n, s:n, s:n, s:[]}", "step", step, "name", name, "state",
                      "not-checked", "detail", "code", "remedy", "steps");
        json_t *list = parent ? json_object_get(parent, "steps") : findings->steps;

        if (!finding || json_array_append(list, finding) < 0)
                findings->lost = true;
        /* The list holds it now. */
        json_decref(finding);
        return findings->lost ? NULL : finding;
}

static void set_text(json_t *finding, const char *key, const char *text) {
        char clean[DETAIL_MAX];

        (void)json_object_set_new(
            finding, key, json_string(text_clean(clean, sizeof(clean), text, strlen(text))));
}

static void _printf_(2, 0) set_detail(json_t *finding, const char *format, va_list args) {
        char text[DETAIL_MAX];

        if (!format)
                return;
        (void)vsnprintf(text, sizeof(text), format, args);
        if (text[0])
                set_text(finding, "detail", text);
}

void finding_ok(json_t *finding, const char *format, ...) {
        va_list args;

        if (!finding)
                return;
        va_start(args, format);
        set_detail(finding, format, args);
        va_end(args);
        set_text(finding, "state", "ok");
}

void finding_broken(json_t *finding, const struct error *err) {
        if (!finding)
                return;
        set_text(finding, "detail", err->detail);
        if (err->code != DIAG_NONE)
                set_text(finding, "code", diagnosis_info(err->code)->name);
        if (err->code != DIAG_NONE || err->remedy[0])
                set_text(finding, "remedy", error_remedy(err));
        set_text(finding, "state", "broken");
}

void finding_unchecked(json_t *finding, const char *format, ...) {
        va_list args;

        if (!finding)
                return;
        va_start(args, format);
        set_detail(finding, format, args);
        va_end(args);
}

void finding_note(json_t *finding, const char *format, ...) {
        va_list args;

        if (!finding)
                return;
        va_start(args, format);
        set_detail(finding, format, args);
        va_end(args);
        set_text(finding, "state", "note");
}

void finding_remedy(json_t *finding, const char *remedy) {
        if (finding)
                set_text(finding, "remedy", remedy);
}

bool finding_is(const json_t *finding, const char *state) {
        const char *own = json_member_string(finding, "state");

        return own && strcmp(own, state) == 0;
}

static void count_one(const json_t *finding, struct findings_count *count) {
        if (finding_is(finding, "broken"))
                count->broken++;
        else if (finding_is(finding, "ok"))
                count->ok++;
        else if (!finding_is(finding, "note"))
                count->unchecked++;
}

static const char *worst(const struct findings_count *count) {
        if (count->broken > 0)
                return "broken";
        if (count->unchecked > 0)
                return "not-checked";
        return count->ok > 0 ? "ok" : "note";
}

void findings_close(json_t *steps, struct findings_count *ret) {
        json_t *finding;
        size_t i;

        *ret = (struct findings_count){ 0 };
        json_array_foreach(steps, i, finding) {
                json_t *below = json_object_get(finding, "steps");
                struct findings_count inner = { 0 };

                if (json_array_size(below) == 0) {
                        count_one(finding, ret);
                        continue;
                }
                findings_close(below, &inner);
                set_text(finding, "state", worst(&inner));
                ret->ok += inner.ok;
                ret->broken += inner.broken;
                ret->unchecked += inner.unchecked;
        }
}
