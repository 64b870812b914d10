#include <string.h>

#include "base/text.h"
#include "infisical/credential.h"
#include "infisical/refusal.h"
#include "infisical/session.h"

#define OWN  ANSWER_INFISICAL
#define BARE ANSWER_FRAMEWORK

/* The lock of one login route's counter, not a rate: gone in a moment. */
#define CONTENTION_PAUSE (5 * USEC_PER_SEC)

/* A session that is over before a read could be made with it is no session. */
#define LIFETIME_LEAST (10 * USEC_PER_SEC)

/* docs/upstream/infisical.md, "Universal Auth"; the first row that fits decides. */
static const struct meaning meanings[] = {
        { 0, NULL, "*temporarily locked*", OWN, DIAG_CREDENTIAL_LOCKED_OUT, false,
          "Replace the client secret if it is wrong; the lock ends by itself, 300 s after the last "
          "wrong attempt unless the "
          "identity says otherwise." },
        { 0, NULL, "*from the current IP address*", BARE, DIAG_ADDRESS_NOT_ALLOWED, false, NULL },
        { 0, NULL, "*expired client secret*", BARE, DIAG_CREDENTIAL_EXPIRED, false,
          "Create a new client secret for the identity in Infisical and replace "
          "client_secret_file." },
        { 0, NULL, "*client secret usage limit reached*", BARE, DIAG_CREDENTIAL_USES_EXHAUSTED,
          false,
          "Create a client secret without a limit of uses and replace client_secret_file: the "
          "broker logs in at each start." },
        { 0, NULL, "Invalid credentials*", BARE, DIAG_CREDENTIAL_REJECTED, true,
          "Check client_id_file and client_secret_file: the pair is wrong, or the secret was "
          "revoked." },
        { 404, NULL, "No identity with specified client ID*", OWN, DIAG_CREDENTIAL_REJECTED, true,
          "Check client_id_file: this Infisical knows no identity with that client id." },
        { 0, "TokenError", NULL, OWN, DIAG_UPSTREAM_BLOCKED, false,
          "Let nothing between this host and Infisical add an Authorization header: none was sent, "
          "and Infisical read one." },
        { 429, NULL, "Failed to acquire lock*", BARE, DIAG_UPSTREAM_RATE_LIMITED, false, NULL },
        { 429, NULL, NULL, BARE, DIAG_UPSTREAM_RATE_LIMITED, false, NULL },
        { 401, "UnauthorizedError", NULL, BARE, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 403, "UnauthorizedError", NULL, BARE, DIAG_CREDENTIAL_REJECTED, false, NULL },
        { 404, "Not Found", "Route *", BARE, DIAG_UPSTREAM_MALFORMED, false,
          "Check that url is the base address of Infisical, without a path of its own." },
        { 422, NULL, NULL, BARE, DIAG_UPSTREAM_ERROR, false,
          "Check client_id_file and client_secret_file; if they are right, report this detail." },
        { 400, NULL, NULL, BARE, DIAG_UPSTREAM_ERROR, false, NULL },
        { 500, NULL, NULL, BARE, DIAG_UPSTREAM_ERROR, false, NULL },
        { 0, NULL, NULL, OWN, DIAG_UPSTREAM_ERROR, false, NULL },
};

static int refuse_shape(const char *url, const char *what, struct infisical_session *session,
                        struct error *err) {
        (void)error_set(err, DIAG_UPSTREAM_MALFORMED, "%s answered the login with %s", url, what);
        return verdict_set(&session->verdict, DIAG_UPSTREAM_MALFORMED, false);
}

/* Older builds made numbers of strings; a number is asked for and digits are taken. */
static bool read_seconds(const json_t *root, const char *key, json_int_t *ret) {
        const char *text = json_member_string(root, key);
        json_int_t seconds = 0;

        if (json_member_int(root, key, ret))
                return *ret >= 0;
        if (!text || !*text || strlen(text) > 12)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                seconds = seconds * 10 + (*text - '0');
        }
        *ret = seconds;
        return true;
}

static bool is_access_token(const char *text, size_t length) {
        return length > 0 && length <= CREDENTIAL_MAX_BYTES &&
               text[strspn(text,
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] ==
                   '\0';
}

/* The shorter of what the answer and the token itself say; 0: neither knows an end. */
static usec_t lifetime(const struct secret *token, json_int_t expires_in, usec_t now) {
        usec_t span = expires_in > 0 && expires_in < INT64_C(100000000000)
                          ? (usec_t)expires_in * USEC_PER_SEC
                          : 0;
        struct token_claims claims;

        if (token_claims_read(token, &claims) && claims.expires_at > 0) {
                usec_t left = usec_sub(claims.expires_at, now);

                if (span == 0 || left < span)
                        span = left > 0 ? left : 1;
        }
        return span;
}

static int classify_session(const json_t *root, const char *url, usec_t now,
                            struct infisical_session *session, struct error *err) {
        const char *token = json_member_string(root, "accessToken");
        json_int_t expires_in;

        if (!token || !is_access_token(token, json_member_string_length(root, "accessToken")))
                return refuse_shape(url, "JSON without an access token", session, err);
        if (!read_seconds(root, "expiresIn", &expires_in))
                return refuse_shape(url, "JSON in which expiresIn is no number of seconds", session,
                                    err);
        session->access_token = secret_copy(token, json_member_string_length(root, "accessToken"));
        if (!session->access_token) {
                (void)error_set(err, DIAG_INTERNAL_ERROR,
                                "no locked memory left for an access token");
                return verdict_set(&session->verdict, DIAG_INTERNAL_ERROR, false);
        }
        session->lifetime = lifetime(session->access_token, expires_in, now);
        if (session->lifetime == 0 || session->lifetime >= LIFETIME_LEAST)
                return 0;
        session->access_token = secret_unref(session->access_token);
        (void)error_set(err, DIAG_CREDENTIAL_EXPIRED,
                        "%s gave an access token that expires at once", url);
        error_remedy_set(err, "Set the right time on this host and on Infisical's, and an access "
                              "token TTL of minutes or more "
                              "for the identity's Universal Auth.");
        return verdict_set(&session->verdict, DIAG_CREDENTIAL_EXPIRED, false);
}

static int classify_failure(const struct http_response *response, const json_t *root,
                            const char *url, struct infisical_session *session, struct error *err) {
        const struct meaning *meaning;
        struct answer answer;

        answer_read(&answer, response->status, root);
        meaning =
            response->status >= 400 ? meaning_find(meanings, ELEMENTS(meanings), &answer) : NULL;
        if (!meaning)
                return answer_classify_foreign(response, &answer, url, &session->verdict, err);
        (void)meaning_apply(meaning, response, &answer, &session->verdict, err);
        if (meaning->message && text_starts_with(meaning->message, "Failed to acquire"))
                session->verdict.pause = CONTENTION_PAUSE;
        return -(int)meaning->code;
}

int infisical_classify_login(const struct http_response *response, const char *url, usec_t now,
                             struct infisical_session *ret, struct error *err) {
        json_t *root = NULL;
        int r;

        *ret = (struct infisical_session){ 0 };
        (void)error_set(err, DIAG_NONE, "%s", "");
        if (strcmp(response->content_type, "application/json") == 0)
                root = json_parse(secret_bytes(response->body), secret_length(response->body));
        if (response->status != 200) {
                r = classify_failure(response, root, url, ret, err);
        } else if (json_is_object(root)) {
                r = classify_session(root, url, now, ret, err);
        } else if (strcmp(response->content_type, "text/html") == 0) {
                (void)error_set(err, DIAG_UPSTREAM_BLOCKED, "%s answered the login with a web page",
                                url);
                r = verdict_set(&ret->verdict, DIAG_UPSTREAM_BLOCKED, false);
        } else {
                r = refuse_shape(url, "something that is no JSON", ret, err);
        }
        json_decref(root);
        return r;
}
