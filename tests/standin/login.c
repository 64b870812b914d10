/*
 * Universal Auth.  docs/upstream/infisical.md, "Universal Auth".
 */
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "answer.h"
#include "counters.h"
#include "routes.h"
#include "tree.h"

static char *trimmed(const json_t *text) {
        const char *start = json_string_value(text);
        size_t length;

        start += strspn(start, " \t\r\n");
        length = strlen(start);
        while (length > 0 && strchr(" \t\r\n", start[length - 1]))
                length--;
        return format_text("%.*s", (int)length, start);
}

static void refuse(struct request *r, const char *message) {
        counters_add(r->standin, NULL, "logins_failed", 1);
        answer_unauthorized(r, message);
}

static void refuse_client_id(struct request *r) {
        json_int_t status = (json_int_t)settings_number(
            r->standin->settings, "unknown_client_id_status",
            settings_generation(r->standin) == GENERATION_B ? 404 : 401);

        if (status == 404) {
                counters_add(r->standin, NULL, "logins_failed", 1);
                answer_error(r, 404, "NotFound", "No identity with specified client ID was found",
                             NULL);
        } else {
                refuse(r, "Invalid credentials");
        }
}

static bool lockout_enabled(const struct standin *s) {
        const json_t *enabled = json_object_get(json_object_get(s->settings, "lockout"), "enabled");

        return json_is_boolean(enabled) ? json_is_true(enabled)
                                        : settings_generation(s) == GENERATION_C;
}

static bool locked(const struct standin *s, const json_t *login) {
        return lockout_enabled(s) && settings_number(login, "locked_until", 0) > standin_now(s);
}

/* A failure counts only if the one before it is not forgotten yet; the last one locks. */
static void count_failure(struct standin *s, json_t *login) {
        const json_t *rules = json_object_get(s->settings, "lockout");
        double now = standin_now(s), failures = settings_number(login, "failures", 0);

        if (!lockout_enabled(s))
                return;
        if (settings_number(login, "last_failure", 0) +
                settings_number(rules, "window_seconds", 30) <
            now)
                failures = 0;
        failures++;
        (void)json_object_set_new(login, "last_failure", json_real(now));
        if (failures >= settings_number(rules, "threshold", 3)) {
                failures = 0;
                (void)json_object_set_new(
                    login, "locked_until",
                    json_real(now + settings_number(rules, "lock_seconds", 300)));
        }
        (void)json_object_set_new(login, "failures", json_integer((json_int_t)failures));
}

static json_t *client_secret_find(const json_t *login, const char *text) {
        size_t i;
        json_t *secret;

        json_array_foreach(
            json_object_get(login, "client_secrets"), i,
            secret) if (strcmp(member_text(secret, "secret", ""), text) == 0 && *text &&
                        !json_is_true(json_object_get(secret, "revoked"))) return secret;
        return NULL;
}

/* An outlived secret is told so once, and flagged: the next attempt is just wrong. */
static bool refuse_outlived(struct request *r, json_t *secret) {
        double ttl = settings_number(secret, "ttl", 0),
               limit = settings_number(secret, "uses_limit", 0);
        const char *message = NULL;

        if (ttl > 0 && settings_number(secret, "created", 0) + ttl < standin_now(r->standin))
                message = "Access denied due to expired client secret";
        else if (limit > 0 && settings_number(secret, "uses", 0) >= limit)
                message = "Access denied due to client secret usage limit reached";
        if (!message)
                return false;
        (void)json_object_set_new(secret, "revoked", json_true());
        refuse(r, message);
        return true;
}

static void log_in(struct request *r, json_t *identity, json_t *login, const char *secret_text) {
        struct standin *s = r->standin;
        json_t *secret, *record;
        json_int_t ttl;
        char *text;

        if (!address_trusted(json_object_get(login, "secret_trusted_ips"), r->address)) {
                counters_add(s, NULL, "logins_failed", 1);
                answer_error(
                    r, 403, "ForbiddenError",
                    "You are not allowed to access this resource from the current IP address",
                    NULL);
                return;
        }
        if (locked(s, login)) {
                refuse(r,
                       "This identity auth method is temporarily locked, please try again later");
                return;
        }
        secret = client_secret_find(login, secret_text);
        if (!secret) {
                count_failure(s, login);
                refuse(r, "Invalid credentials");
                return;
        }
        if (refuse_outlived(r, secret))
                return;
        (void)json_object_del(login, "failures");
        (void)json_object_set_new(secret, "uses",
                                  json_integer((json_int_t)settings_number(secret, "uses", 0) + 1));
        record = access_record(s, identity, "universal-auth", member_text(secret, "id", ""));
        text = access_issue(s, record, &ttl);
        counters_add(s, NULL, "logins_ok", 1);
        answer_json(r, 200, access_answer(s, record, text, ttl));
}

void login_universal_auth(struct request *r) {
        static const char *const fields[] = { "clientId", "clientSecret" };
        _cleanup_(freep) char *client_id = NULL, *secret = NULL;
        json_t *issues = json_array(), *identity;

        if (!json_is_object(r->json)) {
                issue_type(issues, NULL, "object", r->json);
        } else {
                for (size_t i = 0; i < ELEMENTS(fields); i++)
                        if (!json_is_string(json_object_get(r->json, fields[i])))
                                issue_type(issues, fields[i], "string",
                                           json_object_get(r->json, fields[i]));
        }
        if (json_array_size(issues) > 0) {
                counters_add(r->standin, NULL, "logins_failed", 1);
                answer_issues(r, issues);
                return;
        }
        json_decref(issues);
        client_id = trimmed(json_object_get(r->json, "clientId"));
        secret = trimmed(json_object_get(r->json, "clientSecret"));
        identity = identity_by_client_id(r->standin, client_id);
        if (!identity)
                refuse_client_id(r);
        else
                log_in(r, identity, json_object_get(identity, "universal_auth"), secret);
}
