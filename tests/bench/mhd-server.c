/*
 * libmicrohttpd's own minimum: a fixed answer, on its own epoll thread.
 *
 *      mhd-server SOCKET
 */
#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char body[330];

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **context) {
        static int seen;

        (void)url;
        (void)method;
        (void)version;
        (void)data;
        (void)size;
        if (!*context) {
                *context = &seen;
                return MHD_YES;
        }
        return MHD_queue_response(connection, MHD_HTTP_OK, cls);
}

int main(int argc, char **argv) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct MHD_Response *response;

        if (argc != 2 || strlen(argv[1]) >= sizeof(address.sun_path))
                return 2;
        memset(body, 'x', sizeof(body));
        memcpy(address.sun_path, argv[1], strlen(argv[1]) + 1);
        if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(listener, 1024) < 0)
                return 1;
        response = MHD_create_response_from_buffer(sizeof(body), body, MHD_RESPMEM_PERSISTENT);
        (void)MHD_add_response_header(response, "Content-Type", "application/json");
        (void)MHD_add_response_header(response, "Cache-Control", "no-store");
        if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, response,
                              MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
                              1024U, MHD_OPTION_END))
                return 1;
        for (;;)
                (void)pause();
}
