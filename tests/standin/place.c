#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "place.h"
#include "tree.h"

void place_done(struct place *place) {
        free(place->environment_slug);
        free(place->path);
}

static void issue_choice(json_t *issues, const char *field, const char *one, const char *other,
                         const char *received) {
        _cleanup_(freep) char *message = format_text(
            "Invalid enum value. Expected '%s' | '%s', received '%s'", one, other, received);

        (void)json_array_append_new(issues,
                                    json_pack("{s:s, s:s, s:[s, s], s:[s], s:s}", "received",
                                              received, "code", "invalid_enum_value", "options",
                                              one, other, "path", field, "message", message));
}

/* One of two words; @ret is true for the first.  Absent leaves @ret alone. */
static void parse_choice(struct request *r, json_t *issues, const char *field, const char *one,
                         const char *other, bool *ret) {
        const json_t *value = json_object_get(r->query, field);
        _cleanup_(freep) char *expected = format_text("'%s' | '%s'", one, other);

        if (!value)
                return;
        if (!json_is_string(value))
                issue_type(issues, field, expected, value);
        else if (strcmp(json_string_value(value), one) == 0)
                *ret = true;
        else if (strcmp(json_string_value(value), other) == 0)
                *ret = false;
        else
                issue_choice(issues, field, one, other, json_string_value(value));
}

static void parse_version(struct request *r, json_t *issues, json_int_t *ret) {
        _cleanup_(freep) char *text = request_query(r, "version");
        char *end = NULL;

        if (!json_object_get(r->query, "version"))
                return;
        errno = 0;
        *ret = text ? strtoll(text, &end, 10) : 0;
        if (!end || *end || errno)
                (void)json_array_append_new(
                    issues, json_pack("{s:s, s:s, s:s, s:[s], s:s}", "code", "invalid_type",
                                      "expected", "number", "received", "nan", "path", "version",
                                      "message", "Expected number, received nan"));
}

bool options_parse(struct request *r, struct options *ret) {
        static const char *const texts[] = { "workspaceId", "workspaceSlug", "projectId",
                                             "environment", "secretPath" };
        enum generation generation = settings_generation(r->standin);
        struct options o = { .v4 = r->route->v4, .view = true };
        const char *imports =
            o.v4 ? member_text(r->standin->settings, "imports_parameter", "include_imports")
                 : "include_imports";
        bool shared = true;
        json_t *issues = json_array();

        o.expand =
            settings_true(r->standin, "expand_references_default", generation == GENERATION_C);
        o.imports = settings_true(r->standin, "include_imports_default",
                                  strcmp(imports, "includeImports") == 0);
        if (o.v4 && !json_object_get(r->query, "projectId"))
                issue_type(issues, "projectId", "string", NULL);
        for (size_t i = 0; i < ELEMENTS(texts); i++)
                if (json_is_array(json_object_get(r->query, texts[i])))
                        issue_type(issues, texts[i], "string", json_object_get(r->query, texts[i]));
        parse_version(r, issues, &o.version);
        parse_choice(r, issues, "type", "shared", "personal", &shared);
        if (generation != GENERATION_2024)
                parse_choice(r, issues, "viewSecretValue", "true", "false", &o.view);
        parse_choice(r, issues, "expandSecretReferences", "true", "false", &o.expand);
        parse_choice(r, issues, imports, "true", "false", &o.imports);
        parse_choice(r, issues, "recursive", "true", "false", &o.recursive);
        o.personal = !shared;
        if (json_array_size(issues) > 0) {
                answer_issues(r, issues);
                return false;
        }
        json_decref(issues);
        *ret = o;
        return true;
}

static bool refuse(struct request *r, const char *message) {
        answer_error(r, 400, "BadRequest", message, NULL);
        return false;
}

void place_refuse_membership(struct request *r, const json_t *project) {
        const char *id = member_text(project, "id", "");
        enum generation generation = settings_generation(r->standin);
        _cleanup_(freep) char *text = NULL;

        if (generation == GENERATION_2024) {
                answer_error(r, 403, "Identity not in project", default_forbidden, NULL);
        } else if (generation == GENERATION_C) {
                text = format_text("You are not a member of this project with ID %s. Please assign "
                                   "this identity to "
                                   "the project with the appropriate permissions, then try again.",
                                   id);
                answer_error(r, 403,
                             member_text(r->standin->settings, "project_error_name",
                                         "ProjectMembershipNotFound"),
                             text, NULL);
        } else {
                text = format_text("Identity is not a member of the specified project with ID '%s'",
                                   id);
                answer_error(r, 403, text, default_forbidden, NULL);
        }
}

static void refuse_project(struct request *r, const char *id, const char *slug) {
        enum generation generation = settings_generation(r->standin);
        _cleanup_(freep) char *text = NULL;

        if (generation == GENERATION_2024 && slug) {
                answer_error(r, 500, "Find project by slug", "Something went wrong", NULL);
                return;
        }
        if (generation == GENERATION_2024)
                text = format_text("Project not found during bot lookup.");
        else if (slug)
                text = format_text("Project with slug '%s' not found", slug);
        else if (generation == GENERATION_C)
                text = format_text("Project with %s not found", id);
        else
                text = format_text("Project with ID '%s' not found during bot lookup. Are you sure "
                                   "you are using the "
                                   "correct project ID?",
                                   id);
        answer_not_found(r, "NotFound", text);
}

static json_t *find_project(struct request *r, bool list) {
        bool newer = settings_generation(r->standin) == GENERATION_C;
        _cleanup_(freep) char *id = request_query(r, r->route->v4 ? "projectId" : "workspaceId");
        _cleanup_(freep) char *slug = r->route->v4 ? NULL : request_query(r, "workspaceSlug");
        _cleanup_(freep) char *environment = request_query(r, "environment");
        bool has_id = id && *id, has_slug = slug && *slug;
        json_t *project;

        if (list && ((!has_id && !has_slug) || !environment || !*environment)) {
                (void)refuse(r, newer || r->route->v4 ? "Missing project id or environment"
                                                      : "Missing workspace id or environment");
                return NULL;
        }
        if (!environment || !*environment) {
                (void)refuse(r, "Missing environment");
                return NULL;
        }
        if (!has_id && !has_slug) {
                (void)refuse(r, newer ? "You must provide projectSlug or workspaceId"
                                      : "You must provide workspaceSlug or workspaceId");
                return NULL;
        }
        project =
            has_id ? project_find(r->standin, "id", id) : project_find(r->standin, "slug", slug);
        if (!project)
                refuse_project(r, id, has_id ? NULL : slug);
        return project;
}

static bool check_project(struct request *r, const json_t *project) {
        const char *type = member_text(project, "type", "");
        _cleanup_(freep) char *text = format_text(
            "The project is of type %s. Operations of type secret-manager are not allowed.", type);

        if (strcmp(member_text(project, "org_id", ""),
                   member_text(r->standin->organization, "id", "")) != 0) {
                answer_error(r, 403, "ForbiddenError",
                             "This project does not belong to your selected organization.", NULL);
                return false;
        }
        return strcmp(type, "secret-manager") == 0 || refuse(r, text);
}

bool place_project(struct request *r, struct place *ret, bool list) {
        struct place place = { .project = find_project(r, list) };
        size_t length;

        if (!place.project || !check_project(r, place.project))
                return false;
        place.membership = membership_find(r->identity, place.project);
        if (!place.membership) {
                place_refuse_membership(r, place.project);
                return false;
        }
        place.environment_slug = request_query(r, "environment");
        place.environment = environment_find(place.project, place.environment_slug);
        place.path = request_query(r, "secretPath");
        if (!place.path)
                place.path = format_text("/");
        length = strlen(place.path);
        if (length > 1 && place.path[length - 1] == '/')
                place.path[length - 1] = '\0';
        place.folder = folder_find(place.environment, place.path);
        *ret = place;
        return true;
}

bool place_path_valid(struct request *r, const struct place *place) {
        if (settings_generation(r->standin) != GENERATION_B)
                return true;
        if (place->path[strspn(
                place->path,
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/")] == '\0')
                return true;
        return refuse(r, "Invalid secret path. Only alphanumeric characters, dashes, and "
                         "underscores are allowed.");
}
