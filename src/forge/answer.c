#include "forge/answer.h"

#include <string.h>

/* Longer ones are cut in a message, so that what was answered still fits behind them. */
#define URL_SHOWN_MAX 96

#define NOT_THE_FORGE                                                                              \
        "Check url of [forge %s]: something in front of the forge answered; from this host, try "  \
        "the forge's internal "                                                                    \
        "address."

const char *forge_answer_text(const json_t *root) {
        const char *text = json_member_string(root, "error");

        if (!text)
                text = json_member_string(root, "message");
        return text ? text : "";
}

void forge_answer_read(struct forge_answer *answer, const struct http_response *response) {
        *answer = (struct forge_answer){ .response = response, .text = "" };
        if (strcmp(response->content_type, "application/json") != 0)
                return;
        answer->root = json_parse(secret_bytes(response->body), secret_length(response->body));
        if (!json_is_object(answer->root)) {
                json_decref(answer->root);
                answer->root = NULL;
                return;
        }
        answer->text = forge_answer_text(answer->root);
}

void forge_answer_done(struct forge_answer *answer) {
        json_decref(answer->root);
        *answer = (struct forge_answer){ 0 };
}

int forge_answer_set(const struct forge_config *forge, const char *url,
                     const struct http_response *response, enum diagnosis code, const char *what,
                     struct error *err) {
        return error_set(err, code, "forge '%s': %.*s answered %d: %s", forge->name, URL_SHOWN_MAX,
                         url, response->status, what);
}

/* The first row that fits decides. */
static const struct {
        int from, to;
        const char *type; /* NULL: any */
        enum diagnosis code;
        const char *what;
} foreign_meanings[] = {
        { 300, 399, NULL, DIAG_UPSTREAM_BLOCKED, "a redirect, which is never followed" },
        { 429, 429, NULL, DIAG_UPSTREAM_RATE_LIMITED, "too many requests" },
        { 400, 499, NULL, DIAG_UPSTREAM_BLOCKED, "not an answer of the forge" },
        { 500, 599, NULL, DIAG_UPSTREAM_ERROR, "the forge, or a proxy in front of it, failed" },
        { 0, 999, "text/html", DIAG_UPSTREAM_BLOCKED, "a web page" },
        { 0, 999, NULL, DIAG_UPSTREAM_MALFORMED, "not an answer of the forge" },
};

static bool foreign_fits(size_t i, const struct http_response *response) {
        return response->status >= foreign_meanings[i].from &&
               response->status <= foreign_meanings[i].to &&
               (!foreign_meanings[i].type ||
                strcmp(foreign_meanings[i].type, response->content_type) == 0);
}

int forge_answer_foreign(const struct forge_config *forge, const char *url,
                         const struct http_response *response, struct error *err) {
        size_t i = 0;

        while (i + 1 < ELEMENTS(foreign_meanings) && !foreign_fits(i, response))
                i++;
        (void)forge_answer_set(forge, url, response, foreign_meanings[i].code,
                               foreign_meanings[i].what, err);
        if (response->status >= 300 && response->status < 400)
                error_remedy_set(err,
                                 "Set url of [forge %s] to its canonical address, which answers "
                                 "without a redirect.",
                                 forge->name);
        else if (foreign_meanings[i].code == DIAG_UPSTREAM_ERROR)
                error_remedy_set(err,
                                 "Look at the forge's own state, and ask again when it is well.");
        else if (foreign_meanings[i].code == DIAG_UPSTREAM_RATE_LIMITED)
                error_remedy_set(err, "Ask again later: the forge limits how often it is asked.");
        else
                error_remedy_set(err, NOT_THE_FORGE, forge->name);
        return -(int)foreign_meanings[i].code;
}

int forge_answer_undecided(const struct forge_config *forge, const char *url,
                           const struct http_response *response, struct error *err) {
        int r;

        if (response->status == 429 || response->retry_after > 0) {
                r = forge_answer_set(forge, url, response, DIAG_UPSTREAM_RATE_LIMITED,
                                     "too many requests", err);
                error_remedy_set(err, "Ask again later: the forge limits how often it is asked.");
                return r;
        }
        if (response->status >= 500) {
                r = forge_answer_set(forge, url, response, DIAG_UPSTREAM_ERROR, "the forge failed",
                                     err);
                error_remedy_set(err,
                                 "Look at the forge's own state, and ask again when it is well.");
                return r;
        }
        if (response->status == 404) {
                r = forge_answer_set(forge, url, response, DIAG_UPSTREAM_MALFORMED,
                                     "it does not know that route", err);
                error_remedy_set(err, "Check url and type of [forge %s]: a %s has its API there.",
                                 forge->name, forge_type_name(forge->type));
                return r;
        }
        r = forge_answer_set(forge, url, response, DIAG_FORGE_CANNOT_TELL,
                             "which says neither that it knows the token nor that it does not",
                             err);
        error_remedy_set(err, "Ask the forge yourself with the token, and look at the account of "
                              "its user; after several "
                              "refused tokens a forge may lock this address out for a while.");
        return r;
}
