#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

const char default_forbidden[] = "You are not allowed to access this resource";

void answer_json(struct request *r, unsigned status, json_t *body) {
        json_decref(r->answer.body);
        free(r->answer.text);
        r->answer.text = NULL;
        r->answer.status = status;
        r->answer.body = body;
        r->answer.content_type = "application/json; charset=utf-8";
}

void answer_error(struct request *r, unsigned status, const char *name, const char *message,
                  json_t *details) {
        bool with_id = settings_true(r->standin, "error_req_id",
                                     settings_generation(r->standin) != GENERATION_2024);
        json_t *body = json_object();
        char id[32] = "req-";

        random_word(id + 4, 14);
        if (with_id)
                (void)json_object_set_new(body, "reqId", json_string(id));
        (void)json_object_set_new(body, "statusCode", json_integer(status));
        (void)json_object_set_new(body, "message", json_string(message));
        if (details)
                (void)json_object_set_new(body, "details", details);
        (void)json_object_set_new(body, "error", json_string(name));
        answer_json(r, status, body);
}

void answer_framework(struct request *r, unsigned status, const char *error, const char *message) {
        answer_json(r, status,
                    json_pack("{s:i, s:s, s:s}", "statusCode", (int)status, "error", error,
                              "message", message));
}

void answer_text(struct request *r, unsigned status, const char *content_type, const char *text,
                 bool bare) {
        char *copy = format_text("%s", text);

        answer_json(r, status, NULL);
        r->answer.text = copy;
        r->answer.length = strlen(copy);
        r->answer.content_type = content_type;
        r->answer.bare = bare;
}

void answer_header(struct request *r, const char *name, const char *value) {
        if (!r->answer.headers)
                r->answer.headers = json_object();
        (void)json_object_set_new(r->answer.headers, name, json_string(value));
}

void answer_unauthorized(struct request *r, const char *message) {
        bool old = settings_generation(r->standin) == GENERATION_2024;

        answer_error(r, old ? 403 : 401, "UnauthorizedError", message, NULL);
}

void answer_not_found(struct request *r, const char *name, const char *message) {
        if (settings_generation(r->standin) == GENERATION_2024)
                answer_error(r, 400, "BadRequest", message, NULL);
        else
                answer_error(r, 404, name, message, NULL);
}

void answer_permission(struct request *r, const char *action, json_t *details) {
        bool old = settings_generation(r->standin) == GENERATION_2024;
        _cleanup_(freep) char *message =
            format_text("You are not allowed to %s on secrets", old ? "read" : action);

        if (old) {
                json_decref(details);
                details = NULL;
        }
        answer_error(r, old ? 401 : 403, "PermissionDenied", message, details);
}

void answer_issues(struct request *r, json_t *issues) {
        bool old = settings_generation(r->standin) == GENERATION_2024;

        answer_error(r, old ? 403 : 422, "ValidationFailure", "", NULL);
        (void)json_object_set_new(r->answer.body, "message", issues);
}

void answer_unknown_route(struct request *r) {
        _cleanup_(freep) char *message = format_text("Route %s:%s not found", r->method, r->target);

        answer_json(r, 404,
                    json_pack("{s:s, s:s, s:i}", "message", message, "error", "Not Found",
                              "statusCode", 404));
}

static const char *type_name(const json_t *value) {
        if (!value)
                return "undefined";
        switch (json_typeof(value)) {
        case JSON_OBJECT:
                return "object";
        case JSON_ARRAY:
                return "array";
        case JSON_STRING:
                return "string";
        case JSON_INTEGER:
        case JSON_REAL:
                return "number";
        case JSON_TRUE:
        case JSON_FALSE:
                return "boolean";
        case JSON_NULL:
                break;
        }
        return "null";
}

void issue_type(json_t *issues, const char *field, const char *expected, const json_t *received) {
        _cleanup_(freep) char *message =
            received ? format_text("Expected %s, received %s", expected, type_name(received))
                     : format_text("Required");
        json_t *path = field ? json_pack("[s]", field) : json_array();

        (void)json_array_append_new(issues,
                                    json_pack("{s:s, s:s, s:s, s:o, s:s}", "code", "invalid_type",
                                              "expected", expected, "received", type_name(received),
                                              "path", path, "message", message));
}
