/*
 * Whether the keys that a forge signs its jobs' ID tokens with can be read: for `forge-brokerctl
 * doctor`, so that a wrong oidc_issuer shows before the first job does.
 *
 * They are read by the desk that serves the jobs, within its budget, and serve them afterwards.
 */
#pragma once

#include "broker/endpoint.h"
#include "broker/generation.h"

/* Embedded; zeroed, key_check_start(), then key_check_done(). */
struct key_check {
        struct key_desk *desk; /* NULL: no rule relies on that forge's ID tokens */
        struct key_waiter waiter;
        json_t *finding;
        bool pending;
        void (*done)(void *userdata);
        void *userdata;
};

/**
 * key_check_start() - adds its step below that of the forge, if some token's rules rely on ID
 * tokens of it
 * @i:     the forge, in the configuration's order
 * @forge: what was found of it
 *
 * While it is pending, done() will be called, from the loop.
 */
void key_check_start(struct key_check *check, struct generation *generation, size_t i,
                     const struct endpoint *forge);

/** key_check_done() - before the generation goes */
void key_check_done(struct key_check *check);
