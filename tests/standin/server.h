/*
 * The HTTP side: one thread per connection, so a fault may simply wait; the state is locked while
 * an answer is made.
 */
#pragma once

#include <microhttpd.h>

#include "standin.h"

/** server_start() - listens on 127.0.0.1; @port 0 takes any; @certificate and @key are PEM texts,
 * or NULL */
struct MHD_Daemon *server_start(struct standin *s, unsigned port, const char *certificate,
                                const char *key);

/** server_port() - where it listens */
unsigned server_port(struct MHD_Daemon *daemon);
