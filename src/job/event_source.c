#include "job/event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"

/* Reads it all; NULL and *ret_why, static text, when that cannot be. */
static char *read_payload(const char *path, size_t *ret_length, const char **ret_why) {
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_(freep) char *bytes = NULL;
        size_t size, used = 0;
        struct stat st;
        ssize_t n = 1;

        *ret_why = "its file cannot be opened";
        if (fd < 0 || fstat(fd, &st) < 0)
                return NULL;
        *ret_why = "its file is no regular file";
        if (!S_ISREG(st.st_mode))
                return NULL;
        *ret_why = "its file is larger than 25 MiB";
        if (st.st_size > EVENT_BYTES_MAX)
                return NULL;
        *ret_why = "there is no memory for it";
        size = (size_t)st.st_size + 1; /* one more, so that a file that grows is noticed */
        bytes = malloc(size);
        if (!bytes)
                return NULL;
        *ret_why = "its file cannot be read";
        while (used < size && n > 0) {
                n = read(fd, bytes + used, size - used);
                if (n < 0 && errno == EINTR)
                        n = 1;
                else if (n < 0)
                        return NULL;
                else
                        used += (size_t)n;
        }
        *ret_why = "its file is being written";
        if (used == size)
                return NULL;
        *ret_length = used;
        return take(bytes);
}

static void read_actions(struct event *ret) {
        const char *name = forge_env_get("EVENT_NAME"), *path = forge_env_get("EVENT_PATH");
        const char *why = "the job's environment names no file";
        _cleanup_(freep) char *payload = NULL;
        size_t length = 0;

        if (path)
                payload = read_payload(path, &length, &why);
        event_judge(name, payload, length, why, ret);
}

/* GitLab writes no file: the projects at both ends are in the environment. */
static void judge_between(struct event *event, const char *from, const char *to) {
        char from_clean[96], to_clean[96];

        (void)text_clean(from_clean, sizeof(from_clean), from ? from : "", from ? strlen(from) : 0);
        (void)text_clean(to_clean, sizeof(to_clean), to ? to : "", to ? strlen(to) : 0);
        if (!to_clean[0]) {
                event->trust = EVENT_UNRESOLVED;
                (void)snprintf(event->reason, sizeof(event->reason),
                               "the environment does not say which merge request this is for");
        } else if (!from_clean[0]) {
                /* GitLab leaves the source out once its project is deleted. */
                event->trust = EVENT_UNTRUSTED;
                (void)snprintf(event->reason, sizeof(event->reason),
                               "a merge request to %s from a project that is gone", to_clean);
        } else if (strcasecmp(from, to) != 0) {
                event->trust = EVENT_UNTRUSTED;
                (void)snprintf(event->reason, sizeof(event->reason),
                               "a merge request from the fork %s of %s", from_clean, to_clean);
        } else {
                event->trust = EVENT_TRUSTED;
                (void)snprintf(event->reason, sizeof(event->reason),
                               "a merge request from a branch of %s itself", to_clean);
        }
}

static bool is_trusted_source(const char *source) {
        static const char *const trusted[] = { "push", "schedule", "web",      "webide",
                                               "api",  "trigger",  "pipeline", "chat" };

        for (size_t i = 0; i < ELEMENTS(trusted); i++)
                if (strcmp(trusted[i], source) == 0)
                        return true;
        return false;
}

/* A merge request's child pipelines have its variables too. */
static void read_gitlab(struct event *ret) {
        const char *source = getenv("CI_PIPELINE_SOURCE"),
                   *target = getenv("CI_MERGE_REQUEST_PROJECT_PATH");

        (void)text_clean(ret->name, sizeof(ret->name), source ? source : "",
                         source ? strlen(source) : 0);
        ret->trust = EVENT_UNRESOLVED;
        if (!ret->name[0]) {
                (void)snprintf(ret->reason, sizeof(ret->reason),
                               "the job's environment names no pipeline source");
        } else if (strcmp(source, "merge_request_event") == 0 ||
                   (strcmp(source, "parent_pipeline") == 0 && target && *target)) {
                judge_between(ret, getenv("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"), target);
        } else if (strcmp(source, "external_pull_request_event") == 0) {
                judge_between(ret, getenv("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY"),
                              getenv("CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY"));
        } else if (strcmp(source, "parent_pipeline") == 0) {
                (void)snprintf(ret->reason, sizeof(ret->reason),
                               "what set off the parent pipeline cannot be told from here");
        } else if (is_trusted_source(source)) {
                ret->trust = EVENT_TRUSTED;
                (void)snprintf(ret->reason, sizeof(ret->reason), "only who may write sets off '%s'",
                               ret->name);
        } else {
                (void)snprintf(ret->reason, sizeof(ret->reason),
                               "'%s' is no pipeline source that is known here", ret->name);
        }
}

void event_read(enum forge_env env, struct event *ret) {
        *ret = (struct event){ .trust = EVENT_UNRESOLVED };
        if (env == FORGE_ENV_GITLAB)
                read_gitlab(ret);
        else
                read_actions(ret);
}
