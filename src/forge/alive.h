/*
 * Whether a forge knows a token: one authenticated GET of the token's own user, with what its type
 * of forge needs.
 *
 * Three answers and no fourth: the forge's own words decide between ALIVE and DEAD, and whatever
 * did not come from the forge, or says neither, is UNKNOWN.  One request, no retry (a forge that
 * refuses several tokens in a row locks the address out), no redirect, nothing of the token in a
 * URL.  What to do about the verdict is broker/rejected.
 */
#pragma once

#include "config/config.h"
#include "net/http.h"

enum forge_life {
        /* known, whatever it may do: "lacks the scope to see its own user" is alive */
        FORGE_TOKEN_ALIVE,
        /* the forge itself says that it does not know it, or that it was revoked or has expired */
        FORGE_TOKEN_DEAD,
        FORGE_TOKEN_UNKNOWN,
};

struct forge_alive;

/**
 * forge_alive_done - the verdict
 * @err: never NULL.  ALIVE: DIAG_NONE.  DEAD: forge-token-rejected.  UNKNOWN: forge-cannot-tell or
 *       an upstream code.  The detail names the forge and the URL, never a secret or anything of a
 *       body.
 *
 * It may start another and free the client.
 */
typedef void (*forge_alive_done)(void *userdata, enum forge_life life, const struct error *err);

/**
 * forge_alive_start() - asks @forge about @token
 * @forge: borrowed, as long as the question runs
 * @token: referenced
 * @done:  once, from the loop, never from forge_alive_start()
 *
 * Ends by itself within some seconds.  Cancel it before its client is freed.
 * Return: 0, or the negated diagnosis of a question that cannot be asked, to be taken as UNKNOWN:
 * -DIAG_FORGE_CANNOT_TELL for a forge of type `other`, -DIAG_INTERNAL_ERROR.
 */
int forge_alive_start(struct http_client *client, const struct forge_config *forge,
                      struct secret *token, forge_alive_done done, void *userdata,
                      struct forge_alive **ret, struct error *err);

/** forge_alive_cancel() - drops it without a word; NULL is fine.  Return: NULL. */
struct forge_alive *forge_alive_cancel(struct forge_alive *alive);

/**
 * forge_classify_life() - what the answer to that GET means
 * @err: as for forge_alive_done
 *
 * Pure: status, content type and body in, verdict out.
 */
enum forge_life forge_classify_life(const struct forge_config *forge,
                                    const struct http_response *response, struct error *err);
