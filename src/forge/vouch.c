#include "forge/vouch_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/url.h"

/* A run carries its event's payload, which has whole commits in it. */
#define RUN_MAX_BYTES    ((size_t)128 * 1024)
#define ANSWER_MAX_BYTES ((size_t)32 * 1024)

/* An ID token may take three requests, one after the other, and request_timeout is 10 s. */
#define CONNECT_TIMEOUT (2 * USEC_PER_SEC)
#define TIMEOUT         (4 * USEC_PER_SEC)

static struct vouch *vouch_free(struct vouch *vouch) {
        if (!vouch)
                return NULL;
        (void)http_cancel(vouch->call);
        if (vouch->keys)
                key_desk_leave(vouch->keys, &vouch->waiter);
        id_token_done(&vouch->token);
        (void)secret_unref(vouch->proof);
        free(vouch->id_token_url);
        free(vouch->url);
        free(vouch);
        return NULL;
}
DEFINE_CLEANUP(struct vouch *, vouch_free);

static void finish(struct vouch *vouch, enum vouch_end end, const struct job_facts *facts,
                   const struct error *err) {
        vouch->delivering = true;
        vouch->keys = NULL; /* nothing waits there any more, and done() may free it */
        vouch->done(vouch->userdata, end, facts, err);
        (void)vouch_free(vouch);
}

void vouch_prove(struct vouch *vouch, struct job_facts *facts, usec_t expires_at) {
        facts->forge = vouch->forge;
        facts->expires_at = expires_at;
        finish(vouch, VOUCH_PROVEN, facts, &(struct error){ 0 });
}

void vouch_fail(struct vouch *vouch, enum vouch_end end, const struct error *err) {
        struct error error = *err;

        (void)error_prefix(&error, "forge '%s'", vouch->forge->name);
        finish(vouch, end, NULL, &error);
}

void vouch_undecided(struct vouch *vouch, const struct error *err) {
        struct error error = { 0 };

        (void)error_set(&error, DIAG_PROOF_INSUFFICIENT, "%s: %s", diagnosis_info(err->code)->name,
                        err->detail);
        error_remedy_set(&error, "%s", error_remedy(err));
        finish(vouch,
               err->code == DIAG_UPSTREAM_RATE_LIMITED ? VOUCH_ASKED_TOO_OFTEN : VOUCH_UNDECIDED,
               NULL, &error);
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err) {
        struct vouch *vouch = userdata;
        struct error error = *err;

        vouch->call = NULL;
        if (response) {
                vouch_read_answer(vouch, response);
                return;
        }
        (void)error_prefix(&error, "forge '%s'", vouch->forge->name);
        /* What net/http advises names settings that a forge does not have. */
        error_remedy_set(&error,
                         "Check url and ca_file of [forge %s], and that this host reaches it.",
                         vouch->forge->name);
        vouch_undecided(vouch, &error);
}

/* BASE/repos/OWNER/NAME, each name encoded. */
static char *repository_url(const char *base, const char *repository) {
        const char *slash = strchr(repository, '/');
        _cleanup_(freep) char *copy = strndup(repository, (size_t)(slash - repository));
        _cleanup_(freep) char *owner = copy ? text_percent_encode(copy) : NULL;
        _cleanup_(freep) char *name = text_percent_encode(slash + 1);
        char *url = NULL;

        return owner && name && asprintf(&url, "%s/repos/%s/%s", base, owner, name) >= 0 ? url
                                                                                         : NULL;
}

static char *route_url(const struct vouch *vouch, enum vouch_route route) {
        static const char *const paths[ROUTE_COUNT] = {
                [ROUTE_RUN] = "actions/run",
                [ROUTE_USER] = "user",
                [ROUTE_JOB] = "job",
                [ROUTE_INSTALLATION] = "installation/repositories?per_page=2"
        };
        _cleanup_(freep) char *base = vouch->adapter->api_url(vouch->forge->url);
        char *url = NULL;

        if (!base)
                return NULL;
        if (route == ROUTE_REPOSITORY)
                return repository_url(base, vouch->repository);
        return asprintf(&url, "%s/%s", base, paths[route]) >= 0 ? url : NULL;
}

/* Who knows GitLab's own header takes a job's token in no other. */
static struct secret *make_headers(const struct vouch *vouch, enum vouch_route route) {
        _cleanup_(secret_unrefp) struct secret *headers = secret_new(PROOF_MAX_BYTES + 256);
        const char *more = vouch->adapter->headers;
        static const char job_token[] = "JOB-TOKEN: ";

        if (!headers || (more && !secret_append(headers, more, strlen(more))))
                return NULL;
        if (route == ROUTE_JOB &&
            (!secret_append(headers, job_token, sizeof(job_token) - 1) ||
             !secret_append(headers, secret_bytes(vouch->proof), secret_length(vouch->proof)) ||
             !secret_append(headers, "\n", 1)))
                return NULL;
        return take(headers);
}

static int start_request(struct vouch *vouch, enum vouch_route route, const char *url,
                         struct error *err) {
        _cleanup_(secret_unrefp) struct secret *headers = make_headers(vouch, route);
        _cleanup_(secret_unrefp) struct secret *authorization =
            route == ROUTE_JOB ? NULL : forge_authorization("Bearer", vouch->proof);
        const struct http_request request = {
                .method = "GET",
                .url = url,
                .ca_file = vouch->forge->ca_file,
                .accept = route == ROUTE_ID_TOKEN ? NULL : vouch->adapter->accept,
                .authorization = authorization,
                .headers = headers,
                .connect_timeout = CONNECT_TIMEOUT,
                .timeout = TIMEOUT,
                .max_body_bytes = route == ROUTE_RUN ? RUN_MAX_BYTES : ANSWER_MAX_BYTES,
        };

        if (!headers || (route != ROUTE_JOB && !authorization))
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "no locked memory is left for a request");
        return http_start(vouch->keys->client, &request, on_answer, vouch, &vouch->call, err);
}

void vouch_send(struct vouch *vouch, enum vouch_route route) {
        _cleanup_(freep) char *request = NULL;
        struct error err = { 0 };
        int r;

        free(vouch->url);
        vouch->route = route;
        /* The rest of an ID token's address is the job's own text. */
        vouch->url =
            route == ROUTE_ID_TOKEN ? url_origin_of(vouch->id_token_url) : route_url(vouch, route);
        if (route == ROUTE_ID_TOKEN)
                request = vouch_id_token_request(vouch->forge, vouch->id_token_url);
        if (!vouch->url || (route == ROUTE_ID_TOKEN && !request))
                r = error_oom(&err);
        else
                r = start_request(vouch, route, request ? request : vouch->url, &err);
        if (r < 0)
                vouch_undecided(vouch, &err);
}

static void refuse(struct vouch *vouch, enum vouch_end end, const char *what, const char *remedy) {
        struct error err = { 0 };

        (void)error_set(&err,
                        end == VOUCH_INSUFFICIENT ? DIAG_PROOF_INSUFFICIENT : DIAG_PROOF_REJECTED,
                        "%s", what);
        if (remedy)
                error_remedy_set(&err, "%s [forge %s].", remedy, vouch->forge->name);
        vouch_fail(vouch, end, &err);
}

/* Nothing that would end a header early: it goes into one. */
static bool is_one_word(const struct secret *proof) {
        const char *bytes = secret_bytes(proof);

        for (size_t i = 0; i < secret_length(proof); i++)
                if (bytes[i] <= ' ' || bytes[i] > '~')
                        return false;
        return secret_length(proof) > 0 && secret_length(proof) <= PROOF_MAX_BYTES;
}

static bool is_hexadecimal(const char *text, size_t length) {
        return length == 40 && strspn(text, "0123456789abcdef") == length;
}

/* A job asks for another forge's token, and shows what is good at its own: that one alone may see
 * it.  Forms that only one kind of forge gives its tokens: docs/upstream/forges.md, "Who vouches
 * for a job". */
static bool is_of_another_kind(const struct vouch *vouch) {
        const char *text = secret_bytes(vouch->proof);
        bool is_github = text_starts_with(text, "ghs_") || text_starts_with(text, "ghp_") ||
                         text_starts_with(text, "gho_") || text_starts_with(text, "ghu_") ||
                         text_starts_with(text, "github_pat_");
        bool is_gitlab = text_starts_with(text, "glcbt-") || text_starts_with(text, "glpat-");

        if (is_github || is_gitlab)
                return vouch->forge->type != (is_github ? FORGE_GITHUB : FORGE_GITLAB);
        return is_hexadecimal(text, secret_length(vouch->proof)) &&
               vouch->forge->type != FORGE_FORGEJO && vouch->forge->type != FORGE_GITEA;
}

static void begin(struct vouch *vouch) {
        bool is_id_token = id_token_is_one(vouch->proof);

        if (!vouch->adapter)
                refuse(vouch, VOUCH_INSUFFICIENT, "a forge of type 'other' vouches for nobody",
                       "If it is a Forgejo, Gitea, GitHub or GitLab, say so with type in");
        else if (!is_one_word(vouch->proof))
                refuse(vouch, VOUCH_REFUSED, "what was shown cannot be a proof", NULL);
        else if ((vouch->id_token_url || is_id_token) &&
                 (!vouch->forge->oidc_audience || !vouch->forge->oidc_issuer))
                refuse(vouch, VOUCH_INSUFFICIENT, "its ID tokens are no proof here",
                       "Let the job show its automatic token, or accept its ID tokens by setting "
                       "oidc_audience in");
        else if (vouch->id_token_url && !vouch_is_id_token_url(vouch->forge, vouch->id_token_url))
                refuse(vouch, VOUCH_REFUSED,
                       "the address that ID tokens shall be requested at is not the forge's",
                       "Show the ID token itself, or name that host in id_token_hosts of");
        else if (vouch->id_token_url)
                vouch_send(vouch, ROUTE_ID_TOKEN);
        else if (is_id_token)
                vouch_check_id_token(vouch, vouch->proof);
        else if (is_of_another_kind(vouch))
                refuse(vouch, VOUCH_INSUFFICIENT,
                       "the token that was shown is another kind of forge's, and only that one may "
                       "see it",
                       "Ask for a token of the job's own forge, or let the host's operator set "
                       "vouched_by to that one; now it is");
        else if (vouch->forge->type == FORGE_FORGEJO)
                vouch_send(vouch, ROUTE_RUN);
        else if (vouch->forge->type == FORGE_GITEA)
                vouch_send(vouch, ROUTE_USER);
        else
                vouch_send(vouch,
                           vouch->forge->type == FORGE_GITHUB ? ROUTE_INSTALLATION : ROUTE_JOB);
}

int vouch_start(struct key_desk *keys, const struct vouch_question *question, vouch_done done,
                void *userdata, struct vouch **ret, struct error *err) {
        _cleanup_(vouch_freep) struct vouch *vouch = calloc(1, sizeof(*vouch));

        if (!vouch)
                return error_oom(err);
        vouch->forge = keys->forge;
        vouch->adapter = forge_adapter_find(vouch->forge->type);
        vouch->done = done;
        vouch->userdata = userdata;
        vouch->proof = secret_ref(question->proof);
        if (question->repository &&
            fact_set(vouch->repository, sizeof(vouch->repository), question->repository) &&
            !fact_is_repository(vouch->repository))
                vouch->repository[0] = '\0';
        if (question->id_token_url) {
                vouch->id_token_url = strdup(question->id_token_url);
                if (!vouch->id_token_url)
                        return error_oom(err);
        }
        vouch->keys = keys;
        *ret = vouch;
        begin(take(vouch));
        return 0;
}

struct vouch *vouch_cancel(struct vouch *vouch) {
        /* Inside its own done() it is on its way out already. */
        if (vouch && !vouch->delivering)
                (void)vouch_free(vouch);
        return NULL;
}
