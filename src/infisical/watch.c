#include "infisical/watch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* A replacement is several events (write, chmod, chown, rename): one call for all of them. */
#define SETTLE_TIME (100 * USEC_PER_MSEC)

#define EVENTS (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM)

/* The directory that is named, and the one the links lead to; links within links of other
 * directories are followed at once. */
enum { NAMED, RESOLVED, DIRECTORIES };

struct watch {
        sd_event *event;
        char *file;
        struct stat seen; /* zeroed: it was not there */
        char *directories[DIRECTORIES];
        sd_event_source *sources[DIRECTORIES];
        sd_event_source *settle;
        watch_changed changed;
        void *userdata;
};

struct watch *watch_free(struct watch *watch) {
        if (!watch)
                return NULL;
        for (int i = 0; i < DIRECTORIES; i++) {
                (void)sd_event_source_disable_unref(watch->sources[i]);
                free(watch->directories[i]);
        }
        (void)sd_event_source_disable_unref(watch->settle);
        (void)sd_event_unref(watch->event);
        free(watch->file);
        free(watch);
        return NULL;
}
DEFINE_CLEANUP(struct watch *, watch_free);

static int on_event(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        struct watch *watch = userdata;
        int armed = SD_EVENT_OFF;

        (void)source, (void)event;
        /* Not put off by what follows: a directory that is never quiet must not hide the change. */
        if (sd_event_source_get_enabled(watch->settle, &armed) > 0 && armed != SD_EVENT_OFF)
                return 0;
        (void)sd_event_source_set_time_relative(watch->settle, SETTLE_TIME);
        (void)sd_event_source_set_enabled(watch->settle, SD_EVENT_ONESHOT);
        return 0;
}

static int observe(struct watch *watch, int which, const char *directory) {
        int r;

        if (watch->directories[which] && strcmp(watch->directories[which], directory) == 0)
                return 0;
        watch->sources[which] = sd_event_source_disable_unref(watch->sources[which]);
        free(watch->directories[which]);
        watch->directories[which] = strdup(directory);
        if (!watch->directories[which])
                return -ENOMEM;
        r = sd_event_add_inotify(watch->event, &watch->sources[which], directory, EVENTS, on_event,
                                 watch);
        if (r < 0) {
                free(watch->directories[which]);
                watch->directories[which] = NULL;
        }
        return r;
}

/* Where the links lead may be another place after each change. */
static void observe_target(struct watch *watch) {
        _cleanup_(freep) char *target = realpath(watch->file, NULL);
        char *directory = target ? dirname(target) : NULL;

        if (directory && strcmp(directory, watch->directories[NAMED]) != 0)
                (void)observe(watch, RESOLVED, directory);
}

/* Most events of a directory are about other files. */
static bool has_changed(struct watch *watch) {
        struct stat now = { 0 };
        const struct stat *seen = &watch->seen;
        bool same;

        if (stat(watch->file, &now) < 0)
                now = (struct stat){ 0 };
        same = now.st_dev == seen->st_dev && now.st_ino == seen->st_ino &&
               now.st_size == seen->st_size && now.st_mode == seen->st_mode &&
               now.st_uid == seen->st_uid && now.st_gid == seen->st_gid &&
               now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
               now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec &&
               now.st_ctim.tv_sec == seen->st_ctim.tv_sec &&
               now.st_ctim.tv_nsec == seen->st_ctim.tv_nsec;
        watch->seen = now;
        return !same;
}

static int on_settled(sd_event_source *source, uint64_t time, void *userdata) {
        struct watch *watch = userdata;

        (void)source, (void)time;
        observe_target(watch);
        if (has_changed(watch))
                watch->changed(watch->userdata);
        return 0;
}

int watch_new(sd_event *event, const char *file, watch_changed changed, void *userdata,
              struct watch **ret, struct error *err) {
        _cleanup_(watch_freep) struct watch *watch = calloc(1, sizeof(*watch));
        _cleanup_(freep) char *copy = strdup(file);
        int r;

        if (!watch || !copy)
                return error_oom(err);
        watch->event = sd_event_ref(event);
        watch->changed = changed;
        watch->userdata = userdata;
        watch->file = strdup(file);
        if (!watch->file)
                return error_oom(err);
        r = sd_event_add_time_relative(event, &watch->settle, CLOCK_MONOTONIC, 0, 0, on_settled,
                                       watch);
        if (r >= 0)
                r = sd_event_source_set_enabled(watch->settle, SD_EVENT_OFF);
        if (r >= 0)
                r = observe(watch, NAMED, dirname(copy));
        if (r < 0)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s cannot be watched: %s", file,
                                 strerror(-r));
        observe_target(watch);
        (void)has_changed(watch);
        *ret = take(watch);
        return 0;
}
