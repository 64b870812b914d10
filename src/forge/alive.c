#include "forge/alive.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "forge/adapter.h"

/* A user object is 2 to 5 KiB. */
#define ANSWER_MAX_BYTES ((size_t)32 * 1024)

/* Together below request_timeout's default, so that who asked gets the verdict and not the end of
 * his patience. */
#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)
#define TIMEOUT         (5 * USEC_PER_SEC)

struct forge_alive {
        const struct forge_config *forge;
        struct http_call *call;
        forge_alive_done done;
        void *userdata;
        bool delivering;
};

static char *user_url(const struct forge_adapter *adapter, const struct forge_config *forge) {
        _cleanup_(freep) char *api = adapter->api_url(forge->url);
        char *url = NULL;

        return api && asprintf(&url, "%s/user", api) >= 0 ? url : NULL;
}

static bool is_user(const struct forge_adapter *adapter, const json_t *root) {
        const char *login = json_member_string(root, adapter->login);
        json_int_t id;

        return login && *login && json_member_int(root, "id", &id);
}

static const struct forge_meaning *find_meaning(const struct forge_adapter *adapter,
                                                const struct forge_answer *answer) {
        for (size_t i = 0; i < adapter->n_meanings; i++) {
                const struct forge_meaning *meaning = &adapter->meanings[i];

                if ((meaning->status == 0 || meaning->status == answer->response->status) &&
                    fnmatch(meaning->text, answer->text, 0) == 0)
                        return meaning;
        }
        return NULL;
}

enum forge_life forge_refusal_life(const struct forge_adapter *adapter,
                                   const struct forge_config *forge, const char *url,
                                   const struct forge_answer *answer, struct error *err) {
        const struct http_response *response = answer->response;
        const struct forge_meaning *meaning;

        if (response->status < 400 || !answer->root || !adapter->is_refusal(answer)) {
                (void)forge_answer_foreign(forge, url, response, err);
                return FORGE_TOKEN_UNKNOWN;
        }
        meaning = find_meaning(adapter, answer);
        if (!meaning) {
                (void)forge_answer_undecided(forge, url, response, err);
                return FORGE_TOKEN_UNKNOWN;
        }
        if (meaning->code != DIAG_NONE)
                (void)forge_answer_set(forge, url, response, meaning->code, meaning->what, err);
        if (meaning->remedy)
                error_remedy_set(err, "%s", meaning->remedy);
        return meaning->life;
}

static enum forge_life judge(const struct forge_adapter *adapter, const struct forge_config *forge,
                             const char *url, const struct forge_answer *answer,
                             struct error *err) {
        if (answer->response->status == 200 && answer->root && is_user(adapter, answer->root))
                return FORGE_TOKEN_ALIVE;
        return forge_refusal_life(adapter, forge, url, answer, err);
}

enum forge_life forge_classify_life(const struct forge_config *forge,
                                    const struct http_response *response, struct error *err) {
        const struct forge_adapter *adapter = forge_adapter_find(forge->type);
        _cleanup_(freep) char *url = adapter ? user_url(adapter, forge) : NULL;
        struct forge_answer answer;
        enum forge_life life;

        *err = (struct error){ 0 };
        if (!adapter) {
                (void)forge_cannot_be_asked(forge, err);
                return FORGE_TOKEN_UNKNOWN;
        }
        if (!url) {
                (void)error_oom(err);
                return FORGE_TOKEN_UNKNOWN;
        }
        forge_answer_read(&answer, response);
        life = judge(adapter, forge, url, &answer, err);
        forge_answer_done(&answer);
        return life;
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err) {
        struct forge_alive *alive = userdata;
        enum forge_life life = FORGE_TOKEN_UNKNOWN;
        struct error error = *err;

        alive->call = NULL;
        if (response)
                life = forge_classify_life(alive->forge, response, &error);
        else
                (void)error_prefix(&error, "forge '%s'", alive->forge->name);
        /* What net/http advises names settings that a forge does not have. */
        if (!response)
                error_remedy_set(
                    &error, "Check url and ca_file of [forge %s], and that this host reaches it.",
                    alive->forge->name);
        alive->delivering = true;
        alive->done(alive->userdata, life, &error);
        free(alive);
}

static int send_request(struct http_client *client, const struct forge_adapter *adapter,
                        struct secret *token, struct forge_alive *alive, struct error *err) {
        _cleanup_(secret_unrefp) struct secret *authorization =
            forge_authorization(adapter->scheme, token);
        _cleanup_(secret_unrefp) struct secret *headers =
            adapter->headers ? secret_copy(adapter->headers, strlen(adapter->headers)) : NULL;
        _cleanup_(freep) char *url = user_url(adapter, alive->forge);
        const struct http_request request = {
                .method = "GET",
                .url = url,
                .ca_file = alive->forge->ca_file,
                .accept = adapter->accept,
                .authorization = authorization,
                .headers = headers,
                .connect_timeout = CONNECT_TIMEOUT,
                .timeout = TIMEOUT,
                .max_body_bytes = ANSWER_MAX_BYTES,
        };

        if (!url)
                return error_oom(err);
        if (!authorization || (adapter->headers && !headers))
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a request");
        return http_start(client, &request, on_answer, alive, &alive->call, err);
}

int forge_alive_start(struct http_client *client, const struct forge_config *forge,
                      struct secret *token, forge_alive_done done, void *userdata,
                      struct forge_alive **ret, struct error *err) {
        const struct forge_adapter *adapter = forge_adapter_find(forge->type);
        _cleanup_(freep) struct forge_alive *alive = calloc(1, sizeof(*alive));
        int r;

        if (!alive)
                return error_oom(err);
        if (!adapter)
                return forge_cannot_be_asked(forge, err);
        alive->forge = forge;
        alive->done = done;
        alive->userdata = userdata;
        r = send_request(client, adapter, token, alive, err);
        if (r < 0)
                return r;
        *ret = take(alive);
        return 0;
}

struct forge_alive *forge_alive_cancel(struct forge_alive *alive) {
        /* Inside its own done() it is on its way out already. */
        if (!alive || alive->delivering)
                return NULL;
        (void)http_cancel(alive->call);
        free(alive);
        return NULL;
}
