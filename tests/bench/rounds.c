/*
 * Times the start of programs: in each round every one of them is run once, so that what else the
 * machine does meets all of them alike.  Prints medians, ninetieth percentiles and each median's
 * ratio to the first's.
 *
 *      rounds COUNT NAME STDIN PROGRAM [ARGUMENT...] [-- NAME STDIN PROGRAM [ARGUMENT...]]...
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONTENDERS_MAX 16
#define WARM_UP        20

struct contender {
        const char *name;
        char **argv;
        posix_spawn_file_actions_t actions;
        uint64_t *nsec;
};

extern char **environ;

static uint64_t now(void) {
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t run(const struct contender *contender) {
        uint64_t began = now();
        int status = 0, r;
        pid_t pid;

        r = posix_spawn(&pid, contender->argv[0], &contender->actions, NULL, contender->argv,
                        environ);
        if (r == 0 && waitpid(pid, &status, 0) < 0)
                r = errno;
        if (r != 0 || status != 0) {
                (void)fprintf(stderr, "rounds: %s: %s, status %d\n", contender->name, strerror(r),
                              status);
                exit(EXIT_FAILURE);
        }
        return now() - began;
}

/* Splits the words at "--".  Return: how many contenders, or -1. */
static int parse(char **words, struct contender *contenders, size_t rounds) {
        int count = 0;

        while (*words) {
                struct contender *contender = &contenders[count];
                char **end = words;

                while (*end && strcmp(*end, "--") != 0)
                        end++;
                if (end - words < 3 || count == CONTENDERS_MAX)
                        return -1;
                contender->name = words[0];
                contender->argv = words + 2;
                contender->nsec = calloc(rounds, sizeof(uint64_t));
                if (!contender->nsec || posix_spawn_file_actions_init(&contender->actions) != 0 ||
                    posix_spawn_file_actions_addopen(&contender->actions, STDIN_FILENO, words[1],
                                                     O_RDONLY, 0) != 0 ||
                    posix_spawn_file_actions_addopen(&contender->actions, STDOUT_FILENO,
                                                     "/dev/null", O_WRONLY, 0) != 0 ||
                    posix_spawn_file_actions_addopen(&contender->actions, STDERR_FILENO,
                                                     "/dev/null", O_WRONLY, 0) != 0)
                        return -1;
                words = *end ? end + 1 : end;
                *end = NULL;
                count++;
        }
        return count;
}

static int by_size(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return (x > y) - (x < y);
}

int main(int argc, char **argv) {
        struct contender contenders[CONTENDERS_MAX + 1];
        size_t rounds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 0;
        int count = rounds > 0 ? parse(argv + 2, contenders, rounds) : -1;

        if (count < 1) {
                (void)fprintf(stderr,
                              "usage: rounds COUNT NAME STDIN PROGRAM [ARGUMENT...] [-- ...]\n");
                return 2;
        }
        for (size_t round = 0; round < rounds + WARM_UP; round++)
                for (int i = 0; i < count; i++) {
                        uint64_t nsec = run(&contenders[i]);

                        if (round >= WARM_UP)
                                contenders[i].nsec[round - WARM_UP] = nsec;
                }
        (void)printf("%-44s %10s %10s %8s\n", "", "median us", "p90 us", "ratio");
        for (int i = 0; i < count; i++) {
                uint64_t *nsec = contenders[i].nsec;

                qsort(nsec, rounds, sizeof(uint64_t), by_size);
                (void)printf("%-44s %10.1f %10.1f %8.2f\n", contenders[i].name,
                             (double)nsec[rounds / 2] / 1e3, (double)nsec[rounds * 9 / 10] / 1e3,
                             (double)nsec[rounds / 2] / (double)contenders[0].nsec[rounds / 2]);
        }
        return 0;
}
