#include "ctl/audit_condition.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

#define LEAST_MAX UINT64_C(1000000000)

static const char *const measures[] = {
        [MEASURE_ISSUANCES] = "",
        [MEASURE_RUNS] = ":runs",
        [MEASURE_PROVEN_RUNS] = ":proven-runs",
};

static int mistake(struct error *err, const char *text, const char *what) {
        char clean[80];

        (void)text_clean(clean, sizeof(clean), text, strlen(text));
        return error_set(err, DIAG_MALFORMED_REQUEST, "'%s': %s", clean, what);
}

static void skip_blanks(const char **p) {
        while (**p == ' ' || **p == '\t')
                (*p)++;
}

/* ">= N" to the end of the text. */
static bool parse_least(const char *p, uint64_t *ret) {
        uint64_t number = 0;

        skip_blanks(&p);
        if (p[0] != '>' || p[1] != '=')
                return false;
        p += 2;
        skip_blanks(&p);
        if (*p < '0' || *p > '9')
                return false;
        for (; *p >= '0' && *p <= '9'; p++) {
                number = number * 10 + (uint64_t)(*p - '0');
                if (number > LEAST_MAX)
                        return false;
        }
        skip_blanks(&p);
        *ret = number;
        return !*p;
}

/* Moves behind the longest ":measure" that stands there. */
static enum audit_measure parse_measure(const char **p) {
        for (int i = MEASURE_RUNS; i <= MEASURE_PROVEN_RUNS; i++)
                if (text_starts_with(*p, measures[i])) {
                        *p += strlen(measures[i]);
                        return (enum audit_measure)i;
                }
        return MEASURE_ISSUANCES;
}

int audit_condition_parse(const char *text, bool forbid, struct audit_condition *ret,
                          struct error *err) {
        struct audit_condition condition = { .forbid = forbid };
        const char *p = text, *slash = strchr(text, '/');
        char source[40];
        size_t length;

        if (slash) {
                length = (size_t)(slash - text);
                if (length >= sizeof(condition.token))
                        return mistake(err, text,
                                       "what stands before the '/' is too long for a token's name");
                memcpy(condition.token, text, length);
                condition.token[length] = '\0';
                if (!text_is_name(condition.token))
                        return mistake(err, text, "before the '/' stands a token's name");
                p = slash + 1;
        }
        length = strspn(p, "abcdefghijklmnopqrstuvwxyz-");
        if (length == 0 || length >= sizeof(source))
                return mistake(err, text, "there is no source in it");
        memcpy(source, p, length);
        source[length] = '\0';
        if (!source_find(source, &condition.source))
                return mistake(err, text,
                               "the sources are infisical-token-auth, infisical-universal-auth and "
                               "direct-env-fallback");
        p += length;
        if (forbid) {
                if (*p)
                        return mistake(err, text, "--forbid takes a source, or TOKEN/SOURCE");
        } else {
                condition.measure = parse_measure(&p);
                if (!parse_least(p, &condition.least) || condition.least == 0)
                        return mistake(
                            err, text,
                            "a condition is [TOKEN/]SOURCE[:runs|:proven-runs]>=N with N from 1 to "
                            "1000000000");
        }
        *ret = condition;
        return 0;
}

void audit_condition_format(const struct audit_condition *condition,
                            char text[static AUDIT_CONDITION_TEXT_MAX]) {
        char least[32] = "";

        if (!condition->forbid)
                (void)snprintf(least, sizeof(least), ">=%" PRIu64, condition->least);
        (void)snprintf(text, AUDIT_CONDITION_TEXT_MAX, "%s %s%s%s%s%s",
                       condition->forbid ? "forbid" : "require", condition->token,
                       condition->token[0] ? "/" : "", source_name(condition->source),
                       measures[condition->measure], least);
}

/* NULL for a token that has no row. */
static const struct audit_use *find_use(const struct audit_condition *condition,
                                        const struct audit_report *report) {
        if (!condition->token[0])
                return &report->sources[condition->source];
        for (size_t i = 0; i < report->token_count; i++)
                if (strcmp(report->tokens[i].name, condition->token) == 0)
                        return &report->tokens[i].uses[condition->source];
        return NULL;
}

static void judge_forbid(const struct audit_condition *condition, const struct audit_report *report,
                         struct audit_outcome *ret) {
        const struct audit_use *use = find_use(condition, report);
        char last[CLOCK_TEXT_MAX], tokens[128] = "";
        size_t used = 0;

        ret->found = use ? use->issued + use->repeated : 0;
        ret->met = use ? ret->found == 0 : report->tokens_lost == 0;
        if (ret->found == 0) {
                (void)snprintf(ret->text, sizeof(ret->text), "%s",
                               ret->met
                                   ? "no issuance"
                                   : "not known: more tokens had issuances than are told apart");
                return;
        }
        for (size_t i = 0; i < report->token_count; i++) {
                const struct audit_use *token = &report->tokens[i].uses[condition->source];

                if ((condition->token[0] &&
                     strcmp(condition->token, report->tokens[i].name) != 0) ||
                    token->issued + token->repeated == 0)
                        continue;
                (void)text_append(tokens, sizeof(tokens), &used, "%s%s", used ? ", " : "",
                                  report->tokens[i].name);
        }
        (void)snprintf(ret->text, sizeof(ret->text),
                       "%" PRIu64 " issuance%s from %s too many, the last at %s (%s)", ret->found,
                       ret->found == 1 ? "" : "s", source_name(condition->source),
                       clock_format(use->last_at, last),
                       tokens[0] ? tokens : "of tokens that are not listed");
}

static void judge_require(const struct audit_condition *condition,
                          const struct audit_report *report, struct audit_outcome *ret) {
        static const struct audit_use none = { 0 };
        const struct audit_use *found = find_use(condition, report), *use = found ? found : &none;
        uint64_t short_of;
        size_t used = 0;

        ret->found = condition->measure == MEASURE_ISSUANCES ? use->issued
                     : condition->measure == MEASURE_PROVEN_RUNS
                         ? use->runs_proven
                         : use->runs_proven + use->runs_claimed;
        ret->met = ret->found >= condition->least;
        short_of = ret->met ? 0 : condition->least - ret->found;
        (void)text_append(ret->text, sizeof(ret->text), &used, "%" PRIu64 " %s%s", ret->found,
                          condition->measure == MEASURE_ISSUANCES ? "issuance"
                          : condition->measure == MEASURE_RUNS    ? "run"
                                                                  : "proven run",
                          ret->found == 1 ? "" : "s");
        if (condition->measure != MEASURE_ISSUANCES)
                (void)text_append(ret->text, sizeof(ret->text), &used,
                                  " (%" PRIu64 " proven, %" PRIu64 " only claimed)",
                                  use->runs_proven, use->runs_claimed);
        if (!ret->met)
                (void)text_append(ret->text, sizeof(ret->text), &used,
                                  ", %" PRIu64 " short of %" PRIu64, short_of, condition->least);
        if (!ret->met && condition->measure != MEASURE_ISSUANCES && use->without_run > 0)
                (void)text_append(ret->text, sizeof(ret->text), &used,
                                  "; %" PRIu64 " issuance%s named no run", use->without_run,
                                  use->without_run == 1 ? "" : "s");
}

void audit_condition_judge(const struct audit_condition *condition,
                           const struct audit_report *report, struct audit_outcome *ret) {
        *ret = (struct audit_outcome){ 0 };
        audit_condition_format(condition, ret->condition);
        if (condition->forbid)
                judge_forbid(condition, report, ret);
        else
                judge_require(condition, report, ret);
}
