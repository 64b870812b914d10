#include "api/server.h"

#include <stdlib.h>
#include <unistd.h>

#include "api/listener.h"
#include "api/server_internal.h"

struct server {
        struct listener jobs;
        struct listener control; /* not started where the jobs' socket serves everything */
};

const struct server_limits server_limits_default = {
        .head_timeout = HEAD_TIMEOUT,
        .idle_timeout = IDLE_TIMEOUT,
        .parked_max = PARKED_MAX,
        .parked_of_origin_max = PARKED_OF_ORIGIN_MAX,
        .control_parked_max = CONTROL_PARKED_MAX,
        .requests_burst = REQUESTS_BURST,
};

int server_new_with_limits(sd_event *event, struct broker *broker,
                           const struct server_limits *limits, int jobs_fd, int control_fd,
                           struct server **ret, struct error *err) {
        _cleanup_(freep) struct server *server = calloc(1, sizeof(*server));
        struct server_limits control_limits = *limits;
        int r;

        if (!server)
                return error_oom(err);
        r = listener_start(&server->jobs, event, broker, limits, /* serves_all= */ control_fd < 0,
                           jobs_fd, err);
        if (r < 0)
                return r;
        if (control_fd >= 0) {
                control_limits.parked_max = control_limits.parked_of_origin_max =
                    limits->control_parked_max;
                r = listener_start(&server->control, event, broker, &control_limits,
                                   /* serves_all= */ true, control_fd, err);
                if (r < 0) {
                        (void)listener_stop(&server->jobs);
                        return r;
                }
        }
        *ret = take(server);
        return 0;
}

int server_new(sd_event *event, struct broker *broker, int jobs_fd, int control_fd,
               struct server **ret, struct error *err) {
        return server_new_with_limits(event, broker, &server_limits_default, jobs_fd, control_fd,
                                      ret, err);
}

/* Closed, not shut down: systemd's copy goes on queueing. */
static void stop(struct listener *listener) {
        int fd = listener_stop(listener);

        if (fd >= 0)
                (void)close(fd);
}

struct server *server_free(struct server *server) {
        if (!server)
                return NULL;
        stop(&server->jobs);
        stop(&server->control);
        free(server);
        return NULL;
}
