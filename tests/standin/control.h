/*
 * The tests' side: HTTP and JSON on a unix socket.  README.md has the calls with examples.
 */
#pragma once

#include <microhttpd.h>

#include "standin.h"

/** control_start() - listens on @path, replacing a socket that is there; NULL, and it said why */
struct MHD_Daemon *control_start(struct standin *s, const char *path);

/* control_state.c: the calls that change the state. */

struct control {
        struct standin *standin;
        const char *argument; /* the path's second piece, "" for none */
        const char *verb;     /* its third piece, "" for none */
        const json_t *body;   /* an object, maybe empty */
        unsigned status;      /* 200 until somebody says otherwise */
};

/** control_error() - sets the status and makes the reply */
json_t *control_error(struct control *c, unsigned status, const char *message);

json_t *control_put_secret(struct control *c);
json_t *control_delete_secret(struct control *c);
json_t *control_put_folder(struct control *c);
json_t *control_delete_folder(struct control *c);
json_t *control_get_tokens(struct control *c);
json_t *control_post_tokens(struct control *c);
json_t *control_post_identities(struct control *c);
json_t *control_post_client_secrets(struct control *c);
