/*
 * A check-up of one generation of the configuration at work: credential files, each URL, each
 * forge, each source of each token, and the journal.  The same in the daemon and in
 * `forge-brokerctl doctor` while no daemon runs.
 *
 *      start -> files -> SERVERS (all at once) -> PROOFS (a few tokens at a time) -> JOURNAL -> done()
 *
 * Nothing goes upstream more often than a refresh on demand may: reads of one token are 10 s apart,
 * sessions and the lockout are the generation's own, and a server that asked for a pause has it.
 */
#pragma once

#include <systemd/sd-event.h>

#include "broker/findings.h"
#include "broker/generation.h"

struct doctor;

struct doctor_context {
        sd_event *event;
        struct generation *generation; /* outlives the run */
        struct audit *audit;
        usec_t delay; /* before it begins */
        /* this process has the environment that the daemon has, or would have */
        bool environment_known;
};

/**
 * doctor_done - the end of a run
 * @steps: an array of findings, borrowed; NULL with the reason in @err
 */
typedef void (*doctor_done)(void *userdata, json_t *steps, const struct error *err);

/**
 * doctor_start() - begins a run
 * @done: once, from the loop, never from doctor_start()
 */
int doctor_start(const struct doctor_context *context, doctor_done done, void *userdata,
                 struct doctor **ret, struct error *err);

/** doctor_cancel() - drops it without a word; NULL is fine.  Return: NULL. */
struct doctor *doctor_cancel(struct doctor *doctor);

/**
 * doctor_check_files() - the credential files of an identity, as this process sees them
 * @parent: of the new steps; NULL: they are roots
 *
 * Return: which sources have what they need, a bit (1 << enum source) for each.
 */
unsigned doctor_check_files(struct findings *findings, json_t *parent,
                            const struct identity_config *identity);
