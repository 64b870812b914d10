#include "api/explain.h"

#include "api/render.h"

const char *const explain_parameters[] = { "unit", "container", "repository", "event",
                                           "ref",  "proof",     "fork",       NULL };

struct explain_query explain_read(const struct query *query) {
        return (struct explain_query){ .unit = query_get(query, "unit"),
                                       .container = query_get(query, "container"),
                                       .repository = query_get(query, "repository"),
                                       .event = query_get(query, "event"),
                                       .ref = query_get(query, "ref"),
                                       .proof = query_get(query, "proof"),
                                       .fork = query_get(query, "fork") };
}

static json_t *text_or_null(const char *text) {
        return text && text[0] ? render_text(text) : json_null();
}

json_t *explain_render(const struct token_config *token, const struct explanation *explanation) {
        bool refused = explanation->asked && !explanation->allowed;
        char rules[EXPLAIN_TEXT_MAX];

        return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s?, s:s?, s:o, s:o, s:o}", "name",
                         token->name, "rules", render_text(explain_rules(token, rules)), "exposure",
                         text_or_null(explain_exposure(token)), "allowed",
                         explanation->asked ? json_boolean(explanation->allowed) : json_null(),
                         "rule", text_or_null(explanation->verdict.rule), "unit",
                         text_or_null(explanation->unit), "proof",
                         !explanation->asked             ? NULL
                         : explanation->by == VOUCHED_NO ? "none"
                                                         : vouched_name(explanation->by),
                         "code", refused ? diagnosis_info(explanation->error.code)->name : NULL,
                         "detail", text_or_null(refused ? explanation->error.detail : NULL),
                         "remedy", text_or_null(refused ? error_remedy(&explanation->error) : NULL),
                         "sentence", render_text(explanation->text));
}
