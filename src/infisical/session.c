#include "infisical/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infisical/credential.h"

#define ANSWER_MAX_BYTES ((size_t)32 * 1024)
#define BODY_MAX_BYTES   ((size_t)4 * CREDENTIAL_MAX_BYTES)

struct infisical_login {
        const char *url;
        struct secret *body;
        infisical_login_done done;
        void *userdata;
        struct http_call *request;
        bool is_revocation, delivering;
};

struct infisical_login *infisical_login_cancel(struct infisical_login *login) {
        /* Inside its own done() it is on its way out already. */
        if (!login || login->delivering)
                return NULL;
        (void)http_cancel(login->request);
        (void)secret_unref(login->body);
        free(login);
        return NULL;
}
DEFINE_CLEANUP(struct infisical_login *, infisical_login_cancel);

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err) {
        struct infisical_login *login = userdata;
        struct infisical_session session = { 0 };
        struct error error = *err;

        login->request = NULL;
        if (!response)
                session.verdict.code = err->code;
        else if (!login->is_revocation)
                (void)infisical_classify_login(response, login->url, clock_realtime(), &session,
                                               &error);
        else if (response->status != 200)
                (void)error_set(&error, DIAG_UPSTREAM_ERROR, "%s answered the revocation with %d",
                                login->url, response->status);
        login->delivering = true;
        login->done(login->userdata, &session, &error);
        login->delivering = false;
        (void)secret_unref(session.access_token);
        (void)infisical_login_cancel(login);
}

/* Credentials are printable ASCII without blanks: of that, JSON wants two characters escaped. */
static bool append_json_string(struct secret *body, const struct secret *value) {
        const char *bytes = secret_bytes(value);

        if (!secret_append(body, "\"", 1))
                return false;
        for (size_t i = 0; i < secret_length(value); i++) {
                if ((bytes[i] == '"' || bytes[i] == '\\') && !secret_append(body, "\\", 1))
                        return false;
                if (!secret_append(body, &bytes[i], 1))
                        return false;
        }
        return secret_append(body, "\"", 1);
}

static bool append_text(struct secret *body, const char *text) {
        return secret_append(body, text, strlen(text));
}

static int post(struct http_client *http, const struct infisical_server *server, const char *route,
                struct infisical_login *login, struct error *err) {
        char url[1024];
        const struct http_request request = {
                .method = "POST",
                .url = url,
                .ca_file = server->ca_file,
                .proxy = server->proxy,
                .headers = server->headers,
                .body = login->body,
                .connect_timeout = server->connect_timeout,
                .timeout = server->timeout,
                .max_body_bytes = ANSWER_MAX_BYTES,
        };
        int n = snprintf(url, sizeof(url), "%.*s%s", (int)infisical_path_length(server->url),
                         server->url, route);

        if (n < 0 || (size_t)n >= sizeof(url))
                return error_set(err, DIAG_INTERNAL_ERROR, "the URL of the login is too long");
        return http_start(http, &request, on_answer, login, &login->request, err);
}

static struct infisical_login *login_new(const struct infisical_server *server,
                                         infisical_login_done done, void *userdata) {
        struct infisical_login *login = calloc(1, sizeof(*login));

        if (!login)
                return NULL;
        *login = (struct infisical_login){ .url = server->url,
                                           .done = done,
                                           .userdata = userdata,
                                           .body = secret_new(BODY_MAX_BYTES) };
        return login->body ? login : infisical_login_cancel(login);
}

int infisical_login(struct http_client *http, const struct infisical_server *server,
                    struct secret *client_id, struct secret *client_secret,
                    infisical_login_done done, void *userdata, struct infisical_login **ret,
                    struct error *err) {
        _cleanup_(infisical_login_cancelp) struct infisical_login *login =
            login_new(server, done, userdata);
        int r;

        if (!login || !append_text(login->body, "{\"clientId\":") ||
            !append_json_string(login->body, client_id) ||
            !append_text(login->body, ",\"clientSecret\":") ||
            !append_json_string(login->body, client_secret) || !append_text(login->body, "}"))
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a login");
        r = post(http, server, "/api/v1/auth/universal-auth/login", login, err);
        if (r >= 0)
                *ret = take(login);
        return r;
}

int infisical_revoke(struct http_client *http, const struct infisical_server *server,
                     struct secret *access_token, infisical_login_done done, void *userdata,
                     struct infisical_login **ret, struct error *err) {
        _cleanup_(infisical_login_cancelp) struct infisical_login *login =
            login_new(server, done, userdata);
        int r;

        if (!login || !append_text(login->body, "{\"accessToken\":") ||
            !append_json_string(login->body, access_token) || !append_text(login->body, "}"))
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "no locked memory left for a revocation");
        login->is_revocation = true;
        r = post(http, server, "/api/v1/auth/token/revoke", login, err);
        if (r >= 0)
                *ret = take(login);
        return r;
}
