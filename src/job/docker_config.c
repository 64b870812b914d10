#include "job/docker_config.h"

#include <string.h>

#include "base/text.h"
#include "job/json_reader.h"
#include "job/json_writer.h"

static int malformed(struct failure *failure, const char *what, size_t at) {
        (void)failure_set(failure, EXIT_UNMET, "it is not docker's configuration: %s at byte %zu",
                          what, at);
        failure_remedy_set(
            failure,
            "Correct the file, or remove it if nothing else needs it; it was left as it is.");
        return -EXIT_UNMET;
}

/* Puts @insert in the place of @removed bytes at @at. */
static bool splice(struct locked_buffer *text, size_t at, size_t removed,
                   const struct locked_buffer *insert) {
        _cleanup_(locked_buffer_done) struct locked_buffer result = { 0 };
        struct locked_buffer old;

        if (!locked_buffer_append(&result, text->bytes, at) ||
            !locked_buffer_append(&result, insert->bytes, insert->used) ||
            !locked_buffer_append(&result, text->bytes + at + removed, text->used - at - removed))
                return false;
        old = *text;
        *text = result;
        result = old;
        return true;
}

static bool append(struct locked_buffer *buffer, const char *text) {
        return locked_buffer_append(buffer, text, strlen(text));
}

static bool append_entry(struct locked_buffer *buffer, const char *host) {
        return json_append_string(buffer, host, strlen(host)) &&
               append(buffer, ": \"" DOCKER_HELPER "\"");
}

/* Where a new first member of an object goes: right behind its brace. */
static bool insert_first(struct locked_buffer *text, struct json object, const char *indent,
                         const char *outer, const struct locked_buffer *member) {
        _cleanup_(locked_buffer_done) struct locked_buffer insert = { 0 };
        size_t at = (size_t)(object.text - text->bytes) + 1, length = object.length - 2;
        bool is_empty = true;

        for (size_t i = 0; i < length; i++)
                is_empty = is_empty && memchr(" \t\r\n", object.text[1 + i], 4);
        if (!append(&insert, indent) ||
            !locked_buffer_append(&insert, member->bytes, member->used) ||
            !append(&insert, is_empty ? outer : ","))
                return false;
        /* What an empty object has between its braces is white space alone. */
        return splice(text, at, is_empty ? length : 0, &insert);
}

static int add_helpers(struct locked_buffer *text, struct json object, const char *host,
                       struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer member = { 0 };

        if (!append(&member, "\"credHelpers\": {\n\t\t") || !append_entry(&member, host) ||
            !append(&member, "\n\t}") || !insert_first(text, object, "\n\t", "\n", &member))
                return failure_set(failure, EXIT_UNMET, "out of memory");
        return DOCKER_CONFIG_ADDED;
}

static int add_host(struct locked_buffer *text, struct json helpers, const char *host,
                    struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer member = { 0 };

        if (!append_entry(&member, host) || !insert_first(text, helpers, "\n\t\t", "\n\t", &member))
                return failure_set(failure, EXIT_UNMET, "out of memory");
        return DOCKER_CONFIG_ADDED;
}

static int change_host(struct locked_buffer *text, struct json value, const char *host,
                       bool replace, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer helper = { 0 };
        char name[128], clean[64] = "something else";
        size_t length;

        if (json_string(value, name, sizeof(name), &length)) {
                if (strcmp(name, DOCKER_HELPER) == 0)
                        return DOCKER_CONFIG_UNCHANGED;
                (void)text_clean(clean, sizeof(clean), name, length);
        }
        if (!replace) {
                (void)failure_set(failure, EXIT_UNMET, "%s has the credential helper '%s' already",
                                  host, clean);
                failure_remedy_set(failure,
                                   "Add --force to replace it, or leave this registry to it.");
                return -EXIT_UNMET;
        }
        if (!append(&helper, "\"" DOCKER_HELPER "\"") ||
            !splice(text, (size_t)(value.text - text->bytes), value.length, &helper))
                return failure_set(failure, EXIT_UNMET, "out of memory");
        return DOCKER_CONFIG_ADDED;
}

static bool is_blank(const struct locked_buffer *text) {
        for (size_t i = 0; i < text->used; i++)
                if (!memchr(" \t\r\n", text->bytes[i], 4))
                        return false;
        return true;
}

int docker_config_add(struct locked_buffer *text, const char *host, bool replace,
                      struct failure *failure) {
        struct json object, helpers, value;
        const char *why;
        size_t at;

        if (is_blank(text)) {
                locked_buffer_clear(text);
                if (!append(text, "{}\n"))
                        return failure_set(failure, EXIT_UNMET, "out of memory");
        }
        if (!json_read(text->bytes, text->used, &object, &why, &at))
                return malformed(failure, why, at);
        if (json_type(object) != JSON_OBJECT)
                return malformed(failure, "no object", 0);
        if (!json_member(object, "credHelpers", &helpers))
                return add_helpers(text, object, host, failure);
        if (json_type(helpers) != JSON_OBJECT)
                return malformed(failure, "a credHelpers that is no object",
                                 (size_t)(helpers.text - text->bytes));
        if (!json_member(helpers, host, &value))
                return add_host(text, helpers, host, failure);
        return change_host(text, value, host, replace, failure);
}
