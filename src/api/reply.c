#include "api/reply.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/render.h"
#include "base/wiping.h"

int reply_header(struct reply *reply, const char *name, const char *value, struct error *err) {
        return MHD_add_response_header(reply->response, name, value) == MHD_YES ? 0
                                                                                : error_oom(err);
}

static int finish(struct reply *ret, unsigned status, const char *type,
                  struct MHD_Response *response, struct error *err) {
        struct reply reply = { .status = status, .response = response };

        /* Neither a shared cache nor a browser's guess at the type may ever make something of an
         * answer. */
        if (reply_header(&reply, MHD_HTTP_HEADER_CONTENT_TYPE, type, err) < 0 ||
            reply_header(&reply, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store", err) < 0 ||
            reply_header(&reply, "X-Content-Type-Options", "nosniff", err) < 0) {
                reply_done(&reply);
                return -(int)DIAG_INTERNAL_ERROR;
        }
        *ret = reply;
        return 0;
}

/* main gives jansson allocators of its own. */
static void free_text(void *text) {
        json_free_t release;

        json_get_alloc_funcs(NULL, &release);
        release(text);
}

int reply_json(struct reply *ret, unsigned status, const char *type, json_t *body,
               struct error *err) {
        struct MHD_Response *response;
        char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

        json_decref(body);
        wiping_trim(); /* the status of many tokens was most of a megabyte */
        if (!text)
                return error_oom(err);
        response =
            MHD_create_response_from_buffer_with_free_callback(strlen(text), text, free_text);
        if (!response) {
                free_text(text);
                return error_oom(err);
        }
        return finish(ret, status, type, response, err);
}

int reply_text(struct reply *ret, const char *type, char *text, struct error *err) {
        struct MHD_Response *response;

        if (!text)
                return error_oom(err);
        response = MHD_create_response_from_buffer_with_free_callback(strlen(text), text, free);
        if (!response) {
                free(text);
                return error_oom(err);
        }
        return finish(ret, MHD_HTTP_OK, type, response, err);
}

static void release_secret(void *secret) {
        (void)secret_unref(secret);
}

int reply_secret(struct reply *ret, const char *type, struct secret *body, struct error *err) {
        struct MHD_Response *response;

        response = MHD_create_response_from_buffer_with_free_callback_cls(
            secret_length(body), (char *)(uintptr_t)secret_bytes(body), release_secret,
            secret_ref(body));
        if (!response) {
                (void)secret_unref(body);
                return error_oom(err);
        }
        return finish(ret, MHD_HTTP_OK, type, response, err);
}

int reply_problem(struct reply *ret, const struct error *problem, const struct attempts *attempts,
                  usec_t retry_after, json_t *extra, struct error *err) {
        const struct diagnosis_info *info = diagnosis_info(problem->code);
        char type[96], seconds[24];
        json_t *body;
        int r;

        (void)snprintf(type, sizeof(type), "urn:forge-broker:%s", info->name);
        body = json_pack("{s:s, s:s, s:i, s:o, s:s, s:o}", "type", type, "title", info->title,
                         "status", info->http_status, "detail", render_text(problem->detail),
                         "code", info->name, "remedy", render_text(error_remedy(problem)));
        if (body && attempts && attempts->count > 0 &&
            json_object_set_new(body, "attempts", render_attempts(attempts)) < 0)
                body = (json_decref(body), NULL);
        if (body && extra && json_object_update(body, extra) < 0)
                body = (json_decref(body), NULL);
        json_decref(extra);
        r = reply_json(ret, (unsigned)info->http_status, TYPE_PROBLEM, body, err);
        if (r < 0)
                return r;
        if (problem->code == DIAG_PROOF_REQUIRED)
                r = reply_header(ret, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                 "Bearer realm=\"forge-broker\"", err);
        if (r >= 0 && retry_after > 0) {
                (void)snprintf(seconds, sizeof(seconds), "%" PRIu64,
                               (retry_after + USEC_PER_SEC - 1) / USEC_PER_SEC);
                r = reply_header(ret, MHD_HTTP_HEADER_RETRY_AFTER, seconds, err);
        }
        if (r < 0)
                reply_done(ret);
        return r;
}
