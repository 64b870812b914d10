/*
 * Listing a folder.  docs/upstream/infisical.md, "Listing".
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "counters.h"
#include "routes.h"
#include "shape.h"
#include "tree.h"

/* Adds the folder's secrets that the member may describe; false if one of them may not be read. */
static bool add_folder(struct request *r, struct place *place, const struct options *options,
                       const char *environment, json_t *folder, json_t *list) {
        const char *path = member_text(folder, "path", "/");
        size_t i;
        json_t *secret;

        if (!rights_allow(place->membership, "describeSecret", environment, path))
                return true;
        json_array_foreach(json_object_get(folder, "secrets"), i, secret) {
                _cleanup_(json_decrefp) json_t *value = NULL;

                if (json_is_true(json_object_get(secret, "deleted")))
                        continue;
                if (options->view &&
                    !rights_allow(place->membership, "readValue", environment, path)) {
                        answer_permission(r, "readValue",
                                          rights_rules(place->membership, "readValue"));
                        return false;
                }
                if (options->view && options->expand) {
                        value = expand_value(r, place, secret);
                        if (!value)
                                return false;
                } else if (options->view && !json_is_true(json_object_get(secret, "masked"))) {
                        value = json_incref(json_object_get(secret, "value"));
                }
                (void)json_array_append_new(
                    list, shape_secret(r, place, environment, path, secret, value, SHAPE_LISTED));
        }
        return true;
}

static bool below(const char *parent, const char *path) {
        size_t length = strcmp(parent, "/") == 0 ? 0 : strlen(parent);

        return strncmp(parent, path, length) == 0 && path[length] == '/';
}

static bool add_all(struct request *r, struct place *place, const struct options *options,
                    json_t *list) {
        size_t i;
        json_t *folder;

        if (place->folder &&
            !add_folder(r, place, options, place->environment_slug, place->folder, list))
                return false;
        if (!options->recursive)
                return true;
        json_array_foreach(json_object_get(place->environment, "folders"), i,
                           folder) if (folder != place->folder &&
                                       below(place->path, member_text(folder, "path", "")) &&
                                       !add_folder(r, place, options, place->environment_slug,
                                                   folder, list)) return false;
        return true;
}

static bool add_imports(struct request *r, struct place *place, const struct options *options,
                        json_t *imports) {
        size_t i;
        json_t *import;

        json_array_foreach(json_object_get(place->folder, "imports"), i, import) {
                const char *environment =
                    member_text(import, "environment", place->environment_slug);
                const char *path = member_text(import, "path", "/");
                json_t *folder = folder_find(environment_find(place->project, environment), path);
                json_t *secrets = json_array();

                if (folder && !add_folder(r, place, options, environment, folder, secrets)) {
                        json_decref(secrets);
                        return false;
                }
                if (json_array_size(secrets) > 0)
                        (void)json_array_append_new(
                            imports, json_pack("{s:s, s:s, s:O, s:O}", "secretPath", path,
                                               "environment", environment, "folderId",
                                               json_object_get(folder, "id"), "secrets", secrets));
                json_decref(secrets);
        }
        return true;
}

static void refuse_folder(struct request *r, const struct place *place) {
        _cleanup_(freep) char *text = format_text("Folder with path '%s' in environment '%s' was "
                                                  "not found. Please ensure the environment "
                                                  "slug and secret path is correct.",
                                                  place->path, place->environment_slug);

        answer_error(r, 404, "SecretPathNotFound", text, NULL);
}

static void list_at(struct request *r, struct place *place, const struct options *options) {
        _cleanup_(json_decrefp) json_t *secrets = json_array(), *imports = json_array();
        bool member_anywhere = rights_allow(place->membership, "describeSecret", NULL, NULL);

        if (!member_anywhere) {
                answer_permission(r, "describeSecret", json_array());
                return;
        }
        if (settings_generation(r->standin) == GENERATION_C &&
            !folder_exists(place->environment, place->path)) {
                refuse_folder(r, place);
                return;
        }
        if (!add_all(r, place, options, secrets) ||
            (options->imports && !add_imports(r, place, options, imports)))
                return;
        answer_json(r, 200, json_pack("{s:O, s:O}", "secrets", secrets, "imports", imports));
}

void secret_list(struct request *r) {
        struct options options;
        struct place place;

        if (!options_parse(r, &options) || !place_project(r, &place, true))
                return;
        list_at(r, &place, &options);
        place_done(&place);
}
