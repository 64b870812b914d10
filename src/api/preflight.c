#include "api/preflight.h"

#include <string.h>

#include "api/render.h"
#include "base/json.h"

/* A JWT is the longest kind of token. */
#define TOKEN_MAX_BYTES 4096

static int bad_member(const char *member, const char *expected, struct error *err) {
        return error_set(err, DIAG_MALFORMED_REQUEST, "'%s' in the body is not %s", member,
                         expected);
}

static bool is_absent(const json_t *body, const char *member) {
        const json_t *value = json_object_get(body, member);

        return !value || json_is_null(value);
}

static int read_place(const json_t *body, const char *member, const char *expected,
                      bool (*is_good)(const char *text), char place[static FORGE_PLACE_MAX],
                      struct error *err) {
        const char *text = json_member_string(body, member);

        if (is_absent(body, member))
                return 0;
        if (!text || strlen(text) >= FORGE_PLACE_MAX || !is_good(text))
                return bad_member(member, expected, err);
        memcpy(place, text, strlen(text) + 1);
        return 0;
}

static int read_needs(const json_t *body, unsigned *ret, struct error *err) {
        static const char expected[] = "a list of contents:read, contents:write, release:write, "
                                       "packages:write, issues:write and "
                                       "pull:write";
        const json_t *needs = json_object_get(body, "needs"), *item;
        size_t i;

        if (is_absent(body, "needs"))
                return 0;
        if (!json_is_array(needs))
                return bad_member("needs", expected, err);
        json_array_foreach(needs, i, item) {
                enum forge_need need;

                if (!json_is_string(item) || !forge_need_find(json_string_value(item), &need))
                        return bad_member("needs", expected, err);
                *ret |= 1u << need;
        }
        return 0;
}

/* Visible ASCII, as every forge's tokens are: it will stand in a header. */
static int read_token(const json_t *body, struct secret **ret, struct error *err) {
        const char *text = json_member_string(body, "token");
        size_t length = json_member_string_length(body, "token");

        if (is_absent(body, "token"))
                return 0;
        if (length == 0 || length > TOKEN_MAX_BYTES)
                return bad_member("token", "a token", err);
        for (size_t i = 0; i < length; i++)
                if (text[i] <= ' ' || text[i] > '~')
                        return bad_member("token", "a token", err);
        *ret = secret_copy(text, length);
        return *ret ? 0 : error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a token");
}

static int check_members(json_t *body, struct error *err) {
        static const char *const known[] = { "repository", "ref",         "image",
                                             "needs",      "write_probe", "token" };
        const char *member;
        json_t *value;

        if (!json_is_object(body))
                return error_set(err, DIAG_MALFORMED_REQUEST, "the body is not a JSON object");
        json_object_foreach(body, member, value) {
                size_t i = 0;

                while (i < ELEMENTS(known) && strcmp(member, known[i]) != 0)
                        i++;
                if (i == ELEMENTS(known))
                        return error_set(err, DIAG_MALFORMED_REQUEST,
                                         "the body has a member that is none of repository, ref, "
                                         "image, needs, write_probe, token");
        }
        return 0;
}

/* A need says where; there is nothing to be told about a ref of no repository. */
static int check_together(const struct preflight_query *query, struct error *err) {
        unsigned in_repository = query->needs & ~(1u << NEED_PACKAGES_WRITE);

        if ((in_repository || query->ref[0]) && !query->repository[0])
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "these needs want a 'repository' in the body");
        if (query->needs & (1u << NEED_PACKAGES_WRITE) && !query->image[0])
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "packages:write wants an 'image' in the body");
        if (query->write_probe && !(query->needs & (1u << NEED_RELEASE_WRITE)))
                return error_set(
                    err, DIAG_MALFORMED_REQUEST,
                    "a write probe is for release:write, which is not among the needs");
        return 0;
}

static int read_members(json_t *body, struct preflight_query *ret, struct error *err) {
        const json_t *write_probe = json_object_get(body, "write_probe");
        int r = check_members(body, err);

        if (r >= 0)
                r = read_place(body, "repository", "OWNER/NAME", preflight_place_is_good,
                               ret->repository, err);
        if (r >= 0)
                r = read_place(body, "image", "OWNER/NAME", preflight_place_is_good, ret->image,
                               err);
        if (r >= 0)
                r = read_place(body, "ref", "a ref such as refs/heads/main", preflight_ref_is_good,
                               ret->ref, err);
        if (r >= 0)
                r = read_needs(body, &ret->needs, err);
        if (r >= 0 && write_probe && !json_is_boolean(write_probe))
                r = bad_member("write_probe", "true or false", err);
        ret->write_probe = json_is_true(write_probe);
        if (r >= 0)
                r = check_together(ret, err);
        return r < 0 ? r : read_token(body, &ret->token, err);
}

int preflight_read(const char *body, size_t length, struct preflight_query *ret,
                   struct error *err) {
        json_t *root;
        int r;

        *ret = (struct preflight_query){ 0 };
        if (length == 0)
                return 0;
        root = json_parse(body, length);
        r = read_members(root, ret, err);
        json_decref(root);
        return r;
}

/* Of "yes" the remedy, where there is one, says how to learn more. */
static int render_finding(json_t *object, const struct forge_finding *finding) {
        const struct error *err = &finding->error;
        const char *remedy = err->code == DIAG_NONE ? err->remedy : error_remedy(err);

        if (!object ||
            json_object_set_new(object, "verdict",
                                json_string(forge_verdict_name(finding->verdict))) < 0 ||
            json_object_set_new(object, "evidence", render_text(err->detail)) < 0 ||
            json_object_set_new(object, "code",
                                err->code == DIAG_NONE
                                    ? json_null()
                                    : json_string(diagnosis_info(err->code)->name)) < 0 ||
            json_object_set_new(object, "remedy", remedy[0] ? render_text(remedy) : json_null()) <
                0)
                return -1;
        return 0;
}

static json_t *render_scopes(const struct forge_report *report) {
        json_t *list = report->scopes_known ? json_array() : json_null();
        const char *scope = report->scopes;

        while (report->scopes_known && list && *scope) {
                size_t length = strcspn(scope, " ");

                if (json_array_append_new(list, json_stringn(scope, length)) < 0)
                        list = (json_decref(list), NULL);
                scope += length;
                scope += *scope == ' ';
        }
        return list;
}

static json_t *render_identity(const struct forge_report *report) {
        json_t *identity = json_pack("{s:o, s:s?, s:o, s:o}", "login",
                                     report->login[0] ? render_text(report->login) : json_null(),
                                     "kind", report->kind, "scopes", render_scopes(report),
                                     "expires_at", render_time(report->expires_at));

        if (render_finding(identity, &report->identity) < 0)
                identity = (json_decref(identity), NULL);
        return identity;
}

static json_t *render_needs(const struct forge_report *report) {
        json_t *list = json_array();

        for (enum forge_need need = 0; list && need < NEED_COUNT; need++) {
                json_t *item;

                if (!(report->needs & (1u << need)))
                        continue;
                item = json_pack("{s:s}", "need", forge_need_name(need));
                if (render_finding(item, &report->findings[need]) < 0)
                        item = (json_decref(item), NULL);
                if (json_array_append_new(list, item) < 0)
                        list = (json_decref(list), NULL);
        }
        return list;
}

static json_t *render_warnings(const struct forge_report *report) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < report->n_warnings; i++)
                if (json_array_append_new(list, render_text(report->warnings[i])) < 0)
                        list = (json_decref(list), NULL);
        return list;
}

static json_t *text_or_null(const char *text) {
        return text[0] ? render_text(text) : json_null();
}

json_t *preflight_render(const struct preflight_answer *answer) {
        const struct forge_config *forge = answer->token->forge;
        const struct forge_question *question = answer->question;
        json_t *root = json_pack(
            "{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", answer->token->name,
            "forge", forge->name, "forge_type", forge_type_name(forge->type), "forge_url",
            forge->url, "repository", text_or_null(question->repository), "ref",
            text_or_null(question->ref), "image", text_or_null(question->image), "identity",
            render_identity(answer->report), "needs", render_needs(answer->report), "warnings",
            render_warnings(answer->report));

        if (root && answer->fingerprint &&
            (json_object_set_new(root, "source", json_string(source_name(answer->source))) < 0 ||
             json_object_set_new(root, "freshness",
                                 json_string(answer->stale ? "stale" : "fresh")) < 0 ||
             json_object_set_new(root, "fingerprint", json_string(answer->fingerprint)) < 0))
                root = (json_decref(root), NULL);
        return root;
}
