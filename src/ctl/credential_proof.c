#include "ctl/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "infisical/credential.h"
#include "infisical/infisical.h"
#include "infisical/session.h"

/* What runs while the proof waits for it. */
struct proof {
        sd_event *event;
        struct http_client *http;
        struct infisical_server server;
        struct secret *headers;
        struct secret *access_token; /* what reads */
        bool obtained;               /* by a login here: to be revoked */
        struct error error;          /* of the last call; code DIAG_NONE: it went well */
};

static void proof_done(struct proof *proof) {
        proof->http = http_client_free(proof->http);
        (void)sd_event_unref(proof->event);
        (void)secret_unref(proof->headers);
        (void)secret_unref(proof->access_token);
}

static int wait_for_call(struct proof *proof, struct error *err) {
        int r = sd_event_loop(proof->event);

        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "the event loop failed: %s",
                                 strerror(-r));
        *err = proof->error;
        return -(int)proof->error.code;
}

/* A new loop for each call: sd_event_exit() ends one for good. */
static int begin(struct proof *proof, const struct identity_config *identity, const char *url,
                 struct error *err) {
        proof->http = http_client_free(proof->http);
        proof->event = sd_event_unref(proof->event);
        if (sd_event_new(&proof->event) < 0)
                return error_oom(err);
        proof->server = (struct infisical_server){
                .url = url,
                .ca_file = identity->ca_file,
                .proxy = identity->proxy,
                .headers = proof->headers,
                .connect_timeout = identity->connect_timeout,
                .timeout = identity->timeout,
                .use_v3 = proof->server.use_v3,
                .v3_since = proof->server.v3_since,
        };
        proof->error = (struct error){ 0 };
        return http_client_new(proof->event, &proof->http, err);
}

static void on_login(void *userdata, const struct infisical_session *session,
                     const struct error *err) {
        struct proof *proof = userdata;

        proof->error = *err;
        if (session->access_token) {
                proof->error.code = DIAG_NONE;
                (void)secret_unref(proof->access_token);
                proof->access_token = secret_ref(session->access_token);
                proof->obtained = true;
        }
        (void)sd_event_exit(proof->event, 0);
}

static void on_revoked(void *userdata, const struct infisical_session *session,
                       const struct error *err) {
        struct proof *proof = userdata;

        (void)session;
        (void)err; /* it ends by itself */
        (void)sd_event_exit(proof->event, 0);
}

static void on_read(void *userdata, const struct infisical_result *result,
                    const struct error *err) {
        struct proof *proof = userdata;

        proof->error = *err;
        if (result->verdict.code == DIAG_NONE)
                proof->error.code = DIAG_NONE;
        (void)sd_event_exit(proof->event, 0);
}

static bool is_elsewhere(enum diagnosis code) {
        return code == DIAG_UPSTREAM_BLOCKED || code == DIAG_UPSTREAM_UNREACHABLE ||
               code == DIAG_UPSTREAM_TLS || code == DIAG_UPSTREAM_TIMEOUT ||
               code == DIAG_UPSTREAM_MALFORMED;
}

static int login(struct proof *proof, const struct new_credential *credential,
                 const struct identity_config *identity, const char *url, struct error *err) {
        struct infisical_login *call;
        int r;

        r = begin(proof, identity, url, err);
        if (r >= 0)
                r = infisical_login(proof->http, &proof->server, credential->client_id,
                                    credential->client_secret, on_login, proof, &call, err);
        return r < 0 ? r : wait_for_call(proof, err);
}

static void end_session(struct proof *proof, const struct identity_config *identity,
                        const char *url) {
        struct infisical_login *call;
        struct error err;

        if (proof->obtained && begin(proof, identity, url, &err) >= 0 &&
            infisical_revoke(proof->http, &proof->server, proof->access_token, on_revoked, proof,
                             &call, &err) >= 0)
                (void)wait_for_call(proof, &err);
}

static int read_token(struct proof *proof, const struct identity_config *identity, const char *url,
                      const struct token_config *token, struct error *err) {
        const struct infisical_address address = { identity->project_id, identity->environment,
                                                   token->secret_path, token->secret_name };
        struct infisical_call *call;
        int r;

        r = begin(proof, identity, url, err);
        if (r >= 0)
                r = infisical_read(proof->http, &proof->server, &address, proof->access_token, NULL,
                                   on_read, proof, &call, err);
        if (r >= 0)
                r = wait_for_call(proof, err);
        if (r < 0)
                (void)printf("  %s: %s: %s\n", token->name, diagnosis_info(err->code)->name,
                             err->detail);
        else
                (void)printf("  %s: readable\n", token->name);
        return r;
}

/* All of them, so that one run says all that is wrong. */
static int read_tokens(struct proof *proof, const struct config *config,
                       const struct identity_config *identity, const char *url, struct error *err) {
        struct error first = { 0 };
        size_t count = 0;

        for (size_t i = 0; i < config->n_tokens; i++) {
                struct error error;

                if (config->tokens[i]->identity != identity)
                        continue;
                count++;
                if (read_token(proof, identity, url, config->tokens[i], &error) < 0 &&
                    first.code == DIAG_NONE)
                        first = error;
        }
        if (count == 0)
                return error_set(err, DIAG_CREDENTIAL_MISSING,
                                 "no token uses identity '%s': nothing can prove its credential",
                                 identity->name);
        *err = first;
        return -(int)first.code;
}

static int prove_at(struct proof *proof, const struct new_credential *credential,
                    const struct config *config, const struct identity_config *identity,
                    const char *url, struct error *err) {
        int r = 0;

        (void)printf("%s\n", url);
        if (credential->universal) {
                r = login(proof, credential, identity, url, err);
                if (r < 0) {
                        (void)printf("  login: %s: %s\n", diagnosis_info(err->code)->name,
                                     err->detail);
                        return r;
                }
                (void)printf("  login: ok\n");
        } else {
                proof->access_token = secret_unref(proof->access_token);
                proof->access_token = secret_ref(credential->token);
        }
        r = read_tokens(proof, config, identity, url, err);
        end_session(proof, identity, url);
        return r;
}

int credential_proof(const struct new_credential *credential, const struct config *config,
                     const struct identity_config *identity, struct error *err) {
        _cleanup_(proof_done) struct proof proof = { 0 };
        int r = 0;

        if (identity->header_file) {
                r = credential_read_headers("header_file", identity->header_file, &proof.headers,
                                            err);
                if (r < 0)
                        return r;
        }
        /* As the daemon does: the next URL when what answers is not Infisical. */
        for (char **url = identity->urls; *url; url++) {
                r = prove_at(&proof, credential, config, identity, *url, err);
                if (r >= 0 || !is_elsewhere(err->code))
                        return r;
        }
        return r;
}
