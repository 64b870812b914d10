#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control.h"
#include "counters.h"
#include "faults.h"

#define CALL_MAX_BYTES (8 * 1024 * 1024)
#define BACKLOG        16

struct call {
        char *body;
        size_t length;
};

static json_t *get_counters(struct control *c) {
        return json_deep_copy(c->standin->counters);
}

static json_t *post_counters(struct control *c) {
        if (strcmp(c->argument, "reset") != 0)
                return control_error(c, 404, "POST /counters/reset");
        counters_reset(c->standin);
        return json_deep_copy(c->standin->counters);
}

static json_t *get_fault(struct control *c) {
        return json_pack("{s:o}", "faults", json_deep_copy(c->standin->faults));
}

static json_t *post_fault(struct control *c) {
        const char *wrong = faults_add(c->standin, c->body);

        return wrong ? control_error(c, 400, wrong) : get_fault(c);
}

static json_t *delete_fault(struct control *c) {
        (void)json_array_clear(c->standin->faults);
        return get_fault(c);
}

static json_t *get_settings(struct control *c) {
        return json_deep_copy(c->standin->settings);
}

static json_t *post_settings(struct control *c) {
        const char *wrong = settings_change(c->standin, (json_t *)(uintptr_t)c->body);

        (void)json_object_clear(c->standin->limiter);
        return wrong ? control_error(c, 400, wrong) : get_settings(c);
}

static json_t *post_clock(struct control *c) {
        c->standin->clock_offset += settings_number(c->body, "advance", 0);
        return json_pack("{s:f, s:f}", "now", standin_now(c->standin), "offset",
                         c->standin->clock_offset);
}

static const struct {
        const char *method;
        const char *name;
        json_t *(*handle)(struct control *c);
} calls[] = {
        { "GET", "counters", get_counters },
        { "POST", "counters", post_counters },
        { "GET", "fault", get_fault },
        { "POST", "fault", post_fault },
        { "DELETE", "fault", delete_fault },
        { "GET", "settings", get_settings },
        { "POST", "settings", post_settings },
        { "POST", "clock", post_clock },
        { "PUT", "secret", control_put_secret },
        { "DELETE", "secret", control_delete_secret },
        { "PUT", "folder", control_put_folder },
        { "DELETE", "folder", control_delete_folder },
        { "GET", "tokens", control_get_tokens },
        { "POST", "tokens", control_post_tokens },
        { "POST", "identities", control_post_identities },
        { "POST", "client-secrets", control_post_client_secrets },
};

static json_t *run(struct control *c, const char *method, char *path) {
        char *rest = NULL;
        const char *name = strtok_r(path, "/", &rest), *argument = strtok_r(NULL, "/", &rest);
        const char *verb = strtok_r(NULL, "/", &rest);

        c->argument = argument ? argument : "";
        c->verb = verb ? verb : "";
        for (size_t i = 0; name && i < ELEMENTS(calls); i++)
                if (strcmp(calls[i].method, method) == 0 && strcmp(calls[i].name, name) == 0)
                        return calls[i].handle(c);
        return control_error(c, 404, "no such call: see tests/standin/README.md");
}

static enum MHD_Result reply(struct standin *s, struct MHD_Connection *connection, const char *url,
                             const char *method, const struct call *call) {
        json_t *body = call->length > 0
                           ? json_loadb(call->body, call->length, JSON_REJECT_DUPLICATES, NULL)
                           : json_object();
        struct control control = { .standin = s, .body = body, .status = 200 };
        _cleanup_(freep) char *path = format_text("%s", url);
        struct MHD_Response *response;
        enum MHD_Result result;
        json_t *answer;
        char *text;

        (void)pthread_mutex_lock(&s->lock);
        answer = json_is_object(body)
                     ? run(&control, method, path)
                     : control_error(&control, 400, "the body is not a JSON object");
        text = json_dumps(answer, JSON_COMPACT);
        json_decref(answer);
        json_decref(body);
        (void)pthread_mutex_unlock(&s->lock);
        response = MHD_create_response_from_buffer_with_free_callback(strlen(text), text, free);
        (void)MHD_add_response_header(response, "content-type", "application/json");
        result = MHD_queue_response(connection, control.status, response);
        MHD_destroy_response(response);
        return result;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **con_cls) {
        struct call *call = *con_cls;
        char *body;

        (void)version;
        if (!call) {
                *con_cls = calloc(1, sizeof *call);
                return *con_cls ? MHD_YES : MHD_NO;
        }
        if (*upload_size == 0)
                return reply(cls, connection, url, method, call);
        if (call->length + *upload_size > CALL_MAX_BYTES)
                return MHD_NO;
        body = realloc(call->body, call->length + *upload_size);
        if (!body)
                return MHD_NO;
        memcpy(body + call->length, upload, *upload_size);
        call->body = body;
        call->length += *upload_size;
        *upload_size = 0;
        return MHD_YES;
}

static void completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                      enum MHD_RequestTerminationCode code) {
        struct call *call = *con_cls;

        (void)cls, (void)connection, (void)code;
        if (call)
                free(call->body);
        free(call);
}

struct MHD_Daemon *control_start(struct standin *s, const char *path) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        struct MHD_Daemon *daemon;
        int fd;

        if (strlen(path) >= sizeof address.sun_path) {
                (void)fprintf(stderr, "infisical-standin: %s: too long for a socket\n", path);
                return NULL;
        }
        memcpy(address.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return NULL;
        (void)unlink(path);
        if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 ||
            listen(fd, BACKLOG) < 0) {
                (void)fprintf(stderr, "infisical-standin: %s: %m\n", path);
                (void)close(fd);
                return NULL;
        }
        daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
                                  handle, s, MHD_OPTION_LISTEN_SOCKET, fd,
                                  MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
        if (!daemon)
                (void)close(fd);
        return daemon;
}
