/*
 * The two unix sockets: libmicrohttpd on the sd-event loop, with the limits it does not give.
 *
 * The jobs' socket serves what jobs may ask, the control socket everything; without a control
 * socket the one serves all. The peer's verdict is taken at accept; its 403 goes out once the head
 * is read.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/error.h"
#include "broker/broker.h"

struct server;

/**
 * server_new() - serves from now on
 * @jobs_fd, @control_fd: listening stream sockets, taken over on success and closed at the end;
 * control_fd -1: none
 */
int server_new(sd_event *event, struct broker *broker, int jobs_fd, int control_fd,
               struct server **ret, struct error *err);

/**
 * server_free() - stops accepting, answers what is parked with 503, and lets go; NULL is fine
 *
 * The listening sockets are closed, not shut down: systemd's copy goes on queueing.
 * Return: NULL.
 */
struct server *server_free(struct server *server);
DEFINE_CLEANUP(struct server *, server_free);
