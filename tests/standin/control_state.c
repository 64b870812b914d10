#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "control.h"
#include "tree.h"

json_t *control_error(struct control *c, unsigned status, const char *message) {
        c->status = status;
        return json_pack("{s:s}", "error", message);
}

static json_t *done(void) {
        return json_pack("{s:b}", "done", 1);
}

/* {"project"?, "environment", "path"?}; with one project its name may be left out. */
static json_t *find_environment(struct control *c) {
        const char *name = member_text(c->body, "project", NULL);
        json_t *project =
            name ? project_named(c->standin, name) : json_array_get(c->standin->projects, 0);

        return environment_find(project, member_text(c->body, "environment", "prod"));
}

static json_t *find_folder(struct control *c) {
        return folder_find(find_environment(c), member_text(c->body, "path", "/"));
}

static json_t *shown_secret(const json_t *secret) {
        return json_pack("{s:O, s:O, s:O}", "name", json_object_get(secret, "name"), "id",
                         json_object_get(secret, "id"), "version",
                         json_object_get(secret, "version"));
}

json_t *control_put_secret(struct control *c) {
        _cleanup_(json_decrefp) json_t *wanted = json_deep_copy(c->body);
        json_t *folder = find_folder(c), *secret;

        if (!folder)
                return control_error(c, 404, "no such folder: PUT /folder makes one");
        (void)json_object_del(wanted, "project");
        (void)json_object_del(wanted, "environment");
        (void)json_object_del(wanted, "path");
        secret = secret_put(c->standin, folder, wanted);
        return secret ? shown_secret(secret) : control_error(c, 400, "a secret needs a name");
}

json_t *control_delete_secret(struct control *c) {
        json_t *secrets = json_object_get(find_folder(c), "secrets");
        json_t *secret = secret_find(find_folder(c), member_text(c->body, "name", NULL));

        for (size_t i = 0;
             json_is_true(json_object_get(c->body, "forget")) && i < json_array_size(secrets); i++)
                if (json_array_get(secrets, i) == secret) {
                        (void)json_array_remove(secrets, i);
                        return done();
                }
        if (!secret || json_is_true(json_object_get(secret, "deleted")))
                return control_error(c, 404, "no such secret");
        (void)json_object_set_new(secret, "deleted", json_true());
        return done();
}

json_t *control_put_folder(struct control *c) {
        _cleanup_(json_decrefp) json_t *folder =
            json_pack("{s:s, s:[]}", "path", member_text(c->body, "path", ""), "secrets");
        json_t *environment = find_environment(c), *before;
        char uuid[37];

        if (!environment || *member_text(c->body, "path", "") != '/')
                return control_error(c, 404, "no such environment, or a path without a slash");
        before = folder_find(environment, member_text(c->body, "path", ""));
        if (!before) {
                random_uuid(uuid);
                (void)json_object_set_new(folder, "id", json_string(uuid));
                (void)json_object_set_new(folder, "imports", json_array());
                (void)json_object_set_new(folder, "created_at",
                                          json_string("2026-01-01T00:00:00.000Z"));
                (void)json_object_set_new(folder, "updated_at",
                                          json_string("2026-01-01T00:00:00.000Z"));
                (void)json_array_append(json_object_get(environment, "folders"), folder);
                before = folder;
        }
        if (json_is_array(json_object_get(c->body, "imports")))
                (void)json_object_set(before, "imports", json_object_get(c->body, "imports"));
        return done();
}

json_t *control_delete_folder(struct control *c) {
        json_t *folders = json_object_get(find_environment(c), "folders"), *folder = find_folder(c);

        for (size_t i = 0; folder && i < json_array_size(folders); i++)
                if (json_array_get(folders, i) == folder) {
                        (void)json_array_remove(folders, i);
                        return done();
                }
        return control_error(c, 404, "no such folder");
}

/* The token's text: the literal of the state file, else a JWT, which is made once unless @fresh. */
static json_t *shown_token(struct standin *s, json_t *record, bool fresh) {
        json_t *value = json_object_get(record, "value"), *shown;
        json_int_t ttl;

        if (!value && (fresh || !json_object_get(record, "jwt"))) {
                char *text = access_issue(s, record, &ttl);

                (void)json_object_set_new(record, "jwt", json_string(text));
                free(text);
        }
        shown = json_deep_copy(record);
        (void)json_object_del(shown, "jwt");
        (void)json_object_set(shown, "value", value ? value : json_object_get(record, "jwt"));
        return shown;
}

json_t *control_get_tokens(struct control *c) {
        json_t *record = token_find(c->standin, c->argument), *all;
        size_t i;

        if (*c->argument)
                return record ? shown_token(c->standin, record, false)
                              : control_error(c, 404, "no such token");
        all = json_array();
        json_array_foreach(c->standin->tokens, i, record)(void)
            json_array_append(all, json_object_get(record, "name"));
        return json_pack("{s:o}", "tokens", all);
}

static json_t *add_token(struct control *c) {
        json_t *record = json_deep_copy(c->body);

        if (token_find(c->standin, member_text(record, "name", NULL)) ||
            !token_complete(c->standin, record)) {
                json_decref(record);
                return control_error(c, 400, "the name is taken or the identity is unknown");
        }
        (void)json_array_append_new(c->standin->tokens, record);
        return shown_token(c->standin, record, false);
}

json_t *control_post_tokens(struct control *c) {
        json_t *record = token_find(c->standin, c->argument);

        if (!*c->argument)
                return add_token(c);
        if (!record)
                return control_error(c, 404, "no such token");
        if (strcmp(c->verb, "revoke") == 0)
                (void)json_object_set_new(record, "revoked",
                                          json_string(member_text(c->body, "reason", "token")));
        else if (strcmp(c->verb, "expire") == 0)
                (void)json_object_set_new(record, "expired", json_true());
        else if (strcmp(c->verb, "delete") == 0)
                access_delete(record);
        else if (strcmp(c->verb, "set") == 0)
                (void)json_object_update(record, (json_t *)(uintptr_t)c->body);
        else if (strcmp(c->verb, "issue") == 0)
                return shown_token(c->standin, record, true);
        else
                return control_error(c, 404, "one of revoke, expire, delete, set, issue");
        return done();
}

json_t *control_post_identities(struct control *c) {
        json_t *identity = identity_find(
            c->standin, *c->argument ? c->argument : member_text(c->body, "name", NULL));
        bool added = !identity;

        if (added)
                identity = json_deep_copy(c->body);
        else
                (void)json_object_update(identity, (json_t *)(uintptr_t)c->body);
        if (!identity_complete(c->standin, identity)) {
                if (added)
                        json_decref(identity);
                return control_error(c, 400, "an identity needs a name and projects that exist");
        }
        if (added)
                (void)json_array_append_new(c->standin->identities, identity);
        return json_deep_copy(identity);
}

json_t *control_post_client_secrets(struct control *c) {
        json_t *identity = identity_find(c->standin, c->argument);
        json_t *login = json_object_get(identity, "universal_auth");
        json_t *secrets = json_object_get(login, "client_secrets"), *secret;
        const char *text = member_text(c->body, "secret", NULL);
        size_t i;

        if (!login || !text)
                return control_error(c, 404,
                                     "no such identity with universal_auth, or no secret named");
        if (strcmp(c->verb, "revoke") == 0) {
                json_array_foreach(secrets, i, secret) if (strcmp(member_text(secret, "secret", ""),
                                                                  text) == 0)(void)
                    json_object_set_new(secret, "revoked", json_true());
                return done();
        }
        (void)json_array_append_new(secrets, json_deep_copy(c->body));
        return identity_complete(c->standin, identity)
                   ? done()
                   : control_error(c, 400, "not a client secret");
}
