#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "shape.h"
#include "tree.h"

#define EXPAND_DEPTH_MAX 10

static const char mask[] = "<hidden-by-infisical>";

static void add_actor(json_t *shown, const json_t *secret) {
        (void)json_object_set_new(shown, "actor",
                                  json_pack("{s:O, s:s, s:s, s:O, s:n}", "actorId",
                                            json_object_get(secret, "id"), "actorType", "user",
                                            "name", "stand-in", "membershipId",
                                            json_object_get(secret, "id"), "groupId"));
}

static void add_rotation(json_t *shown) {
        (void)json_object_set_new(shown, "isRotatedSecret", json_false());
        (void)json_object_set_new(shown, "rotationId", json_null());
}

json_t *shape_secret(const struct request *r, const struct place *place, const char *environment,
                     const char *path, const json_t *secret, json_t *value, enum shape shape) {
        enum generation generation = settings_generation(r->standin);
        bool newer = generation == GENERATION_C || r->route->v4,
             old = generation == GENERATION_2024;
        json_t *shown = json_pack(
            "{s:O, s:O, s:O, s:s, s:O, s:s, s:O, s:o, s:O, s:n, s:n, s:O, s:O, s:O}", "id",
            json_object_get(secret, "id"), "_id", json_object_get(secret, "id"), "workspace",
            json_object_get(place->project, "id"), "environment", environment, "version",
            json_object_get(secret, "version"), "type", "shared", "secretKey",
            json_object_get(secret, "name"), "secretValue",
            value ? json_incref(value) : json_string(mask), "secretComment",
            json_object_get(secret, "comment"), "secretReminderNote", "secretReminderRepeatDays",
            "skipMultilineEncoding", json_object_get(secret, "skip_multiline_encoding"),
            "createdAt", json_object_get(secret, "created_at"), "updatedAt",
            json_object_get(secret, "updated_at"));

        if (newer)
                add_actor(shown, secret);
        if (newer || shape == SHAPE_IMPORTED || shape == SHAPE_LISTED)
                add_rotation(shown);
        if (newer || (shape == SHAPE_LISTED && !old))
                (void)json_object_set_new(shown, "secretPath", json_string(path));
        if (!old)
                (void)json_object_set_new(shown, "secretValueHidden", json_boolean(value == NULL));
        if (shape == SHAPE_VERSION)
                return shown;
        if (shape == SHAPE_LISTED)
                (void)json_object_set(shown, "secretMetadata", json_object_get(secret, "metadata"));
        (void)json_object_set(shown, "tags", json_object_get(secret, "tags"));
        if (shape != SHAPE_LISTED)
                (void)json_object_set(shown, "secretMetadata", json_object_get(secret, "metadata"));
        return shown;
}

/* What ${reference} means: the secret, and where it is. */
static const json_t *refer(const struct place *place, const char *reference, size_t length,
                           const char **ret_environment, char **ret_path) {
        _cleanup_(freep) char *copy = format_text("%.*s", (int)length, reference);
        char *first = strchr(copy, '.'), *last = strrchr(copy, '.');
        const json_t *environment;

        if (!first) {
                *ret_environment = place->environment_slug;
                *ret_path = format_text("%s", place->path);
                return secret_find(place->folder, copy);
        }
        *first = '\0';
        *last = '\0';
        environment = environment_find(place->project, copy);
        for (char *p = first + 1; last > first && *p; p++)
                if (*p == '.')
                        *p = '/';
        *ret_environment = member_text(environment, "slug", "");
        *ret_path = format_text("/%s", last > first ? first + 1 : "");
        return secret_find(folder_find(environment, *ret_path), last + 1);
}

/* Appends @text with its references replaced; false if one may not be read. */
static bool append_expanded(const struct place *place, const char *text, char **out,
                            unsigned depth) {
        while (*text) {
                size_t plain = strcspn(text, "$");
                const char *end =
                    strncmp(text + plain, "${", 2) == 0 ? strchr(text + plain, '}') : NULL;
                char *joined, *path = NULL;
                const char *environment = NULL;
                const json_t *secret;
                bool allowed;

                if (text[plain] == '$' && !end)
                        plain++;
                joined = format_text("%s%.*s", *out, (int)plain, text);
                free(*out);
                *out = joined;
                text += plain;
                if (!end)
                        continue;
                secret = refer(place, text + 2, (size_t)(end - text - 2), &environment, &path);
                allowed =
                    !secret || rights_allow(place->membership, "readValue", environment, path);
                free(path);
                text = end + 1;
                if (!allowed)
                        return false;
                if (secret && depth < EXPAND_DEPTH_MAX &&
                    !append_expanded(place, member_text(secret, "value", ""), out, depth + 1))
                        return false;
        }
        return true;
}

json_t *expand_value(struct request *r, const struct place *place, const json_t *secret) {
        _cleanup_(freep) char *out = format_text("%s", "");

        if (append_expanded(place, member_text(secret, "value", ""), &out, 0))
                return json_string(out);
        answer_error(r, 403, "ForbiddenError", "Failed to expand one or more secret references",
                     json_pack("[s]", "You do not have permission to read a referenced secret"));
        return NULL;
}
