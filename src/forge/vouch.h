/*
 * Asks a forge which job is asking: a job's proof in, what the forge says of that job out.
 *
 *      an ID token (a JWT) ----------------------------> its signature, audience and times are checked here (key_desk.h)
 *      a request token and the address that takes it --> the ID token is fetched there, then as above
 *      an automatic token: Forgejo --------------------> the run it belongs to; before 16 as Gitea
 *                          Gitea ----------------------> that it is a job's, and may push to the repository that the job names
 *                          GitHub ---------------------> the one repository that it is for
 *                          GitLab ---------------------> the job it belongs to
 *
 * No retry and no redirect; nothing of a proof in a URL.  How often a forge may be asked, and how
 * long an answer counts, is broker/vouch_desk; what a job gets for it is broker/policy.
 */
#pragma once

#include "base/secret.h"
#include "forge/job_facts.h"
#include "forge/key_desk.h"
#include "net/http.h"

/* The address of an ID token's request is at most that long. */
#define ID_TOKEN_URL_MAX_BYTES ((size_t)2048)

/* What an automatic token proved holds for so long: its job may end at any moment. */
#define VOUCH_KEPT (10 * USEC_PER_SEC)

/* And what an ID token proved no longer than this, though it may hold for hours. */
#define VOUCH_ID_TOKEN_KEPT (5 * USEC_PER_MIN)

/* What a job shows.  The texts are its own words. */
struct vouch_question {
        struct secret *proof; /* an ID token, a request token, or the job's automatic token */
        /* where the request token is good for an ID token; NULL: @proof is not one */
        const char *id_token_url;
        /* where the job says that it runs; "" or NULL: it does not say */
        const char *repository;
};

enum vouch_end {
        VOUCH_PROVEN,
        VOUCH_REFUSED, /* the proof does not hold; the forge was not shown a bad token for it */
        /* nor does it, and the forge has seen one more bad token from this address */
        VOUCH_REFUSED_BY_FORGE,
        /* it is genuine, or cannot be asked about, and does not prove a job */
        VOUCH_INSUFFICIENT,
        VOUCH_UNDECIDED,       /* the forge did not say: worth asking again later */
        VOUCH_ASKED_TOO_OFTEN, /* likewise, and it limits how often it is asked */
};

/**
 * vouch_done - the outcome
 * @facts: for VOUCH_PROVEN, borrowed; else NULL
 * @err:   never NULL; DIAG_NONE, DIAG_PROOF_REJECTED, or DIAG_PROOF_INSUFFICIENT with the upstream
 *         code in the detail.  It names the forge, never anything of the proof
 *
 * It may start another and free the client.
 */
typedef void (*vouch_done)(void *userdata, enum vouch_end end, const struct job_facts *facts,
                           const struct error *err);

struct vouch;

/**
 * vouch_start() - begins a question
 * @keys:     those of the forge; with its client and itself borrowed as long as the question runs
 * @question: its proof is referenced until the answer, the rest is copied
 * @done:     once: from the loop, or from within vouch_start() where nobody has to be asked
 * @ret:      set before @done may be called; it is gone once that was
 *
 * Each request ends by itself within some seconds.  Cancel it before its client is freed.
 * Return: 0, or -DIAG_INTERNAL_ERROR without a call of @done.
 */
int vouch_start(struct key_desk *keys, const struct vouch_question *question, vouch_done done,
                void *userdata, struct vouch **ret, struct error *err);

/** vouch_cancel() - drops it without a word; NULL is fine.  Return: NULL. */
struct vouch *vouch_cancel(struct vouch *vouch);
