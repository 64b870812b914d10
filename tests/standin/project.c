/*
 * Projects, folders, the identity's own organization, the server's status.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "place.h"
#include "routes.h"
#include "tree.h"

static json_t *shown(const json_t *project) {
        json_t *environments = json_array(), *environment;
        size_t i;

        json_array_foreach(json_object_get(project, "environments"), i, environment)(void)
            json_array_append_new(environments,
                                  json_pack("{s:O, s:O, s:O}", "name",
                                            json_object_get(environment, "name"), "slug",
                                            json_object_get(environment, "slug"), "id",
                                            json_object_get(environment, "id")));
        return json_pack("{s:O, s:O, s:n, s:O, s:O, s:b, s:O, s:O, s:O, s:i, s:n, s:i, s:n, s:n, "
                         "s:b, s:b, s:b, s:O, "
                         "s:o}",
                         "id", json_object_get(project, "id"), "name",
                         json_object_get(project, "name"), "description", "type",
                         json_object_get(project, "type"), "slug", json_object_get(project, "slug"),
                         "autoCapitalization", 0, "orgId", json_object_get(project, "org_id"),
                         "createdAt", json_object_get(project, "created_at"), "updatedAt",
                         json_object_get(project, "updated_at"), "version", 3, "upgradeStatus",
                         "pitVersionLimit", 10, "kmsCertificateKeyId", "auditLogsRetentionDays",
                         "hasDeleteProtection", 0, "secretSharing", 1, "showSnapshotsLegacy", 0,
                         "_id", json_object_get(project, "id"), "environments", environments);
}

void project_get(struct request *r) {
        const char *id = json_string_value(r->params[0]);
        const json_t *project = project_find(r->standin, "id", id);
        _cleanup_(freep) char *message = format_text("Project with ID '%s' not found", id);

        if (!project)
                answer_not_found(r, "NotFound", message);
        else if (!membership_find(r->identity, project))
                place_refuse_membership(r, project);
        else
                answer_json(r, 200, json_pack("{s:o}", "workspace", shown(project)));
}

void project_list(struct request *r) {
        json_t *projects = json_array(), *project;
        size_t i;

        json_array_foreach(r->standin->projects, i,
                           project) if (membership_find(r->identity, project))(void)
            json_array_append_new(projects, shown(project));
        answer_json(r, 200, json_pack("{s:o}", "workspaces", projects));
}

/* The piece of @path directly below @parent, or NULL. */
static char *child_name(const char *parent, const char *path) {
        size_t length = strcmp(parent, "/") == 0 ? 0 : strlen(parent);

        if (strncmp(path, parent, length) != 0 || path[length] != '/' || !path[length + 1])
                return NULL;
        return strchr(path + length + 1, '/') ? NULL : format_text("%s", path + length + 1);
}

void folder_list(struct request *r) {
        struct place place;
        json_t *folders, *folder;
        size_t i;

        if (!place_project(r, &place, true))
                return;
        free(place.path);
        place.path = request_query(r, "path");
        folders = json_array();
        json_array_foreach(json_object_get(place.environment, "folders"), i, folder) {
                _cleanup_(freep) char *name =
                    child_name(place.path ? place.path : "/", member_text(folder, "path", ""));

                if (name)
                        (void)json_array_append_new(
                            folders,
                            json_pack("{s:O, s:s, s:i, s:O, s:O, s:O, s:O, s:b, s:n, s:O}", "id",
                                      json_object_get(folder, "id"), "name", name, "version", 1,
                                      "createdAt", json_object_get(folder, "created_at"),
                                      "updatedAt", json_object_get(folder, "updated_at"), "envId",
                                      json_object_get(place.environment, "id"), "parentId",
                                      json_object_get(place.environment, "id"), "isReserved", 0,
                                      "description", "lastSecretModified",
                                      json_object_get(folder, "updated_at")));
        }
        place_done(&place);
        answer_json(r, 200, json_pack("{s:o}", "folders", folders));
}

void identity_details(struct request *r) {
        if (settings_generation(r->standin) == GENERATION_2024)
                answer_unknown_route(r);
        else
                answer_json(r, 200,
                            json_pack("{s:{s:O}}", "identityDetails", "organization",
                                      r->standin->organization));
}

void status_get(struct request *r) {
        char date[32];

        answer_json(r, 200,
                    json_pack("{s:s, s:s, s:b, s:b, s:b, s:b}", "date",
                              iso_date(standin_now(r->standin), date), "message", "Ok",
                              "emailConfigured", 0, "inviteOnlySignup", 1, "redisConfigured", 1,
                              "secretScanningConfigured", 0));
}

/* A route for people's sessions only. */
void webhooks_refused(struct request *r) {
        _cleanup_(freep) char *name = format_text("Forbidden access to %s", r->target);

        answer_error(r, 403, name, default_forbidden, NULL);
}
