#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "infisical/refusal.h"

#define MASK "<hidden-by-infisical>"

size_t infisical_path_length(const char *path) {
        size_t length = strlen(path);

        while (length > 1 && path[length - 1] == '/')
                length--;
        return length;
}

static int classify_unknown_route(const struct infisical_address *address, const char *url, bool v4,
                                  struct infisical_result *result, struct error *err) {
        /* A long name is refused by the same answer, from any server. */
        if (!v4 && strlen(address->secret_name) > INFISICAL_NAME_MAX_BYTES) {
                (void)error_set(err, DIAG_SECRET_NOT_FOUND,
                                "secret_name has %zu bytes, more than a route takes",
                                strlen(address->secret_name));
                refusal_advise(err, DIAG_SECRET_NOT_FOUND, address);
                return verdict_set(&result->verdict, DIAG_SECRET_NOT_FOUND, false);
        }
        result->verdict.route_unknown = true;
        (void)error_set(err, DIAG_UPSTREAM_MALFORMED,
                        "%s does not know the route for reading secrets (%s)", url,
                        v4 ? "v4" : "v3");
        error_remedy_set(
            err, "Check that url = %s is the base address of Infisical, without a path of its own.",
            url);
        return verdict_set(&result->verdict, DIAG_UPSTREAM_MALFORMED, false);
}

static bool is_space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static int classify_value(const char *value, size_t length, const struct infisical_address *address,
                          struct infisical_result *result, struct error *err) {
        enum diagnosis code = DIAG_NONE;

        while (length > 0 && is_space(*value)) {
                value++;
                length--;
        }
        while (length > 0 && is_space(value[length - 1]))
                length--;
        if (length == 0) {
                code = DIAG_SECRET_EMPTY;
                (void)error_set(err, code, "the value of secret '%s' is empty",
                                address->secret_name);
        } else if (length > INFISICAL_VALUE_MAX_BYTES) {
                code = DIAG_SECRET_MALFORMED;
                (void)error_set(err, code, "the value of secret '%s' has %zu bytes, more than %d",
                                address->secret_name, length, INFISICAL_VALUE_MAX_BYTES);
        }
        for (size_t i = 0; i < length && code == DIAG_NONE; i++) {
                if (value[i] >= 0x21 && value[i] <= 0x7e)
                        continue;
                code = DIAG_SECRET_MALFORMED;
                (void)error_set(
                    err, code,
                    "the value of secret '%s' has a byte at offset %zu of %zu that no token has",
                    address->secret_name, i, length);
        }
        if (code == DIAG_NONE && memmem(value, length, "${", 2)) {
                code = DIAG_SECRET_MALFORMED;
                (void)error_set(
                    err, code,
                    "the value of secret '%s' refers to another secret; references are not "
                    "expanded",
                    address->secret_name);
        }
        if (code != DIAG_NONE) {
                refusal_advise(err, code, address);
                return verdict_set(&result->verdict, code, true);
        }
        result->value = secret_copy(value, length);
        if (!result->value) {
                (void)error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a value");
                return verdict_set(&result->verdict, DIAG_INTERNAL_ERROR, false);
        }
        return 0;
}

static int refuse_shape(const char *url, const char *what, struct infisical_result *result,
                        struct error *err) {
        (void)error_set(err, DIAG_UPSTREAM_MALFORMED, "%s answered 200 with JSON %s", url, what);
        return verdict_set(&result->verdict, DIAG_UPSTREAM_MALFORMED, false);
}

static bool same_path(const char *a, const char *b) {
        size_t length = infisical_path_length(a);

        return length == infisical_path_length(b) && memcmp(a, b, length) == 0;
}

/* Absent and null are the same; another type is not Infisical's. */
static bool optional_string(const json_t *object, const char *key, const char **ret) {
        const json_t *member = json_object_get(object, key);

        *ret = json_string_value(member);
        return !member || json_is_null(member) || json_is_string(member);
}

static bool is_hidden(const json_t *secret, const char *value) {
        const json_t *hidden = json_object_get(secret, "secretValueHidden");

        return (hidden && !json_is_null(hidden) && !json_is_false(hidden)) ||
               strcmp(value, MASK) == 0;
}

/* Members that servers leave out are not compared. */
static int classify_secret(const json_t *secret, const struct infisical_address *address,
                           const char *url, struct infisical_result *result, struct error *err) {
        const char *key = json_member_string(secret, "secretKey"),
                   *value = json_member_string(secret, "secretValue");
        const json_t *version = json_object_get(secret, "version");
        const char *environment, *path;
        json_int_t number = 0;

        if (!key || !value || !optional_string(secret, "environment", &environment) ||
            !optional_string(secret, "secretPath", &path))
                return refuse_shape(url, "without a secret's name and value", result, err);
        if (version && !json_is_null(version) &&
            (!json_member_int(secret, "version", &number) || number <= 0))
                return refuse_shape(url, "in which version is not a positive number", result, err);
        if (strcmp(key, address->secret_name) != 0)
                return refuse_shape(url, "that holds another secret than the one asked for", result,
                                    err);
        if ((environment && strcmp(environment, address->environment) != 0) ||
            (path && !same_path(path, address->secret_path))) {
                char other_environment[48], other_path[80];

                (void)text_clean(other_environment, sizeof(other_environment),
                                 environment ? environment : "?",
                                 environment ? strlen(environment) : 1);
                (void)text_clean(other_path, sizeof(other_path), path ? path : "?",
                                 path ? strlen(path) : 1);
                (void)error_set(err, DIAG_SECRET_NOT_FOUND,
                                "an import answered: the secret is in environment '%s', "
                                "path '%s'",
                                other_environment, other_path);
                error_remedy_set(err,
                                 "Set environment and secret_path to where the secret '%s' itself "
                                 "is: imports are "
                                 "not followed.",
                                 address->secret_name);
                return verdict_set(&result->verdict, DIAG_SECRET_NOT_FOUND, true);
        }
        if (is_hidden(secret, value)) {
                (void)error_set(err, DIAG_SECRET_HIDDEN, "Infisical masks the value of secret '%s'",
                                address->secret_name);
                refusal_advise(err, DIAG_SECRET_HIDDEN, address);
                return verdict_set(&result->verdict, DIAG_SECRET_HIDDEN, true);
        }
        result->version = number;
        return classify_value(value, json_member_string_length(secret, "secretValue"), address,
                              result, err);
}

static int classify_unchanged(const struct http_response *response, const char *url, bool sent_etag,
                              struct infisical_result *result, struct error *err) {
        if (!sent_etag) {
                (void)error_set(err, DIAG_UPSTREAM_MALFORMED,
                                "%s answered 304 though no ETag was sent", url);
                return verdict_set(&result->verdict, DIAG_UPSTREAM_MALFORMED, false);
        }
        result->verdict.unchanged = true;
        memcpy(result->etag, response->etag, sizeof(result->etag));
        return 0;
}

static int classify_not_json(const struct http_response *response, const struct answer *answer,
                             const char *url, struct infisical_result *result, struct error *err) {
        char type[HTTP_CONTENT_TYPE_MAX];

        if (response->status != 200)
                return answer_classify_foreign(response, answer, url, &result->verdict, err);
        if (strcmp(response->content_type, "text/html") == 0) {
                (void)error_set(err, DIAG_UPSTREAM_BLOCKED, "%s answered 200 with a web page", url);
                error_remedy_set(err,
                                 "Check that url = %s is Infisical's base address and that no "
                                 "login page stands in "
                                 "front of it.",
                                 url);
                return verdict_set(&result->verdict, DIAG_UPSTREAM_BLOCKED, false);
        }
        (void)error_set(err, DIAG_UPSTREAM_MALFORMED,
                        "%s answered 200 (%s) without well-formed JSON", url,
                        answer_type(type, response));
        return verdict_set(&result->verdict, DIAG_UPSTREAM_MALFORMED, false);
}

int infisical_classify_read(const struct http_response *response,
                            const struct infisical_address *address, const char *url, bool v4,
                            bool sent_etag, struct infisical_result *ret, struct error *err) {
        struct answer answer;
        json_t *root = NULL;
        int r;

        *ret = (struct infisical_result){ 0 };
        (void)error_set(err, DIAG_NONE, "%s", "");
        if (response->status == 304)
                return classify_unchanged(response, url, sent_etag, ret, err);

        if (strcmp(response->content_type, "application/json") == 0)
                root = json_parse(secret_bytes(response->body), secret_length(response->body));
        answer_read(&answer, response->status, root);
        if (!json_is_object(root))
                r = classify_not_json(response, &answer, url, ret, err);
        else if (response->status == 200)
                r = classify_secret(json_object_get(root, "secret"), address, url, ret, err);
        else if (response->status < 400)
                r = answer_classify_foreign(response, &answer, url, &ret->verdict, err);
        else if (answer_is_unknown_route(&answer))
                r = classify_unknown_route(address, url, v4, ret, err);
        else
                r = refusal_classify(response, &answer, address, url, &ret->verdict, err);
        json_decref(root);
        if (r == 0)
                memcpy(ret->etag, response->etag, sizeof(ret->etag));
        return r;
}
