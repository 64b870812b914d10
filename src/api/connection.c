#include "api/connection.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "api/request.h"

struct connection *connection_of(struct deadline *deadline) {
        return (struct connection *)(void *)((char *)deadline -
                                             offsetof(struct connection, deadline));
}

static struct connection *connection_find(struct MHD_Connection *mhd) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static usec_t request_timeout(const struct listener *listener) {
        return broker_config(listener->broker)->request_timeout;
}

static struct connection *connection_new(struct listener *listener, struct MHD_Connection *mhd) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct connection *connection;

        if (!info)
                return NULL;
        connection = calloc(1, sizeof(*connection));
        if (!connection) {
                /* No deadline would ever end it. */
                (void)shutdown(info->connect_fd, SHUT_RDWR);
                return NULL;
        }
        connection->listener = listener;
        connection->mhd = mhd;
        connection->fd = info->connect_fd;
        connection->born = listener->turns;
        if (peer_read(connection->fd, &listener->cgroup_root, &connection->peer, NULL) < 0)
                connection->peer = (struct peer){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
        deadline_set(&connection->deadline, &listener->heads,
                     clock_monotonic() + listener->limits.head_timeout);
        return connection;
}

static struct connection *connection_free(struct connection *connection) {
        if (!connection)
                return NULL;
        (void)request_free(connection->request);
        deadline_clear(&connection->deadline);
        free(connection);
        return NULL;
}

void connection_notify(void *cls, struct MHD_Connection *mhd, void **socket_context,
                       enum MHD_ConnectionNotificationCode code) {
        struct listener *listener = cls;

        /* Without memory the context stays NULL, and the connection ends without an answer. */
        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                *socket_context = connection_new(listener, mhd);
                return;
        }
        *socket_context = connection_free(*socket_context);
        listener->closed++;
}

/* Called when the request line is complete.  What it returns is the request's context in the other
 * callbacks. */
void *connection_request_line(void *cls, const char *target, struct MHD_Connection *mhd) {
        struct listener *listener = cls;
        struct connection *connection = connection_find(mhd);

        if (!connection)
                return NULL;
        connection->target_end = target + strlen(target);
        connection->bad_escape = false;
        if (connection->deadline.list == &listener->idle)
                deadline_set(&connection->deadline, &listener->heads,
                             clock_monotonic() + listener->limits.head_timeout);
        return connection;
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return -1;
}

/* libmicrohttpd's own would end the path at a %00, so that a name could be hidden behind another
 * one. */
size_t connection_unescape(void *cls, struct MHD_Connection *mhd, char *text) {
        struct connection *connection = connection_find(mhd);
        char *to = text;

        (void)cls;
        for (const char *from = text; *from; from++) {
                int high, low;

                if (*from != '%') {
                        *to++ = *from;
                        continue;
                }
                high = hex_value(from[1]);
                low = high >= 0 ? hex_value(from[2]) : -1;
                if (low < 0 || (high == 0 && low == 0)) {
                        if (connection)
                                connection->bad_escape = true;
                        *to++ = *from;
                        continue;
                }
                *to++ = (char)(high << 4 | low);
                from += 2;
        }
        *to = '\0';
        return (size_t)(to - text);
}

void connection_completed(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_RequestTerminationCode code) {
        struct listener *listener = cls;
        struct connection *connection = *context;

        (void)mhd;
        (void)code;
        if (!connection)
                return;
        connection->request = request_free(connection->request);
        if (connection->deadline.list)
                deadline_set(&connection->deadline, &listener->idle,
                             clock_monotonic() + listener->limits.idle_timeout);
}

void connection_head_complete(struct connection *connection) {
        struct listener *listener = connection->listener;

        deadline_set(&connection->deadline, &listener->exchanges,
                     clock_monotonic() + request_timeout(listener));
}

void connection_cut(struct connection *connection) {
        deadline_clear(&connection->deadline);
        (void)shutdown(connection->fd, SHUT_RDWR);
}

void connection_expired(struct deadline *deadline) {
        connection_cut(connection_of(deadline));
}

bool connections_enforce(struct listener *listener) {
        size_t max = broker_config(listener->broker)->max_connections;

        while (listener->heads.count + listener->idle.count + listener->exchanges.count > max) {
                struct deadline *oldest = listener->heads.first;

                if (!oldest)
                        oldest =
                            listener->idle.first ? listener->idle.first : listener->exchanges.first;
                else if (connection_of(oldest)->born == listener->turns)
                        /* Just accepted, several in one turn: what they have sent already was not
                         * read yet. */
                        oldest = listener->idle.first;
                if (!oldest)
                        return true;
                connection_cut(connection_of(oldest));
        }
        return false;
}
