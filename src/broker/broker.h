/*
 * What a running broker owns, and the use cases that the API offers: issue, list, refresh, reload,
 * status.
 *
 * Knows nothing of HTTP.  One thread, nothing blocks: a use case that has to wait says so and is
 * called again.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "broker/attempts.h"
#include "broker/counters.h"
#include "broker/peer.h"
#include "broker/waiter.h"
#include "config/config.h"
#include "forge/vouch.h"

struct broker;
struct inspection;

enum token_state {
        TOKEN_PENDING, /* no verdict yet: the first fetch is under way */
        TOKEN_FRESH,
        TOKEN_STALE,
        TOKEN_FAILED,
};

const char *token_state_name(enum token_state state);

/* One token as status and lists show it; everything borrowed until the loop turns again. Times are
 * wall clock, 0 = none. */
struct token_view {
        const struct token_config *config;
        enum token_state state;
        bool degraded; /* served from anything but the first source */
        /* source, version, fingerprint, fetched_at, confirmed_at, stale_until mean something */
        bool has_value;
        enum source source;
        int64_t version;
        const char *fingerprint;
        usec_t fetched_at, confirmed_at, refresh_at, stale_until;
        usec_t expires_at; /* of the value, as its forge says */
        bool fetching;
        /* of the last fetch; code DIAG_NONE if it worked or there was none */
        struct error error;
        const struct attempts *attempts; /* of the last fetch */
};

/* One Infisical server as status shows it. */
struct server_view {
        const struct identity_config *identity;
        const char *url;
        const char *api;     /* "v4", "v3", "unknown" */
        bool answered;       /* at least one request ended */
        struct error error;  /* of the last request; code DIAG_NONE: it worked */
        usec_t last_at;      /* wall clock, 0 = never */
        usec_t paused_until; /* wall clock, 0 = not paused */
        uint64_t requests;
};

/* One identity as status shows it. */
struct identity_view {
        const struct identity_config *config;
        bool has_token; /* Token Auth: an access token is in use */
        /* why the file as it is now is not used; DIAG_NONE: it is, or there is none */
        struct error credential_error;
        /* wall clock, from the access token's own claims; 0: it does not say */
        usec_t token_expires_at;
        int64_t token_uses_limit; /* 0: none, or it does not say */
        /* the identity's name in Infisical; "" if the token does not say */
        const char *token_identity;
        bool has_session;          /* Universal Auth: logged in */
        usec_t session_expires_at; /* wall clock; 0: does not expire, or there is none */
        /* of the last login; DIAG_NONE: it worked, or there was none */
        struct error login_error;
        uint64_t logins;
};

struct broker_view {
        const char *version;  /* of the program */
        const char *instance; /* random per start */
        const char *config_file;
        const char *audit;            /* "journal" or "stderr" */
        uint64_t records;             /* written so far: the last sequence number */
        usec_t started_at, loaded_at; /* wall clock */
        /* the last reload was rejected; the older configuration is in force */
        bool reload_failed;
        bool ready;        /* every token is usable */
        bool degraded;     /* some token is stale, failed, or not from its first source */
        char summary[256]; /* STATUS= of the unit: what is wrong, in one line */
};

/* What a job gets. Everything borrowed from @value's reference and the configuration's until
 * issuance_done(). */
struct issuance {
        struct config *configuration; /* keeps @config alive */
        const struct token_config *config;
        struct secret *token; /* a reference */
        enum source source;
        bool stale;
        int64_t version;
        char fingerprint[9];
        usec_t fetched_at, refresh_at; /* wall clock */
};

void issuance_done(struct issuance *issuance);

/*
 * One request's dealings with the broker.  Zero it, set the members above the blank line, and call
 * a use case; when it says ASK_WAIT the waiter is woken once and the same call is to be made again
 * with the same struct.  ask_done() at the end, always.
 */
struct ask {
        const struct peer *peer;
        const char *token; /* the name in the request: outside text */
        struct claims claims;
        /* what the job shows of itself, or NULL; released, and so wiped, by ask_done() */
        struct secret *proof;
        /* where @proof is good for an ID token: outside text; NULL: it is none such */
        const char *id_token_url;
        bool cannot_prove; /* there is no way to show a proof: to ask for one is to refuse */
        bool may_wait;     /* false: time is over, answer now */
        /* boottime: the next fetch of a token in backoff is waited for if it begins before then;
         * 0: it is answered at once */
        usec_t patient_until;
        struct waiter waiter; /* wake() is the caller's */

        /* out: for no-usable-value, or NULL; borrowed until the loop turns again */
        const struct attempts *attempts;
        usec_t retry_after; /* out: for too-many-requests and no-usable-value; 0 = not known */

        struct inspection *inspection; /* private: a preflight that was begun; a reference */
        bool joined;                   /* private: a fetch, or a check-up, was waited for */
        usec_t since;                  /* private: boottime, when a report came in */
        usec_t audit_deadline;         /* private: monotonic, when waiting for the journal ends */
};

enum { ASK_DONE = 0, ASK_WAIT = 1 };

void ask_done(struct ask *ask);

/**
 * broker_issue() - hands out one value, after its record was written
 *
 * Return: ASK_DONE and @ret, ASK_WAIT, or the negated diagnosis (recorded as well): what
 * broker_admit() says, -DIAG_NO_USABLE_VALUE, -DIAG_AUDIT_UNAVAILABLE, -DIAG_INTERNAL_ERROR.
 */
int broker_issue(struct broker *broker, struct ask *ask, struct issuance *ret, struct error *err);

/**
 * broker_refresh() - fetches now, waits for the outcome, and says how the token stands
 *
 * At most one forced read per token per 10 s: -DIAG_TOO_MANY_REQUESTS and ask->retry_after
 * otherwise.
 */
int broker_refresh(struct broker *broker, struct ask *ask, struct token_view *ret,
                   struct error *err);

/* What is true of a job's report that the forge rejected a token. */
enum verdict {
        VERDICT_CHANGED,  /* the token has another value by now: ask for it */
        VERDICT_REJECTED, /* the forge does not know the value, and there is no other */
        /* the forge knows it: another credential was used, or a right is missing */
        VERDICT_STILL_VALID,
        VERDICT_NOT_OURS, /* this broker never had a value of that fingerprint */
};

const char *verdict_name(enum verdict verdict);

struct rejection {
        enum verdict verdict;
        struct error reason; /* of VERDICT_REJECTED, what the forge said; else DIAG_NONE */
        struct token_view token;
};

/**
 * broker_rejected() - a job reports that the forge rejected a value of the token; verified with the
 * forge, never believed
 * @print: the fingerprint of that value: outside text
 *
 * Return: ASK_DONE and @ret, ASK_WAIT, or the negated diagnosis: -DIAG_UNKNOWN_TOKEN,
 * -DIAG_PEER_REFUSED, -DIAG_NO_USABLE_VALUE, -DIAG_TOO_MANY_REQUESTS, and where nobody can tell
 * -DIAG_FORGE_CANNOT_TELL or an upstream code.
 */
int broker_rejected(struct broker *broker, struct ask *ask, const char *print,
                    struct rejection *ret, struct error *err);

/**
 * broker_doctor() - a check-up of everything that the configuration names; broker/doctor.h
 * @ret:            an array of findings, a new reference
 * @ret_checked_at: wall clock
 *
 * Two begin at least 10 s apart; who asks meanwhile waits for the one that is under way or due.
 * Return: ASK_DONE, ASK_WAIT, or a negated diagnosis.
 */
int broker_doctor(struct broker *broker, struct ask *ask, json_t **ret, usec_t *ret_checked_at,
                  struct error *err);

struct match_query; /* broker/match.h */

/**
 * broker_match() - which token is for a place, told to a process that may ask for it
 * @ret: borrowed until the loop turns again
 *
 * `for` alone chooses: a process that may not have the token that is for the place is not given
 * another one.
 * Return: as match_token(), or -DIAG_PEER_REFUSED, which is recorded.
 */
int broker_match(struct broker *broker, const struct ask *ask, const struct match_query *query,
                 const struct token_config **ret, struct error *err);

/** broker_may_see() - true if the process may ask for the token, as far as that is known without a
 * proof */
bool broker_may_see(const struct peer *peer, const struct token_config *token);

/**
 * broker_token_show() - as broker_token_find(), to a job that would be issued the token: all of its
 * rules apply
 * @ask: NULL: to an operator
 *
 * Return: ASK_DONE, ASK_WAIT, -DIAG_UNKNOWN_TOKEN, or as broker_issue() for a job that may not have
 * it.
 */
int broker_token_show(struct broker *broker, struct ask *ask, const char *name,
                      struct token_view *ret, struct error *err);

/** broker_record_refusal() - the record of a refusal that the API decided itself (a peer that is
 * not root, a bad request) */
void broker_record_refusal(struct broker *broker, const struct peer *peer, const struct error *err);

/**
 * broker_reload() - reads the configuration again and puts it in force, or keeps the old one
 * @problems: zeroed by the caller, released with config_problems_done()
 *
 * Return: 0, or -1 with the problems.
 */
int broker_reload(struct broker *broker, struct config_problems *problems);

/** broker_config() - the configuration in force, borrowed until the loop turns again */
const struct config *broker_config(const struct broker *broker);

/** broker_counters() - borrowed until the loop turns again */
const struct counters *broker_counters(const struct broker *broker);

void broker_view(const struct broker *broker, struct broker_view *ret);
size_t broker_token_count(const struct broker *broker);
void broker_token_view(const struct broker *broker, size_t index, struct token_view *ret);
/** broker_token_find() - true and @ret if there is a token of that name */
bool broker_token_find(const struct broker *broker, const char *name, struct token_view *ret);
size_t broker_identity_count(const struct broker *broker);
void broker_identity_view(const struct broker *broker, size_t index, struct identity_view *ret);
size_t broker_server_count(const struct broker *broker);
void broker_server_view(const struct broker *broker, size_t index, struct server_view *ret);

/** token_is_usable() - a job that asks now gets a value */
static inline bool token_is_usable(const struct token_view *view) {
        return view->state == TOKEN_FRESH || view->state == TOKEN_STALE;
}

/* Called when the state that others show has changed: STATUS=, READY=1. */
typedef void (*broker_changed)(void *userdata);

/**
 * broker_new() - takes the configuration over and begins to fetch
 * @use_journal: where the records go, decided by main from log = and the environment
 * @state_directory: keeps the key of the fingerprints over restarts
 */
int broker_new(sd_event *event, struct config *config, bool use_journal,
               const char *state_directory, broker_changed changed, void *userdata,
               struct broker **ret, struct error *err);

/**
 * broker_stop() - revokes the access tokens that the broker itself obtained, and lets write probes
 * take away what they made; bounded by the caller's patience
 *
 * Return: true if @stopped will be called when that is done; false if there is nothing to do.
 */
bool broker_stop(struct broker *broker, broker_changed stopped, void *userdata);
struct broker *broker_free(struct broker *broker);
DEFINE_CLEANUP(struct broker *, broker_free);
