/*
 * A server that behaves as Infisical does where the broker meets it, with its faults on demand.
 * See README.md.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "control.h"
#include "server.h"

#define PEM_MAX_BYTES (64 * 1024)

struct arguments {
        const char *state, *port_file, *certificate, *key, *control;
        unsigned port;
};

static const char usage[] =
    "Usage: infisical-standin --state FILE.json [OPTION...]\n"
    "  --state FILE      projects, identities, tokens, settings (JSON)\n"
    "  --port N          listen on 127.0.0.1:N; 0, the default, takes any free port\n"
    "  --port-file FILE  write the port there once listening\n"
    "  --tls-cert FILE   with --tls-key: serve HTTPS (PEM)\n"
    "  --tls-key FILE\n"
    "  --control SOCKET  the tests' side: HTTP and JSON on a unix socket\n"
    "  --help            this text\n"
    "It ends on SIGTERM or SIGINT.\n";

/* Return: 0 to go on, else the exit code plus one. */
static int parse_arguments(int argc, char **argv, struct arguments *ret) {
        static const struct option options[] = {
                { "state", required_argument, NULL, 's' },
                { "port", required_argument, NULL, 'p' },
                { "port-file", required_argument, NULL, 'f' },
                { "tls-cert", required_argument, NULL, 'c' },
                { "tls-key", required_argument, NULL, 'k' },
                { "control", required_argument, NULL, 'x' },
                { "help", no_argument, NULL, 'h' },
                { NULL, 0, NULL, 0 },
        };
        struct arguments a = { 0 };
        char *end;
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                switch (c) {
                case 's':
                        a.state = optarg;
                        break;
                case 'p':
                        a.port = (unsigned)strtoul(optarg, &end, 10);
                        if (*end || a.port > 65535)
                                return 3;
                        break;
                case 'f':
                        a.port_file = optarg;
                        break;
                case 'c':
                        a.certificate = optarg;
                        break;
                case 'k':
                        a.key = optarg;
                        break;
                case 'x':
                        a.control = optarg;
                        break;
                case 'h':
                        (void)fputs(usage, stdout);
                        return 1;
                default:
                        return 3;
                }
        }
        if (!a.state || optind < argc || !a.certificate != !a.key) {
                (void)fputs(usage, stderr);
                return 3;
        }
        *ret = a;
        return 0;
}

static char *read_pem(const char *path) {
        _cleanup_(fclosep) FILE *file = fopen(path, "re");
        char *text = calloc(1, PEM_MAX_BYTES);

        if (!file || !text || fread(text, 1, PEM_MAX_BYTES - 1, file) == 0) {
                (void)fprintf(stderr, "infisical-standin: %s: %m\n", path);
                free(text);
                return NULL;
        }
        return text;
}

/* Whoever sees the file can connect: it appears whole, and only once the port is open. */
static bool write_port(const char *path, unsigned port) {
        _cleanup_(freep) char *unfinished = format_text("%s.new", path);
        FILE *file = fopen(unfinished, "we");

        if (!file)
                return false;
        (void)fprintf(file, "%u\n", port);
        return fclose(file) == 0 && rename(unfinished, path) == 0;
}

static int serve(struct standin *s, const struct arguments *a, const sigset_t *signals) {
        _cleanup_(freep) char *certificate = a->certificate ? read_pem(a->certificate) : NULL;
        _cleanup_(freep) char *key = a->key ? read_pem(a->key) : NULL;
        struct MHD_Daemon *control = NULL, *server;
        int code = EXIT_FAILURE, sig;

        if (a->certificate && (!certificate || !key))
                return EXIT_FAILURE;
        server = server_start(s, a->port, certificate, key);
        if (server && a->control)
                control = control_start(s, a->control);
        if (!server)
                (void)fprintf(stderr, "infisical-standin: cannot listen on port %u: %m\n", a->port);
        else if (a->control && !control)
                (void)fprintf(stderr, "infisical-standin: no control socket\n");
        else if (a->port_file && !write_port(a->port_file, server_port(server)))
                (void)fprintf(stderr, "infisical-standin: %s: %m\n", a->port_file);
        else
                code = EXIT_SUCCESS;
        if (code == EXIT_SUCCESS) {
                (void)printf("%u\n", server_port(server));
                (void)fflush(stdout);
                (void)sigwait(signals, &sig);
        }
        (void)eventfd_write(s->stop_fd, 1);
        if (server)
                MHD_stop_daemon(server);
        if (control) {
                MHD_stop_daemon(control);
                (void)unlink(a->control);
        }
        return code;
}

int main(int argc, char **argv) {
        struct standin s = { .lock = PTHREAD_MUTEX_INITIALIZER };
        struct arguments arguments;
        sigset_t signals;
        int r;

        r = parse_arguments(argc, argv, &arguments);
        if (r > 0)
                return r - 1;
        (void)sigemptyset(&signals);
        (void)sigaddset(&signals, SIGTERM);
        (void)sigaddset(&signals, SIGINT);
        (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
        s.stop_fd = eventfd(0, EFD_CLOEXEC);
        r = s.stop_fd >= 0 && standin_load(&s, arguments.state) ? serve(&s, &arguments, &signals)
                                                                : EXIT_FAILURE;
        standin_done(&s);
        (void)close(s.stop_fd);
        return r;
}
