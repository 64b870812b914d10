#include "forge/preflight.h"

#include <string.h>

#include "forge/inquiry.h"

/* The largest answers that are read whole are lists: of tokens, of rules, of a repository's
 * settings. */
#define ANSWER_MAX_BYTES ((size_t)64 * 1024)
/* Of git's advertisement, which lists every ref there is, the first line says all. */
#define ADVERTISEMENT_BYTES ((size_t)512)

/* What proves something has this much time in all, below request_timeout's default. */
#define PATIENCE        (7 * USEC_PER_SEC)
#define CONNECT_TIMEOUT (3 * USEC_PER_SEC)
#define TIMEOUT         (5 * USEC_PER_SEC)

struct forge_preflight;

struct sending {
        struct forge_preflight *preflight;
        size_t probe;
        struct http_call *call;
};

struct forge_preflight {
        struct http_client *client;
        struct forge_inquiry *inquiry;
        struct sending sendings[FORGE_PROBES_MAX];
        size_t in_flight;
        usec_t until; /* monotonic */
        forge_preflight_done done;
        void *userdata;
        bool delivering;
};

static struct forge_preflight *preflight_free(struct forge_preflight *preflight) {
        if (!preflight)
                return NULL;
        for (size_t i = 0; i < FORGE_PROBES_MAX; i++)
                (void)http_cancel(preflight->sendings[i].call);
        (void)inquiry_free(preflight->inquiry);
        free(preflight);
        return NULL;
}
DEFINE_CLEANUP(struct forge_preflight *, preflight_free);

static struct secret *basic(const struct forge_inquiry *inquiry) {
        char made[FORGE_MADE_MAX];
        const char *username = inquiry->evidence->value(inquiry, "username", made);

        return forge_authorization_basic(username ? username : inquiry->question.username,
                                         inquiry->token);
}

static struct secret *bearer(const struct forge_inquiry *inquiry) {
        const char *text = inquiry->evidence->bearer(inquiry);
        _cleanup_(secret_unrefp) struct secret *value =
            text ? secret_copy(text, strlen(text)) : NULL;

        return value ? forge_authorization("Bearer", value) : NULL;
}

/* The headers that carry what authenticates.  Return: false when no locked memory is left. */
static bool authenticate(const struct forge_inquiry *inquiry, const struct forge_probe *row,
                         struct secret **ret_authorization, struct secret **ret_headers) {
        const char *further = row->step == STEP_API ? inquiry->adapter->headers : NULL;

        switch (row->auth) {
        case AUTH_BASIC:
                *ret_authorization = basic(inquiry);
                break;
        case AUTH_BEARER:
                *ret_authorization = bearer(inquiry);
                break;
        case AUTH_JOB:
                *ret_headers = forge_authorization("JOB-TOKEN:", inquiry->token);
                return *ret_headers != NULL;
        case AUTH_NONE:
                return true;
        case AUTH_API:
        default:
                *ret_authorization = forge_authorization(inquiry->adapter->scheme, inquiry->token);
        }
        if (further)
                *ret_headers = secret_copy(further, strlen(further));
        return *ret_authorization && (!further || *ret_headers);
}

/* How long a request may take; what cleans up is never too late. */
static usec_t patience(const struct forge_preflight *preflight, const struct forge_probe *row) {
        usec_t left = usec_sub(preflight->until, clock_monotonic());

        return row->cleans_up || left > TIMEOUT ? TIMEOUT : left;
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err);

static int send_probe(struct forge_preflight *preflight, size_t probe, struct error *err) {
        struct forge_inquiry *inquiry = preflight->inquiry;
        const struct forge_probe *row = &inquiry->evidence->probes[probe];
        _cleanup_(secret_unrefp) struct secret *authorization = NULL, *headers = NULL, *body = NULL;
        struct http_request request = {
                .method = row->method,
                .ca_file = inquiry->question.forge->ca_file,
                .accept = row->step == STEP_GIT   ? "*/*"
                          : row->step == STEP_API ? inquiry->adapter->accept
                                                  : NULL,
                .keep = inquiry->evidence->keep,
                .connect_timeout = CONNECT_TIMEOUT,
                .timeout = patience(preflight, row),
                .max_body_bytes = row->step == STEP_GIT ? ADVERTISEMENT_BYTES : ANSWER_MAX_BYTES,
                .first_bytes_only = row->step == STEP_GIT,
        };
        int r;

        if (request.timeout == 0)
                return error_set(err, DIAG_UPSTREAM_TIMEOUT,
                                 "the time was over before all was asked");
        if (!authenticate(inquiry, row, &authorization, &headers))
                return error_set(err, DIAG_INTERNAL_ERROR, "no locked memory left for a request");
        request.authorization = authorization;
        request.headers = headers;
        r = inquiry_fill(inquiry, probe, &request.url, &body, err);
        if (r < 0)
                return r;
        request.body = body;
        preflight->sendings[probe] = (struct sending){ .preflight = preflight, .probe = probe };
        return http_start(preflight->client, &request, on_answer, &preflight->sendings[probe],
                          &preflight->sendings[probe].call, err);
}

/* Sends all that can be asked by now.  What cannot even be sent is answered at once, and others
 * may depend on that. */
static void send_all(struct forge_preflight *preflight) {
        int probe;

        while ((probe = inquiry_next(preflight->inquiry)) >= 0) {
                struct error err = { 0 };

                if (send_probe(preflight, (size_t)probe, &err) < 0)
                        inquiry_answered(preflight->inquiry, (size_t)probe, NULL, &err);
                else
                        preflight->in_flight++;
        }
}

static void deliver(struct forge_preflight *preflight) {
        struct forge_report *report = malloc(sizeof(*report));
        static const struct forge_report nothing = {
                .identity = { FORGE_CANNOT_TELL,
                              { .code = DIAG_INTERNAL_ERROR, .detail = "out of memory" } },
        };

        preflight->delivering = true;
        if (report)
                inquiry_judge(preflight->inquiry, report);
        preflight->done(preflight->userdata, report ? report : &nothing);
        free(report);
        (void)preflight_free(preflight);
}

static void on_answer(void *userdata, const struct http_response *response,
                      const struct error *err) {
        struct sending *sending = userdata;
        struct forge_preflight *preflight = sending->preflight;

        sending->call = NULL;
        preflight->in_flight--;
        inquiry_answered(preflight->inquiry, sending->probe, response, err);
        send_all(preflight);
        if (preflight->in_flight == 0)
                deliver(preflight);
}

int forge_preflight_start(struct http_client *client, const struct forge_question *question,
                          struct secret *token, forge_preflight_done done, void *userdata,
                          struct forge_preflight **ret, struct error *err) {
        _cleanup_(preflight_freep) struct forge_preflight *preflight =
            calloc(1, sizeof(*preflight));
        int r, first;

        if (!preflight)
                return error_oom(err);
        r = inquiry_new(question, token, &preflight->inquiry, err);
        if (r < 0)
                return r;
        preflight->client = client;
        preflight->done = done;
        preflight->userdata = userdata;
        preflight->until = clock_monotonic() + PATIENCE;
        first = inquiry_next(preflight->inquiry);
        r = send_probe(preflight, (size_t)first, err);
        if (r < 0)
                return r;
        preflight->in_flight = 1;
        *ret = take(preflight);
        return 0;
}

/* GitLab is asked about a token as a user's, and then as a job's. */
unsigned forge_refusals_max(enum forge_type type) {
        return type == FORGE_GITLAB ? 2 : 1;
}

/* An upload to GitHub's registry is opened and closed without any leave, for there is nothing in
 * it. */
bool forge_question_writes(const struct forge_question *question) {
        return question->write_probe || (question->forge->type == FORGE_GITHUB &&
                                         question->needs & (1u << NEED_PACKAGES_WRITE));
}

struct forge_preflight *forge_preflight_cancel(struct forge_preflight *preflight) {
        /* Inside its own done() it is on its way out already. */
        if (!preflight || preflight->delivering)
                return NULL;
        return preflight_free(preflight);
}
