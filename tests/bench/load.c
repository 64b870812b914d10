/*
 * Loads servers on unix sockets in turn, round by round, so that what else the machine does meets
 * all of them alike, and prints for each way of asking: requests per second, the server's processor
 * time per request, and latencies.  Medians of the rounds.
 *
 *      load ROUNDS REQUESTS NAME KIND PID SOCKET [NAME KIND PID SOCKET]...
 *
 * KIND is "http", or "cache" for git-credential-cache's daemon, which takes one question per
 * connection.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SERVERS_MAX 8
#define SLOTS_MAX   32
#define ROUNDS_MAX  64

static const struct way {
        const char *name;
        int slots;
        bool keep, one_core;
} ways[] = {
        { "a connection per request, 1 client", 1, false, false },
        { "a connection per request, 32 clients", 32, false, false },
        { "kept connections, 32 clients", 32, true, false },
        { "a connection per request, 1 client, all on one core", 1, false, true },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

struct result {
        double per_second[ROUNDS_MAX], cpu_usec[ROUNDS_MAX], p50[ROUNDS_MAX], p99[ROUNDS_MAX],
            p999[ROUNDS_MAX];
};

struct server {
        const char *name, *socket;
        bool is_cache;
        int pid;
        struct result results[WAYS];
};

struct slot {
        int fd;
        uint64_t began;
        size_t got, wanted; /* bytes; wanted 0: not known yet */
        char head[4096];
};

static const char closing[] =
    "GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
static const char keeping[] = "GET /v1/tokens/deploy HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char asking[] = "action=get\ntimeout=900\nprotocol=https\nhost=git.example.org\n";

static uint64_t now(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

__attribute__((noreturn)) static void fail(const struct server *server, const char *what) {
        (void)fprintf(stderr, "load: %s: %s: %s\n", server->name, what, strerror(errno));
        exit(1);
}

/* Processor time of all its threads, in nanoseconds. */
static uint64_t processor_time(const struct server *server) {
        char path[64];
        uint64_t sum = 0;
        struct dirent *entry;
        DIR *tasks;

        (void)snprintf(path, sizeof(path), "/proc/%d/task", server->pid);
        tasks = opendir(path);
        if (!tasks)
                fail(server, path);
        while ((entry = readdir(tasks))) {
                char stat[400];
                uint64_t nsec;
                FILE *file;

                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(stat, sizeof(stat), "%s/%s/schedstat", path, entry->d_name);
                file = fopen(stat, "re");
                if (!file)
                        continue;
                if (fscanf(file, "%" SCNu64, &nsec) == 1)
                        sum += nsec;
                (void)fclose(file);
        }
        (void)closedir(tasks);
        return sum;
}

static void pin(const struct server *server, bool one_core) {
        cpu_set_t set;
        char path[64];
        struct dirent *entry;
        DIR *tasks;

        CPU_ZERO(&set);
        if (one_core)
                CPU_SET(0, &set);
        else
                for (int i = 0; i < (int)sysconf(_SC_NPROCESSORS_ONLN); i++)
                        CPU_SET(i, &set);
        (void)sched_setaffinity(0, sizeof(set), &set);
        (void)snprintf(path, sizeof(path), "/proc/%d/task", server->pid);
        tasks = opendir(path);
        while (tasks && (entry = readdir(tasks)))
                if (entry->d_name[0] != '.')
                        (void)sched_setaffinity(atoi(entry->d_name), sizeof(set), &set);
        if (tasks)
                (void)closedir(tasks);
}

static void ask(const struct server *server, const struct way *way, struct slot *slot, int loop) {
        const char *request = server->is_cache ? asking : way->keep ? keeping : closing;
        bool is_new = slot->fd < 0;

        slot->began = now();
        slot->got = slot->wanted = 0;
        if (is_new) {
                struct sockaddr_un address = { .sun_family = AF_UNIX };
                struct epoll_event event = { .events = EPOLLIN, .data.ptr = slot };

                memcpy(address.sun_path, server->socket, strlen(server->socket) + 1);
                slot->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (slot->fd < 0 ||
                    connect(slot->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                        fail(server, "connect");
                if (epoll_ctl(loop, EPOLL_CTL_ADD, slot->fd, &event) < 0)
                        fail(server, "epoll");
        }
        if (send(slot->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
                fail(server, "send");
        if (server->is_cache)
                (void)shutdown(slot->fd, SHUT_WR);
}

/* True when the answer is whole. */
static bool receive(const struct server *server, const struct way *way, struct slot *slot) {
        ssize_t n = recv(slot->fd, slot->head + slot->got, sizeof(slot->head) - 1 - slot->got, 0);
        const char *end, *length;

        if (n < 0)
                fail(server, "recv");
        slot->got += (size_t)n;
        slot->head[slot->got] = '\0';
        if (n == 0) {
                if (way->keep || slot->got == 0)
                        fail(server,
                             way->keep ? "closed a kept connection" : "closed without an answer");
                if (!server->is_cache && strncmp(slot->head, "HTTP/1.1 200", 12) != 0)
                        fail(server, slot->head);
                (void)close(slot->fd);
                slot->fd = -1;
                return true;
        }
        if (!way->keep)
                return false;
        end = strstr(slot->head, "\r\n\r\n");
        length = strcasestr(slot->head, "content-length:");
        if (end && length && slot->wanted == 0)
                slot->wanted = (size_t)(end + 4 - slot->head) + strtoul(length + 15, NULL, 10);
        if (slot->wanted == 0 || slot->got < slot->wanted)
                return false;
        /* A server may end a connection that it was asked to keep: the broker does after a wait
         * for the journal. */
        if (strcasestr(slot->head, "connection: close")) {
                (void)close(slot->fd);
                slot->fd = -1;
        }
        return true;
}

static int by_size(const void *a, const void *b) {
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static void run(struct server *server, size_t w, size_t round, size_t requests) {
        const struct way *way = &ways[w];
        struct slot slots[SLOTS_MAX];
        struct epoll_event events[SLOTS_MAX];
        double *usec = calloc(requests, sizeof(double));
        size_t asked = 0, answered = 0;
        int loop = epoll_create1(EPOLL_CLOEXEC);
        uint64_t began, ended, busy;
        struct result *result = &server->results[w];

        if (!usec || loop < 0)
                fail(server, "out of memory");
        pin(server, way->one_core);
        busy = processor_time(server);
        began = now();
        for (int i = 0; i < way->slots; i++) {
                slots[i].fd = -1;
                ask(server, way, &slots[i], loop);
                asked++;
        }
        while (answered < requests) {
                int count = epoll_wait(loop, events, SLOTS_MAX, 10000);

                if (count == 0)
                        fail(server, "no answer in 10 s");
                for (int i = 0; i < count; i++) {
                        struct slot *slot = events[i].data.ptr;

                        if (!receive(server, way, slot))
                                continue;
                        if (answered < requests)
                                usec[answered++] = (double)(now() - slot->began) / 1e3;
                        if (asked < requests) {
                                ask(server, way, slot, loop);
                                asked++;
                        }
                }
        }
        ended = now();
        for (int i = 0; i < way->slots; i++)
                if (slots[i].fd >= 0)
                        (void)close(slots[i].fd);
        (void)close(loop);
        pin(server, false);
        qsort(usec, requests, sizeof(double), by_size);
        result->per_second[round] = (double)requests * 1e9 / (double)(ended - began);
        result->cpu_usec[round] = (double)(processor_time(server) - busy) / 1e3 / (double)requests;
        result->p50[round] = usec[requests / 2];
        result->p99[round] = usec[requests * 99 / 100];
        result->p999[round] = usec[requests * 999 / 1000];
        free(usec);
}

static double median(double *values, size_t count) {
        qsort(values, count, sizeof(double), by_size);
        return values[count / 2];
}

static void print(struct server *servers, size_t count, size_t rounds) {
        for (size_t w = 0; w < WAYS; w++) {
                (void)printf("\n%s\n  %-34s %9s %7s %9s %7s %8s %7s %8s %8s\n", ways[w].name, "",
                             "req/s", "ratio", "cpu us/req", "ratio", "p50 us", "ratio", "p99 us",
                             "p99.9 us");
                for (size_t i = 0; i < count; i++) {
                        struct result *first = &servers[0].results[w],
                                      *own = &servers[i].results[w];

                        if (servers[i].is_cache && ways[w].keep)
                                continue;
                        (void)printf(
                            "  %-34s %9.0f %7.2f %9.1f %8.2f %8.1f %7.2f %8.1f %8.1f\n",
                            servers[i].name, median(own->per_second, rounds),
                            median(own->per_second, rounds) / median(first->per_second, rounds),
                            median(own->cpu_usec, rounds),
                            median(own->cpu_usec, rounds) / median(first->cpu_usec, rounds),
                            median(own->p50, rounds),
                            median(own->p50, rounds) / median(first->p50, rounds),
                            median(own->p99, rounds), median(own->p999, rounds));
                }
        }
}

int main(int argc, char **argv) {
        struct server *servers = calloc(SERVERS_MAX, sizeof(*servers));
        size_t rounds = argc > 6 ? strtoul(argv[1], NULL, 10) : 0,
               requests = argc > 6 ? strtoul(argv[2], NULL, 10) : 0;
        size_t count = argc > 6 ? (size_t)(argc - 3) / 4 : 0;

        if (!servers || rounds == 0 || rounds > ROUNDS_MAX || requests < SLOTS_MAX ||
            count > SERVERS_MAX || (argc - 3) % 4 != 0) {
                (void)fprintf(
                    stderr,
                    "usage: load ROUNDS REQUESTS NAME KIND PID SOCKET [NAME KIND PID SOCKET]...\n");
                return 2;
        }
        for (size_t i = 0; i < count; i++) {
                char **words = argv + 3 + 4 * i;

                servers[i] = (struct server){ .name = words[0],
                                              .is_cache = strcmp(words[1], "cache") == 0,
                                              .pid = atoi(words[2]),
                                              .socket = words[3] };
        }
        /* One round to warm up, which the first counted one replaces. */
        for (size_t round = 0; round <= rounds; round++)
                for (size_t w = 0; w < WAYS; w++)
                        for (size_t i = 0; i < count; i++)
                                if (!servers[i].is_cache || !ways[w].keep)
                                        run(&servers[i], w, round > 0 ? round - 1 : 0, requests);
        print(servers, count, rounds);
        free(servers);
        return 0;
}
