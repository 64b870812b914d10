#include "ctl/output.h"

#include <stdio.h>

#include "base/json.h"

void output_error(const struct error *err) {
        (void)fprintf(stderr, "forge-brokerctl: %s\nremedy: %s\n", err->detail, error_remedy(err));
}

void output_json(const json_t *body) {
        (void)json_dumpf(body, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        (void)fputc('\n', stdout);
}

int output_unexpected(const struct control_answer *answer) {
        const char *code = json_member_string(answer->body, "code"),
                   *detail = json_member_string(answer->body, "detail");
        const char *remedy = json_member_string(answer->body, "remedy");

        (void)fprintf(stderr, "forge-brokerctl: the daemon answered %ld: %s: %s\n", answer->status,
                      code ? code : "not a forge-brokerd", detail ? detail : "no detail");
        if (remedy)
                (void)fprintf(stderr, "remedy: %s\n", remedy);
        return code ? diagnosis_info(diagnosis_find(code))->exit_code : EXIT_UNREACHABLE;
}

void output_problems(const struct config_problems *problems) {
        for (size_t i = 0; i < problems->count; i++)
                (void)fprintf(stderr, "%s:%u: %s\n", problems->items[i].file,
                              problems->items[i].line, problems->items[i].text);
        if (problems->dropped > 0)
                (void)fprintf(stderr, "and %zu more problems\n", problems->dropped);
}
