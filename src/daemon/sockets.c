#include "daemon/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

/* A burst of jobs waits in the kernel while the daemon restarts; more than this and connect() says
 * EAGAIN. */
#define BACKLOG 4096

static int fail(struct error *err, const char *path, const char *what) {
        return error_set(err, DIAG_INTERNAL_ERROR, "socket %s: %s", path, what);
}

static int address_of(const char *path, struct sockaddr_un *ret, struct error *err) {
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(ret->sun_path))
                return fail(err, path, "the path is too long for a unix socket");
        memcpy(ret->sun_path, path, strlen(path));
        return 0;
}

/* Anything that others may enter or replace is no place for a socket that hands out tokens. */
static int check_directory(const char *path, struct error *err) {
        _cleanup_(freep) char *copy = strdup(path);
        struct stat st;
        char *directory;

        if (!copy)
                return error_oom(err);
        directory = dirname(copy);
        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                return fail(err, path, strerror(errno));
        if (stat(directory, &st) < 0)
                return fail(err, path, strerror(errno));
        if (!S_ISDIR(st.st_mode))
                return fail(err, path, "its directory is not a directory");
        if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
                return fail(err, path, "its directory may be written by others");
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return fail(err, path, "its directory belongs to somebody else");
        return 0;
}

/* Removes a socket that a dead process left; 0 also if there is none. */
static int remove_stale(const char *path, const struct sockaddr_un *address, struct error *err) {
        _cleanup_(closep) int fd = -1;
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : fail(err, path, strerror(errno));
        if (!S_ISSOCK(st.st_mode))
                return fail(err, path, "is in the way and is not a socket");
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return fail(err, path, strerror(errno));
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
            errno != ECONNREFUSED) {
                (void)fail(err, path, "another process listens there");
                error_remedy_set(err, "Stop the other forge-brokerd, or set another socket.");
                return -(int)DIAG_INTERNAL_ERROR;
        }
        if (unlink(path) < 0)
                return fail(err, path, strerror(errno));
        return 0;
}

static int check_listening(int fd, const char *what, struct error *err) {
        if (sd_is_socket_unix(fd, SOCK_STREAM, /* listening= */ 1, NULL, 0) <= 0)
                return fail(err, what, "is not a listening unix stream socket");
        return 0;
}

/* What the file system says, not what we asked for. */
static int check_mode(int fd, const char *path, struct error *err) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return fail(err, path, strerror(errno));
        if (!S_ISSOCK(st.st_mode) || (st.st_mode & 0777) != 0600 ||
            (st.st_uid != 0 && st.st_uid != geteuid())) {
                (void)fail(err, path, "others may connect to it; it was not put into service");
                return -(int)DIAG_INTERNAL_ERROR;
        }
        return check_listening(fd, path, err);
}

static int make_socket(const char *path, int *ret, char **ret_made, struct error *err) {
        _cleanup_(closep) int fd = -1;
        struct sockaddr_un address;
        mode_t old;
        int r;

        r = address_of(path, &address, err);
        if (r >= 0)
                r = check_directory(path, err);
        if (r >= 0)
                r = remove_stale(path, &address, err);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return fail(err, path, strerror(errno));
        old = umask(0177);
        r = bind(fd, (const struct sockaddr *)&address, sizeof(address));
        (void)umask(old);
        if (r < 0)
                return fail(err, path, strerror(errno));
        *ret_made = strdup(path);
        if (!*ret_made)
                return error_oom(err);
        if (listen(fd, BACKLOG) < 0)
                return fail(err, path, strerror(errno));
        r = check_mode(fd, path, err);
        if (r < 0)
                return r;
        *ret = take_fd(&fd);
        return 0;
}

/* Several sockets arrive in no fixed order: their names decide. */
static int take_from_systemd(int n, char **names, struct sockets *sockets, struct error *err) {
        for (int i = 0; i < n; i++) {
                const char *name = names[i] ? names[i] : "";
                int fd = SD_LISTEN_FDS_START + i, r;

                r = check_listening(fd, name, err);
                if (r < 0)
                        return r;
                if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
                        return fail(err, name, strerror(errno));
                if (strcmp(name, "control") == 0 && sockets->control < 0)
                        sockets->control = fd;
                else if (strcmp(name, "credentials") == 0 && sockets->credentials < 0)
                        sockets->credentials = fd;
                else if (sockets->jobs < 0 && (strcmp(name, "jobs") == 0 || n == 1))
                        sockets->jobs = fd;
                else
                        return fail(
                            err, name,
                            "expected FileDescriptorName=jobs, control and credentials, once each");
        }
        if (sockets->jobs < 0)
                return fail(err, "jobs", "systemd passed no socket with FileDescriptorName=jobs");
        sockets->from_systemd = true;
        return 0;
}

int sockets_open(const struct config *config, struct sockets *ret, struct error *err) {
        char **names = NULL;
        int n, r;

        *ret = SOCKETS_NONE;
        n = sd_listen_fds_with_names(/* unset_environment= */ 1, &names);
        if (n > 0) {
                r = take_from_systemd(n, names, ret, err);
                for (int i = 0; i < n; i++)
                        free(names[i]);
                free(names);
                return r;
        }
        r = make_socket(config->socket, &ret->jobs, &ret->made[0], err);
        if (r >= 0 && config->control_socket)
                r = make_socket(config->control_socket, &ret->control, &ret->made[1], err);
        if (r >= 0 && config->credential_socket)
                r = make_socket(config->credential_socket, &ret->credentials, &ret->made[2], err);
        if (r < 0)
                sockets_close(ret);
        return r;
}

void sockets_close(struct sockets *sockets) {
        closep(&sockets->jobs);
        closep(&sockets->control);
        closep(&sockets->credentials);
        for (size_t i = 0; i < ELEMENTS(sockets->made); i++) {
                if (sockets->made[i])
                        (void)unlink(sockets->made[i]);
                free(sockets->made[i]);
        }
        *sockets = SOCKETS_NONE;
}
