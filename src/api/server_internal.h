/*
 * For tests only: a server whose time limits are short.
 */
#pragma once

#include "api/limits.h"
#include "api/server.h"

int server_new_with_limits(sd_event *event, struct broker *broker,
                           const struct server_limits *limits, int jobs_fd, int control_fd,
                           struct server **ret, struct error *err);
