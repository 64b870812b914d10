#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "api/server.h"
#include "base/log.h"
#include "base/process.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/broker.h"
#include "config/config.h"
#include "credentials/credentials.h"
#include "daemon/sockets.h"
#include "net/http.h"

#define EXIT_FAILED 1
#define EXIT_CONFIG 78 /* EX_CONFIG of sysexits.h */

/* READY=1 does not wait longer than this for the first verdict on every token: Infisical may be
 * down at boot. */
#define READY_AFTER (20 * USEC_PER_SEC)

/* A stop does not wait longer than this for the revocation of what logins gave. */
#define STOP_PATIENCE (2 * USEC_PER_SEC)

/* As LimitNOFILE= of the unit: what api/limits.h lets peers hold, and as much again. */
#define DESCRIPTORS 8192

struct daemon {
        sd_event *event;
        sd_event_source *ready_timer, *stop_timer;
        struct broker *broker;
        struct server *server;
        struct credentials *credentials;
        struct sockets sockets;
        bool ready_sent;
};

static void usage(FILE *out) {
        (void)fprintf(
            out,
            "Usage: forge-brokerd [--config FILE]\n"
            "\n"
            "Serves forge tokens from Infisical to root jobs of this host over a unix socket,\n"
            "and records each issuance.  Always runs in the foreground.\n"
            "\n"
            "  -c, --config FILE   configuration [%s/forge-broker/forge-broker.conf];\n"
            "                      the .conf files of conf.d beside it are read after it\n"
            "  -h, --help          this text\n"
            "      --version       the version\n"
            "\n"
            "SIGHUP reloads the configuration, SIGTERM stops.  Exit status: 0 after a stop,\n"
            "2 usage, 78 the configuration is rejected, 1 anything else.\n"
            "See forge-brokerd(8) and forge-broker.conf(5).\n",
            SYSCONFDIR);
}

static bool use_journal(const struct config *config) {
        return config->log == LOG_TARGET_JOURNAL ||
               (config->log == LOG_TARGET_AUTO && process_has_journal());
}

static void log_error(const struct error *err) {
        log_message(LOG_LEVEL_ERR, "%s: %s", diagnosis_info(err->code)->name, err->detail);
        log_message(LOG_LEVEL_ERR, "remedy: %s", error_remedy(err));
}

static void log_problems(const struct config_problems *problems) {
        for (size_t i = 0; i < problems->count; i++)
                log_message(LOG_LEVEL_ERR, "%s:%u: %s", problems->items[i].file,
                            problems->items[i].line, problems->items[i].text);
        if (problems->dropped > 0)
                log_message(LOG_LEVEL_ERR, "and %zu more problems", problems->dropped);
}

static void send_ready(struct daemon *daemon) {
        if (!daemon->ready_sent)
                (void)sd_notify(0, "READY=1");
        daemon->ready_sent = true;
        daemon->ready_timer = sd_event_source_disable_unref(daemon->ready_timer);
}

/* STATUS= for `systemctl status`; READY=1 once every token has a verdict. */
static void on_changed(void *userdata) {
        struct daemon *daemon = userdata;
        struct broker_view view;
        bool pending = false;

        if (!daemon->broker)
                return;
        for (size_t i = 0; i < broker_token_count(daemon->broker); i++) {
                struct token_view token;

                broker_token_view(daemon->broker, i, &token);
                pending = pending || token.state == TOKEN_PENDING;
        }
        broker_view(daemon->broker, &view);
        (void)sd_notifyf(0, "STATUS=%s", view.summary);
        if (!pending)
                send_ready(daemon);
}

static int on_ready_timer(sd_event_source *source, uint64_t time, void *userdata) {
        (void)source, (void)time;
        send_ready(userdata);
        return 0;
}

static int on_stop_timer(sd_event_source *source, uint64_t time, void *userdata) {
        struct daemon *daemon = userdata;

        (void)source, (void)time;
        return sd_event_exit(daemon->event, 0);
}

static void on_stopped(void *userdata) {
        struct daemon *daemon = userdata;

        (void)sd_event_exit(daemon->event, 0);
}

static void stop_serving(struct daemon *daemon) {
        daemon->server = server_free(daemon->server);
        daemon->credentials = credentials_free(daemon->credentials);
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct daemon *daemon = userdata;

        (void)source, (void)info;
        (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping");
        stop_serving(daemon);
        if (daemon->stop_timer) /* asked twice: no more patience */
                return sd_event_exit(daemon->event, 0);
        if (!broker_stop(daemon->broker, on_stopped, daemon))
                return sd_event_exit(daemon->event, 0);
        return sd_event_add_time_relative(daemon->event, &daemon->stop_timer, CLOCK_MONOTONIC,
                                          STOP_PATIENCE, 0, on_stop_timer, daemon);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        struct daemon *daemon = userdata;
        struct config_problems problems = { 0 };

        (void)source, (void)info;
        if (daemon->stop_timer)
                return 0;
        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                         (unsigned long long)clock_monotonic());
        if (broker_reload(daemon->broker, &problems) < 0) {
                log_problems(&problems);
                log_message(LOG_LEVEL_ERR,
                            "the reload was rejected; the older configuration stays in force");
        }
        (void)sd_notify(0, "READY=1");
        config_problems_done(&problems);
        return 0;
}

static int block_signals(struct error *err) {
        sigset_t set;

        (void)signal(SIGPIPE, SIG_IGN);
        /* Before libcurl makes a resolver thread: a signal must find its way to the loop. */
        if (sigemptyset(&set) < 0 || sigaddset(&set, SIGTERM) < 0 || sigaddset(&set, SIGINT) < 0 ||
            sigaddset(&set, SIGHUP) < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot block signals: %s",
                                 strerror(errno));
        return 0;
}

static int setup_loop(struct daemon *daemon, struct error *err) {
        int r;

        r = sd_event_default(&daemon->event);
        if (r >= 0)
                r = sd_event_add_signal(daemon->event, NULL, SIGTERM, on_stop, daemon);
        if (r >= 0)
                r = sd_event_add_signal(daemon->event, NULL, SIGINT, on_stop, daemon);
        if (r >= 0)
                r = sd_event_add_signal(daemon->event, NULL, SIGHUP, on_reload, daemon);
        if (r >= 0)
                r = sd_event_add_time_relative(daemon->event, &daemon->ready_timer, CLOCK_MONOTONIC,
                                               READY_AFTER, 0, on_ready_timer, daemon);
        if (r >= 0)
                r = sd_event_set_watchdog(daemon->event, true);
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot set up the event loop: %s",
                                 strerror(-r));
        return 0;
}

static int serve(struct daemon *daemon, struct config *config, struct error *err) {
        int r;

        r = setup_loop(daemon, err);
        if (r >= 0)
                r = sockets_open(config, &daemon->sockets, err);
        if (r >= 0)
                r = broker_new(daemon->event, config, use_journal(config),
                               process_state_directory(), on_changed, daemon, &daemon->broker, err);
        if (r >= 0)
                r = server_new(daemon->event, daemon->broker, daemon->sockets.jobs,
                               daemon->sockets.control, &daemon->server, err);
        if (r < 0)
                return r;
        daemon->sockets.jobs = daemon->sockets.control = -1; /* the server's now */
        if (daemon->sockets.credentials >= 0)
                r = credentials_new(daemon->event, daemon->broker, daemon->sockets.credentials,
                                    &daemon->credentials, err);
        if (r < 0)
                return r;
        daemon->sockets.credentials = -1;
        on_changed(daemon);
        r = sd_event_loop(daemon->event);
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "the event loop failed: %s",
                                 strerror(-r));
        return 0;
}

static void daemon_done(struct daemon *daemon) {
        stop_serving(daemon);
        daemon->broker = broker_free(daemon->broker);
        sockets_close(&daemon->sockets);
        (void)sd_event_source_disable_unref(daemon->ready_timer);
        (void)sd_event_source_disable_unref(daemon->stop_timer);
        (void)sd_event_unref(daemon->event);
}

static int run(const char *config_file) {
        _cleanup_(config_unrefp) struct config *config = NULL;
        struct daemon daemon = { .sockets = SOCKETS_NONE };
        struct config_problems problems = { 0 };
        struct error err = { 0 };
        int r;

        log_use_journal(process_has_journal());
        if (config_load(config_file, &config, &problems) < 0) {
                log_problems(&problems);
                log_message(LOG_LEVEL_ERR,
                            "the configuration is rejected; see forge-broker.conf(5)");
                config_problems_done(&problems);
                return EXIT_CONFIG;
        }
        config_problems_done(&problems);
        log_use_journal(use_journal(config));
        r = serve(&daemon, config, &err);
        daemon_done(&daemon);
        if (r < 0)
                log_error(&err);
        return r < 0 ? EXIT_FAILED : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        static const struct option options[] = {
                { "config", required_argument, NULL, 'c' },
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'v' },
                { NULL, 0, NULL, 0 },
        };
        const char *config_file = SYSCONFDIR "/forge-broker/forge-broker.conf";
        struct error err = { 0 };
        int option, status;

        while ((option = getopt_long(argc, argv, "c:h", options, NULL)) >= 0) {
                switch (option) {
                case 'c':
                        config_file = optarg;
                        break;
                case 'h':
                        usage(stdout);
                        return EXIT_SUCCESS;
                case 'v':
                        (void)puts("forge-brokerd " PACKAGE_VERSION);
                        return EXIT_SUCCESS;
                default:
                        usage(stderr);
                        return EXIT_USAGE;
                }
        }
        if (optind < argc) {
                (void)fprintf(stderr, "forge-brokerd: unexpected argument; see --help\n");
                return EXIT_USAGE;
        }
        process_spare_memory();
        if (process_harden(&err) < 0 || block_signals(&err) < 0 ||
            secret_init(/* use_memfd= */ true, &err) < 0 || http_setup(&err) < 0) {
                log_error(&err);
                return EXIT_FAILED;
        }
        process_allow_descriptors(DESCRIPTORS);
        status = run(config_file);
        http_cleanup();
        secret_done();
        return status;
}
