/*
 * Tells when a file outside $CREDENTIALS_DIRECTORY was replaced, by inotify on the directories that
 * lead to it: an atomic rename, a link that points elsewhere, a link's target that is replaced.  No
 * polling.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/error.h"

struct watch;

typedef void (*watch_changed)(void *userdata);

/**
 * watch_new() - calls @changed once per burst of changes, a moment after the last
 * @file: absolute; it need not exist, its directory must
 *
 * Return: 0, or -DIAG_INTERNAL_ERROR: then the file is only read again when it is needed.
 */
int watch_new(sd_event *event, const char *file, watch_changed changed, void *userdata,
              struct watch **ret, struct error *err);
struct watch *watch_free(struct watch *watch);
