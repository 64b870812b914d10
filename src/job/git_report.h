/*
 * What git's helper tells `forge-broker git` while git runs: which token it gave for which URL.
 *
 *      "deploy\thttps://git.example.org/o/r.git\tdeploy forgejo_token_source=...\n"
 *
 * A line each, through a pipe whose number is in the environment.  Hooks can write to it as well:
 * nothing but what is printed depends on it.
 */
#pragma once

#include <stddef.h>

/* Names the pipe. */
#define GIT_REPORT_VARIABLE "FORGE_BROKER_GIT_REPORT_FD"

#define GIT_REPORT_MAX  (16 * 1024) /* a few dozen lines; those past it are dropped */
#define GIT_ANSWERS_MAX 64

struct git_answer {
        const char *name, *url, *evidence; /* clean, inside the report */
};

struct git_report {
        struct git_answer answers[GIT_ANSWERS_MAX]; /* each different one once */
        size_t count;
        char text[GIT_REPORT_MAX];
};

/** git_report_write() - the helper's side; nothing where no pipe is named */
void git_report_write(const char *name, const char *url, const char *evidence);

/** git_report_read() - what has been written so far; never waits */
void git_report_read(int fd, struct git_report *ret);
