#include "broker/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/text.h"
#include "broker/audit_render.h"
#include "broker/policy.h"

/*
 * Kinds of refusals that are told apart within one window.  A peer makes as many names up as it
 * likes: those beyond a few are counted with its last one, so that neither its other refusals nor
 * anybody else's are lost in them.
 */
#define REFUSAL_KINDS      256
#define REFUSALS_OF_ORIGIN 64
#define UNKNOWN_OF_ORIGIN  8
#define REFUSAL_WINDOW     (10 * USEC_PER_SEC)
/* A journal that is restarted drains thousands of records at once: room for them spares the
 * parking. */
#define SEND_BUFFER_BYTES (8 * 1024 * 1024)

struct refusal {
        char token[72];
        enum audit_kind kind;
        enum diagnosis code;
        usec_t until;        /* monotonic; 0: the row is free */
        unsigned suppressed; /* equal ones since the last record */
        struct error error;
        char rule[POLICY_RULE_MAX];
        struct peer peer;
};

struct audit {
        bool journal;
        int fd; /* journal: a datagram socket, -1 while it cannot be connected; else stderr */
        char instance[33];
        uint64_t sequence;
        sd_event *event;
        sd_event_source *writable, *timer, *refusal_timer;
        struct waiter_list waiters;
        struct refusal refusals[REFUSAL_KINDS];
};

static int connect_journal(struct audit *audit) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX,
                                                    .sun_path = "/run/systemd/journal/socket" };
        _cleanup_(closep) int fd = -1;
        const int bytes = SEND_BUFFER_BYTES;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        audit->fd = take_fd(&fd);
        return 0;
}

static void disconnect_journal(struct audit *audit) {
        audit->writable = sd_event_source_disable_unref(audit->writable);
        closep(&audit->fd);
        audit->fd = -1;
}

/* Sends one datagram; a journal socket that was made anew is connected again, once.  0 or a
 * negative errno. */
static int send_journal(struct audit *audit, const char *record, size_t length) {
        int r = 0;

        for (int attempt = 0; attempt < 2; attempt++) {
                if (audit->fd < 0)
                        r = connect_journal(audit);
                if (audit->fd < 0)
                        return r;
                if (send(audit->fd, record, length, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
                        return 0;
                r = -errno;
                if (r == -EAGAIN)
                        return -EAGAIN;
                /* no memory in the kernel: waiting for room in the socket would spin */
                if (r == -ENOBUFS)
                        return r;
                disconnect_journal(audit);
        }
        return r;
}

/* A write that poll() allows and that fits PIPE_BUF is whole and does not block. */
static int send_stderr(const struct audit *audit, char *text) {
        struct pollfd fd = { .fd = audit->fd, .events = POLLOUT };
        size_t length = strlen(text);
        ssize_t n;

        if (poll(&fd, 1, 0) != 1)
                return -EAGAIN;
        text[length++] = '\n';
        n = write(audit->fd, text, length);
        if (n < 0)
                return -errno;
        return (size_t)n == length ? 0 : -EIO;
}

int audit_write(struct audit *audit, const struct audit_record *record, struct error *err) {
        uint64_t sequence = audit->sequence + 1;
        int r;

        if (audit->journal) {
                char buffer[AUDIT_RECORD_MAX];
                size_t length = audit_render_journal(record, audit->instance, sequence, buffer);

                r = send_journal(audit, buffer, length);
        } else {
                char text[AUDIT_TEXT_MAX + 1];

                audit_render_text(record, sequence, text);
                r = send_stderr(audit, text);
        }
        if (r == -EAGAIN)
                return AUDIT_BUSY;
        if (r < 0)
                return error_set(err, DIAG_AUDIT_UNAVAILABLE, "the %s does not take the record: %s",
                                 audit->journal ? "journal" : "standard error", strerror(-r));
        audit->sequence = sequence;
        return AUDIT_WRITTEN;
}

/* 32 hex digits and a NUL. */
static int random_id(char id[static AUDIT_TEST_ID_MAX]) {
        unsigned char random[16];

        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -errno;
        for (size_t i = 0; i < sizeof(random); i++)
                (void)snprintf(id + 2 * i, 3, "%02x", random[i]);
        return 0;
}

int audit_self_test(struct audit *audit, char ret_id[static AUDIT_TEST_ID_MAX], struct error *err) {
        char buffer[512];
        size_t used = 0;
        int r = random_id(ret_id);

        (void)text_append(buffer, sizeof(buffer), &used,
                          "MESSAGE=self-test id=%s\nMESSAGE_ID=" AUDIT_ID_SELF_TEST "\nPRIORITY=6\n"
                          "SYSLOG_IDENTIFIER=forge-brokerd\nFORGE_DOCTOR_SELF_TEST=%s\n",
                          ret_id, ret_id);
        if (r >= 0)
                r = send_journal(audit, buffer, used);
        if (r == -EAGAIN)
                return AUDIT_BUSY;
        if (r < 0)
                return error_set(err, DIAG_AUDIT_UNAVAILABLE,
                                 "the journal does not take a record: %s", strerror(-r));
        return AUDIT_WRITTEN;
}

static int on_writable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        struct audit *audit = userdata;

        (void)fd, (void)events;
        (void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
        waiter_wake_all(&audit->waiters);
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t now, void *userdata) {
        struct audit *audit = userdata;

        (void)source, (void)now;
        waiter_wake_all(&audit->waiters);
        return 0;
}

void audit_wait(struct audit *audit, struct waiter *waiter) {
        bool first = !audit->waiters.first;

        waiter_join(waiter, &audit->waiters);
        if (!first)
                return;
        /* Where the descriptor cannot be polled (a plain file is always writable) the timer alone
         * wakes. */
        if (audit->fd >= 0 && !audit->writable &&
            sd_event_add_io(audit->event, &audit->writable, audit->fd, EPOLLOUT, on_writable,
                            audit) < 0)
                audit->writable = NULL;
        if (audit->writable)
                (void)sd_event_source_set_enabled(audit->writable, SD_EVENT_ONESHOT);
        (void)sd_event_source_set_time_relative(audit->timer, AUDIT_WAIT_MAX);
        (void)sd_event_source_set_enabled(audit->timer, SD_EVENT_ONESHOT);
}

static void refusal_flush(struct audit *audit, struct refusal *row) {
        const struct audit_record record = {
                .kind = row->kind,
                .token = row->token[0] ? row->token : NULL,
                .error = &row->error,
                .rule = row->rule,
                .peer = &row->peer,
                .count = row->suppressed,
        };

        /* What could not be written is not forgotten: it is tried again after another window. */
        if (row->suppressed > 0 && audit_write(audit, &record, NULL) != AUDIT_WRITTEN) {
                row->until = clock_monotonic() + REFUSAL_WINDOW;
                return;
        }
        row->suppressed = 0;
        row->until = 0;
}

static void refusal_arm(struct audit *audit) {
        usec_t next = USEC_INFINITY;

        for (size_t i = 0; i < REFUSAL_KINDS; i++)
                if (audit->refusals[i].until > 0 && audit->refusals[i].until < next)
                        next = audit->refusals[i].until;
        if (next == USEC_INFINITY)
                return;
        (void)sd_event_source_set_time(audit->refusal_timer, next);
        (void)sd_event_source_set_enabled(audit->refusal_timer, SD_EVENT_ONESHOT);
}

static int on_refusal_timer(sd_event_source *source, uint64_t time, void *userdata) {
        struct audit *audit = userdata;
        usec_t now = clock_monotonic();

        (void)source, (void)time;
        for (size_t i = 0; i < REFUSAL_KINDS; i++)
                if (audit->refusals[i].until > 0 && audit->refusals[i].until <= now)
                        refusal_flush(audit, &audit->refusals[i]);
        refusal_arm(audit);
        return 0;
}

static bool refusal_matches(const struct refusal *row, const struct audit_record *record) {
        return row->kind == record->kind && row->code == record->error->code &&
               strcmp(row->token, record->token ? record->token : "") == 0 &&
               strcmp(row->rule, record->rule ? record->rule : "") == 0;
}

/* The row of an equal refusal, else a free one, else the one that this origin's further refusals
 * are counted in. */
static struct refusal *refusal_find(struct audit *audit, const struct audit_record *record) {
        static const struct peer nobody;
        const struct peer *peer = record->peer ? record->peer : &nobody;
        bool unknown = record->error->code == DIAG_UNKNOWN_TOKEN;
        struct refusal *free_row = NULL, *last = NULL, *last_unknown = NULL;
        size_t own = 0, own_unknown = 0;

        for (struct refusal *row = audit->refusals; row < audit->refusals + REFUSAL_KINDS; row++) {
                if (row->until == 0) {
                        free_row = free_row ? free_row : row;
                        continue;
                }
                if (!peer_same_origin(&row->peer, peer))
                        continue;
                if (refusal_matches(row, record))
                        return row;
                last = row;
                own++;
                if (row->code == DIAG_UNKNOWN_TOKEN) {
                        last_unknown = row;
                        own_unknown++;
                }
        }
        if (unknown && own_unknown >= UNKNOWN_OF_ORIGIN)
                return last_unknown;
        if (own >= REFUSALS_OF_ORIGIN || (!free_row && last))
                return last;
        return free_row ? free_row : &audit->refusals[REFUSAL_KINDS - 1];
}

void audit_refusal(struct audit *audit, const struct audit_record *record) {
        struct refusal *row = refusal_find(audit, record);

        if (row->until > 0) {
                row->suppressed++;
                return;
        }
        *row = (struct refusal){ .kind = record->kind,
                                 .code = record->error->code,
                                 .error = *record->error,
                                 .until = clock_monotonic() + REFUSAL_WINDOW };
        if (record->peer)
                row->peer = *record->peer;
        if (record->rule)
                (void)snprintf(row->rule, sizeof(row->rule), "%s", record->rule);
        if (record->token)
                (void)text_clean(row->token, sizeof(row->token), record->token,
                                 strlen(record->token));
        if (audit_write(audit, record, NULL) != AUDIT_WRITTEN)
                row->suppressed++;
        refusal_arm(audit);
}

const char *audit_instance(const struct audit *audit) {
        return audit->instance;
}

uint64_t audit_sequence(const struct audit *audit) {
        return audit->sequence;
}

bool audit_uses_journal(const struct audit *audit) {
        return audit->journal;
}

struct audit *audit_free(struct audit *audit) {
        if (!audit)
                return NULL;
        for (size_t i = 0; i < REFUSAL_KINDS; i++)
                refusal_flush(audit, &audit->refusals[i]);
        disconnect_journal(audit);
        (void)sd_event_source_disable_unref(audit->timer);
        (void)sd_event_source_disable_unref(audit->refusal_timer);
        (void)sd_event_unref(audit->event);
        free(audit);
        return NULL;
}
DEFINE_CLEANUP(struct audit *, audit_free);

static int add_timer(struct audit *audit, sd_event_time_handler_t handler, sd_event_source **ret) {
        int r = sd_event_add_time(audit->event, ret, CLOCK_MONOTONIC, 0, 0, handler, audit);

        return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

int audit_new(sd_event *event, bool use_journal, struct audit **ret, struct error *err) {
        _cleanup_(audit_freep) struct audit *audit = calloc(1, sizeof(*audit));

        if (!audit)
                return error_oom(err);
        audit->journal = use_journal;
        audit->fd = -1;
        audit->event = sd_event_ref(event);
        if (random_id(audit->instance) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "no random numbers: %s",
                                 strerror(errno));
        if (add_timer(audit, on_timer, &audit->timer) < 0 ||
            add_timer(audit, on_refusal_timer, &audit->refusal_timer) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "cannot make a timer");
        if (!use_journal) {
                audit->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
                if (audit->fd < 0)
                        return error_set(err, DIAG_AUDIT_UNAVAILABLE,
                                         "standard error is not open: %s", strerror(errno));
        }
        *ret = take(audit);
        return 0;
}
