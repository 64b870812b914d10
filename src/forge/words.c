/*
 * Everything that an inquiry fills its own values into: addresses and bodies of requests, and the
 * sentences of its report.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "forge/fill.h"
#include "forge/inquiry.h"

#define URL_MAX_BYTES  2048
#define BODY_MAX_BYTES 1024

/* One template being filled: its inquiry, the reply that it speaks of, and room for a value that
 * is made on the way. */
struct filling {
        const struct forge_inquiry *inquiry;
        const struct forge_reply *reply;
        char made[FORGE_MADE_MAX];
};

/* What a refusal names in brackets: "... required scope(s): [write:repository]". */
static const char *in_brackets(struct filling *filling) {
        const char *begin = filling->reply ? strchr(filling->reply->text, '[') : NULL;
        const char *end = begin ? strchr(begin, ']') : NULL;

        if (!end)
                return "the scope";
        (void)snprintf(filling->made, sizeof(filling->made), "%.*s", (int)(end - begin - 1),
                       begin + 1);
        return filling->made;
}

static const char *owner_of(struct filling *filling, const char *place) {
        (void)snprintf(filling->made, sizeof(filling->made), "%.*s", (int)strcspn(place, "/"),
                       place);
        return filling->made;
}

/* What the forge knows it by; @made: room for it.  NULL: nothing that may be shown. */
static const char *evidence_value(const struct forge_inquiry *inquiry, const char *name,
                                  char made[static FORGE_MADE_MAX]) {
        const char *value = inquiry->evidence->value(inquiry, name, made);

        return value && inquiry_repeats_token(inquiry, value) ? NULL : value;
}

/* "the token of deploy-bot", or "the token" where nobody knows whose it is. */
static const char *of_whom(struct filling *filling, const char *what) {
        char made[FORGE_MADE_MAX];
        const char *who = evidence_value(filling->inquiry, "who", made);

        (void)snprintf(filling->made, sizeof(filling->made), "%s%s%.200s", what, who ? " of " : "",
                       who ? who : "");
        return filling->made;
}

static const char *or_null(const char *text) {
        return text && text[0] ? text : NULL;
}

static const char *find_value(void *userdata, const char *name) {
        struct filling *filling = userdata;
        const struct forge_inquiry *inquiry = filling->inquiry;
        const struct forge_question *question = &inquiry->question;
        const struct {
                const char *name, *value;
        } values[] = {
                { "forge", question->forge->name },
                { "url", question->forge->url },
                { "repository", or_null(question->repository) },
                { "ref", or_null(question->ref) },
                { "branch", inquiry_branch(inquiry) },
                { "tag", inquiry_tag(inquiry) },
                { "probe", inquiry->tag },
                { "image", or_null(question->image) },
                { "kept", question->kept[0] ? question->kept : "where the job has its own from" },
        };
        const char *value;

        for (size_t i = 0; i < ELEMENTS(values); i++)
                if (strcmp(name, values[i].name) == 0)
                        return values[i].value;
        if (strcmp(name, "scope") == 0)
                return in_brackets(filling);
        if (strcmp(name, "owner") == 0)
                return owner_of(filling, question->repository);
        if (strcmp(name, "image_owner") == 0)
                return owner_of(filling, question->image);
        if (strcmp(name, "token") == 0)
                return of_whom(filling, "the token");
        if (strcmp(name, "new_token") == 0)
                return of_whom(filling, "a token");
        value = evidence_value(inquiry, name, filling->made);
        if (!value && strcmp(name, "who") == 0)
                return "the token's user";
        return value;
}

/*
 * Addresses are parted from their templates here: they are not to be encoded once more.
 * Return: a new string, or NULL if there is none or for lack of memory.
 */
static char *take_address(const struct forge_inquiry *inquiry, const char **template) {
        const struct {
                const char *name, *address;
        } known[] = { { "api", inquiry->api },
                      { "base", inquiry->question.forge->url },
                      { "registry", inquiry->registry } };
        size_t length = strcspn(*template, "}");
        char name[16];

        if (length < 1 || length > sizeof(name) || (*template)[length] != '}')
                return NULL;
        (void)snprintf(name, sizeof(name), "%.*s", (int)length - 1, *template + 1);
        *template += length + 1;
        for (size_t i = 0; i < ELEMENTS(known); i++)
                if (strcmp(name, known[i].name) == 0)
                        return strdup(known[i].address);
        return inquiry->evidence->address ? inquiry->evidence->address(inquiry, name) : NULL;
}

int inquiry_fill(struct forge_inquiry *inquiry, size_t probe, const char **ret_url,
                 struct secret **ret_body, struct error *err) {
        const struct forge_probe *row = &inquiry->evidence->probes[probe];
        struct filling filling = { .inquiry = inquiry };
        const char *template = row->url;
        _cleanup_(freep) char *address = take_address(inquiry, &template);
        _cleanup_(secret_unrefp) struct secret *body = NULL;
        char text[URL_MAX_BYTES];

        if (!address ||
            !fill_template(text, sizeof(text), template, FILL_URL, find_value, &filling))
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "an address cannot be made of what is known");
        if (asprintf(&inquiry->replies[probe].url, "%s%s", address, text) < 0) {
                inquiry->replies[probe].url = NULL;
                return error_oom(err);
        }
        if (row->body) {
                if (!fill_template(text, BODY_MAX_BYTES, row->body, FILL_JSON, find_value,
                                   &filling))
                        return error_set(err, DIAG_INTERNAL_ERROR,
                                         "a body cannot be made of what is known");
                body = secret_copy(text, strlen(text));
                if (!body)
                        return error_set(err, DIAG_INTERNAL_ERROR,
                                         "no locked memory left for a request");
        }
        *ret_url = inquiry->replies[probe].url;
        *ret_body = take(body);
        return 0;
}

static void say(const struct forge_inquiry *inquiry, const struct forge_reply *reply, char *buffer,
                size_t size, const char *template) {
        struct filling filling = { .inquiry = inquiry, .reply = reply };

        if (!fill_template(buffer, size, template, FILL_SENTENCE, find_value, &filling))
                (void)snprintf(buffer, size, "%s", template);
}

void forge_finding_yes(const struct forge_inquiry *inquiry, struct forge_finding *finding,
                       const char *evidence) {
        *finding = (struct forge_finding){ .verdict = FORGE_YES };
        say(inquiry, NULL, finding->error.detail, sizeof(finding->error.detail), evidence);
}

static bool decides(enum diagnosis code) {
        return code >= DIAG_FORGE_TOKEN_REJECTED && code < DIAG_FORGE_CANNOT_TELL;
}

static void set_from(const struct forge_inquiry *inquiry, const struct forge_reply *reply,
                     struct forge_finding *finding, enum diagnosis code, const char *evidence,
                     const char *remedy) {
        *finding = (struct forge_finding){ .verdict = decides(code) ? FORGE_NO : FORGE_CANNOT_TELL,
                                           .error.code = code };
        say(inquiry, reply, finding->error.detail, sizeof(finding->error.detail), evidence);
        if (remedy)
                say(inquiry, reply, finding->error.remedy, sizeof(finding->error.remedy), remedy);
}

void forge_finding_set(const struct forge_inquiry *inquiry, struct forge_finding *finding,
                       enum diagnosis code, const char *evidence, const char *remedy) {
        set_from(inquiry, NULL, finding, code, evidence, remedy);
}

static const char *remedy_of(const struct forge_inquiry *inquiry,
                             const struct forge_refusal *refusal) {
        bool is_for_lack = refusal->code == DIAG_FORGE_SCOPE_MISSING ||
                           refusal->code == DIAG_FORGE_PERMISSION_MISSING ||
                           refusal->code == DIAG_FORGE_REPOSITORY_INVISIBLE;

        if (is_for_lack && inquiry->evidence->is_job && inquiry->evidence->is_job(inquiry))
                return inquiry->evidence->job_remedy;
        return refusal->remedy;
}

void forge_finding_refusal(const struct forge_inquiry *inquiry, const struct forge_reply *reply,
                           struct forge_finding *finding, const struct forge_refusal *refusal) {
        set_from(inquiry, reply, finding, refusal->code, refusal->evidence,
                 remedy_of(inquiry, refusal));
}

void forge_finding_error(struct forge_finding *finding, const struct error *err) {
        finding->verdict = decides(err->code) ? FORGE_NO : FORGE_CANNOT_TELL;
        finding->error = *err;
}

void forge_finding_remedy(const struct forge_inquiry *inquiry, struct forge_finding *finding,
                          const char *remedy) {
        if (finding->error.remedy[0] == '\0')
                say(inquiry, NULL, finding->error.remedy, sizeof(finding->error.remedy), remedy);
}

void forge_finding_unseen(struct forge_finding *finding) {
        if (finding->error.code != DIAG_FORGE_SCOPE_MISSING &&
            finding->error.code != DIAG_FORGE_PERMISSION_MISSING)
                return;
        finding->verdict = FORGE_CANNOT_TELL;
        finding->error.code = DIAG_FORGE_CANNOT_TELL;
}

void forge_finding_worst(struct forge_finding *finding, const struct forge_finding *other) {
        if (other->verdict < finding->verdict)
                *finding = *other;
}

void forge_report_login(const struct forge_inquiry *inquiry, struct forge_report *report,
                        const char *login) {
        char quoted[2 * sizeof(report->login)];

        inquiry_quote(inquiry, quoted, sizeof(quoted), login ? login : "");
        (void)text_clean(report->login, sizeof(report->login), quoted, strlen(quoted));
}

void forge_report_scope(struct forge_report *report, const char *text, size_t length) {
        size_t used = strlen(report->scopes);
        char clean[64];

        if (!report->scopes_known)
                return;
        /* In part it could be part of a token as well. */
        if (length < sizeof(clean) &&
            text_append(report->scopes, sizeof(report->scopes), &used, "%s%s", used > 0 ? " " : "",
                        text_clean(clean, sizeof(clean), text, length)))
                return;
        report->scopes_known = false;
        report->scopes[0] = '\0';
}

void forge_report_scopes(struct forge_report *report, const json_t *list) {
        const json_t *scope;
        size_t i;

        report->scopes_known = json_is_array(list);
        json_array_foreach(list, i, scope) {
                if (json_is_string(scope))
                        forge_report_scope(report, json_string_value(scope),
                                           json_string_length(scope));
        }
}

void forge_report_warn(const struct forge_inquiry *inquiry, struct forge_report *report,
                       const char *template) {
        if (report->n_warnings < FORGE_WARNINGS_MAX)
                say(inquiry, NULL, report->warnings[report->n_warnings++], ERROR_DETAIL_MAX,
                    template);
}
