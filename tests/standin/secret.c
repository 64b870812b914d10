/*
 * Reading one secret.  The order of the checks is that of docs/upstream/infisical.md, "Reading one
 * secret".
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "counters.h"
#include "routes.h"
#include "shape.h"
#include "tree.h"

/* A secret that a read has found, and where. */
struct hit {
        const json_t *secret;
        const char *environment;
        const char *path;
        bool imported;
};

static void refuse_folder(struct request *r, const struct place *place) {
        _cleanup_(freep) char *text = NULL;

        if (settings_generation(r->standin) == GENERATION_2024) {
                answer_error(r, 400, "Create secret",
                             "Folder not found for the given environment slug & secret path", NULL);
                return;
        }
        text = format_text("Folder with path '%s' in environment with slug '%s' not found",
                           place->path, place->environment_slug);
        answer_error(r, 404, "GetSecretByName", text, NULL);
}

static void refuse_secret(struct request *r, const char *name) {
        bool old = settings_generation(r->standin) == GENERATION_2024;
        _cleanup_(freep) char *text = old ? format_text("Secret not found")
                                          : format_text("Secret with name '%s' not found", name);

        answer_not_found(r, "NotFound", text);
}

static bool alive(const json_t *secret) {
        return secret && !json_is_true(json_object_get(secret, "deleted"));
}

static const json_t *version_of(const json_t *secret, json_int_t version) {
        size_t i;
        json_t *old;

        if ((json_int_t)settings_number(secret, "version", 0) == version)
                return secret;
        json_array_foreach(json_object_get(secret, "versions"), i,
                           old) if ((json_int_t)settings_number(old, "version", 0) ==
                                    version) return old;
        return NULL;
}

/* Imports are searched from the last to the first; those that the member may not see do not exist
 * for it. */
static bool find_import(const struct place *place, const char *name, struct hit *ret) {
        const json_t *imports = json_object_get(place->folder, "imports");

        for (size_t i = json_array_size(imports); i-- > 0;) {
                const json_t *import = json_array_get(imports, i);
                const char *environment =
                    member_text(import, "environment", place->environment_slug);
                const char *path = member_text(import, "path", "/");
                const json_t *folder =
                    folder_find(environment_find(place->project, environment), path);
                const json_t *secret = secret_find(folder, name);

                if (!alive(secret) ||
                    !rights_allow(place->membership, "describeSecret", environment, path))
                        continue;
                *ret = (struct hit){
                        .secret = secret, .environment = environment, .path = path, .imported = true
                };
                return true;
        }
        return false;
}

static bool find_secret(const struct place *place, const struct options *options, const char *name,
                        struct hit *ret) {
        const json_t *secret = secret_find(place->folder, name);

        *ret = (struct hit){ .environment = place->environment_slug, .path = place->path };
        if (options->personal)
                return false; /* an identity has none of its own */
        if (options->version > 0)
                ret->secret =
                    /* deleted ones can still be read this way */
                    version_of(secret, options->version);
        else if (alive(secret))
                ret->secret = secret;
        return ret->secret || (options->imports && find_import(place, name, ret));
}

static void refuse_value(struct request *r, const struct hit *hit) {
        _cleanup_(freep) char *text = format_text(
            "You do not have permission to view secret %svalue on secret with name '%s'",
            hit->imported ? "import " : "", member_text(hit->secret, "name", ""));

        if (settings_generation(r->standin) == GENERATION_2024)
                answer_permission(r, "read", NULL);
        else
                answer_error(r, 403, "ForbiddenReadSecretError", text, NULL);
}

static void count_read(const struct request *r, const struct place *place, const struct hit *hit) {
        const char *path = strcmp(hit->path, "/") == 0 ? "" : hit->path;
        _cleanup_(freep) char *key =
            format_text("%s/%s%s/%s", member_text(place->project, "slug", ""), hit->environment,
                        path, member_text(hit->secret, "name", ""));

        counters_add(r->standin, "secret", key, 1);
}

static void answer_hit(struct request *r, const struct place *place, const struct options *options,
                       const struct hit *hit) {
        enum shape shape = hit->imported          ? SHAPE_IMPORTED
                           : options->version > 0 ? SHAPE_VERSION
                                                  : SHAPE_OWN;
        bool readable = rights_allow(place->membership, "readValue", hit->environment, hit->path);
        _cleanup_(json_decrefp) json_t *value = NULL;

        if (options->view && !readable) {
                refuse_value(r, hit);
                return;
        }
        if (options->view && options->expand)
                value = expand_value(r, place, hit->secret);
        else if (options->view)
                value = json_incref(json_object_get(hit->secret, "value"));
        if (options->view && !value)
                return;
        if (json_is_true(json_object_get(hit->secret, "masked"))) {
                json_decref(value);
                value = NULL;
        }
        count_read(r, place, hit);
        answer_json(r, 200,
                    json_pack("{s:o}", "secret",
                              shape_secret(r, place, hit->environment, hit->path, hit->secret,
                                           value, shape)));
}

static void read_at(struct request *r, const struct place *place, const struct options *options,
                    const char *name) {
        struct hit hit;

        if (!place_path_valid(r, place))
                return;
        if (!folder_exists(place->environment, place->path))
                refuse_folder(r, place);
        else if (!rights_allow(place->membership, "describeSecret", place->environment_slug,
                               place->path))
                answer_permission(r, "describeSecret",
                                  rights_rules(place->membership, "describeSecret"));
        else if (!find_secret(place, options, name, &hit))
                refuse_secret(r, name);
        else
                answer_hit(r, place, options, &hit);
}

void secret_by_name(struct request *r) {
        const char *sent = json_string_value(r->params[0]);
        size_t length = json_string_length(r->params[0]);
        _cleanup_(freep) char *name = NULL;
        struct options options;
        struct place place;

        sent += strspn(sent, " \t\r\n");
        name = format_text("%s", sent);
        for (size_t end = strlen(name); end > 0 && strchr(" \t\r\n", name[end - 1]); end--)
                name[end - 1] = '\0';
        if (!options_parse(r, &options) || !place_project(r, &place, false))
                return;
        /* The database does not take a NUL; servers of 2024 did not get that far. */
        if (memchr(json_string_value(r->params[0]), '\0', length) &&
            settings_generation(r->standin) != GENERATION_2024)
                answer_error(r, 500, "FindOneWIthTags", "Something went wrong", NULL);
        else
                read_at(r, &place, &options, name);
        place_done(&place);
}

void secret_by_uuid(struct request *r) {
        const char *id = json_string_value(r->params[0]);
        _cleanup_(freep) char *text = format_text("Secret with ID '%s' not found", id);
        json_t *secret = secret_by_id(r->standin, id);

        /* The broker does not read by id: what exists is refused, so that nobody comes to rely on
         * it. */
        if (!alive(secret))
                answer_error(r, 404, "GetSecretById", text, NULL);
        else
                answer_permission(r, "describeSecret", json_array());
}

void secret_change_denied(struct request *r) {
        answer_permission(r, strcmp(r->method, "POST") == 0 ? "create" : "edit", json_array());
}

void secret_delete_denied(struct request *r) {
        answer_permission(r, "delete", json_array());
}
