/*
 * One source of one token proven: from the credential to the forge that knows the value.
 *
 * It walks the very chain that the broker walks (broker/source), pinned to the one source, with the
 * sessions, the lockout and the budgets of the generation at work; the diagnosis says which step is
 * broken.  The value is compared and asked about, and never published.
 */
#pragma once

#include "broker/findings.h"
#include "broker/generation.h"
#include "forge/alive.h"

enum proof_state { PROOF_WAITING, PROOF_RUNNING, PROOF_SETTLED };

#define PROOF_STEPS_MAX 5

/* Embedded; zeroed, proof_init(), then proof_start() or proof_skip(); proof_done() at the end. */
struct proof {
        sd_event *event;
        struct generation *generation;
        struct http_client *http;
        struct findings *findings;
        void (*settled)(void *userdata); /* from the loop, after proof_start() */
        void *userdata;

        struct refresh *refresh; /* the token at work */
        enum source source;
        /* of the same token: a value that was asked about is not asked about again */
        struct proof *previous;
        bool forge_works;
        enum proof_state state;

        struct token_config pinned; /* the token's settings with this source alone */
        json_t *finding, *steps[PROOF_STEPS_MAX];
        size_t n_steps;
        struct fetch *fetch;
        struct forge_alive *alive;
        struct secret *value;
        char print[FINGERPRINT_MAX];
        bool asked; /* life and life_error mean something */
        enum forge_life life;
        struct error life_error;
};

/** proof_init() - adds its steps below @parent */
void proof_init(struct proof *proof, json_t *parent);

/**
 * proof_start() - begins
 *
 * The state at return is PROOF_RUNNING, and settled() will be called, or already PROOF_SETTLED.
 */
void proof_start(struct proof *proof);

/** proof_skip() - nothing of it is checked, and why */
void proof_skip(struct proof *proof, const char *why);

/** proof_uses_infisical() - false for the direct value */
bool proof_uses_infisical(const struct proof *proof);

void proof_done(struct proof *proof);
