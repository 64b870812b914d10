#include "broker/vouch_desk.h"

#include <string.h>

/* A token that a forge does not know stays unknown; this bounds only how long that is
 * remembered. */
#define REFUSAL_KEPT (10 * USEC_PER_MIN)

/* Long enough for all who waited for it to be told. */
#define FAILURE_KEPT (2 * USEC_PER_SEC)
#define RETRY_AFTER  (5 * USEC_PER_SEC)

struct vouch_entry {
        struct vouch_entry *next;
        struct vouch_desk *desk;
        struct vouch_forge *forge;
        unsigned char digest[FINGERPRINT_DIGEST_BYTES]; /* of all that was shown */
        struct peer peer;                               /* who showed it first */
        bool tries_patience;                            /* the forge itself is shown the proof */

        struct vouch *vouch; /* in flight; else what follows is the answer */
        struct waiter_list waiters;
        enum vouch_end end;
        struct job_facts facts; /* of VOUCH_PROVEN */
        struct error error;     /* of the others */
        usec_t until;           /* boottime: how long the answer counts */
};

int vouch_desk_init(struct vouch_desk *desk, struct http_client *client,
                    const struct fingerprint_key *key, struct verify_forge *patience,
                    size_t n_forges, struct error *err) {
        *desk = (struct vouch_desk){ .key = key, .n_forges = n_forges };
        desk->forges = calloc(n_forges ? n_forges : 1, sizeof(*desk->forges));
        if (!desk->forges)
                return error_oom(err);
        for (size_t i = 0; i < n_forges; i++) {
                desk->forges[i].patience = &patience[i];
                key_desk_init(&desk->forges[i].keys, client, patience[i].config);
        }
        return 0;
}

/* Out of the list, and gone. */
static void drop(struct vouch_entry *entry) {
        struct vouch_desk *desk = entry->desk;
        struct vouch_entry **place = &desk->entries;

        while (*place != entry)
                place = &(*place)->next;
        *place = entry->next;
        desk->n_entries--;
        if (entry->vouch && entry->tries_patience)
                verify_forge_answered(entry->forge->patience);
        entry->vouch = vouch_cancel(entry->vouch);
        waiter_wake_all(&entry->waiters);
        free(entry);
}

void vouch_desk_done(struct vouch_desk *desk) {
        while (desk->entries)
                drop(desk->entries);
        for (size_t i = 0; desk->forges && i < desk->n_forges; i++) {
                key_desk_done(&desk->forges[i].keys);
                waiter_wake_all(&desk->forges[i].patience->room);
        }
        free(desk->forges);
        desk->forges = NULL;
}

static struct vouch_forge *find_forge(const struct vouch_desk *desk,
                                      const struct forge_config *forge) {
        for (size_t i = 0; i < desk->n_forges; i++)
                if (desk->forges[i].patience->config == forge)
                        return &desk->forges[i];
        return NULL;
}

/* Everything that the answer depends on. */
static int digest(const struct vouch_desk *desk, const struct vouch_question *question,
                  unsigned char ret[static FINGERPRINT_DIGEST_BYTES], struct error *err) {
        _cleanup_(secret_unrefp) struct secret *all =
            secret_new(PROOF_MAX_BYTES + ID_TOKEN_URL_MAX_BYTES + 2 * JOB_TEXT_MAX);
        const char *url = question->id_token_url ? question->id_token_url : "";
        const char *repository = question->repository ? question->repository : "";

        if (!all || !secret_append(all, url, strlen(url) + 1) ||
            !secret_append(all, repository, strlen(repository) + 1) ||
            !secret_append(all, secret_bytes(question->proof), secret_length(question->proof)))
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "no locked memory is left for a job's proof");
        /* Without it two proofs would be one. */
        return fingerprint_digest(desk->key, all, ret) ? 0 : error_oom(err);
}

/* Nobody waits for what is asked about an ID token: nothing was shown to the forge, and its keys
 * come all the same.  But its proof holds locked memory, which askers who leave could use up. */
static bool is_abandoned(const struct vouch_entry *entry) {
        return entry->vouch && !entry->waiters.first && !entry->tries_patience;
}

/* Drops what does not count any more.  The one that is asked for moves to the front. */
static struct vouch_entry *find(struct vouch_desk *desk, const struct vouch_forge *forge,
                                const unsigned char key[static FINGERPRINT_DIGEST_BYTES],
                                usec_t now) {
        struct vouch_entry *found = NULL, *next;

        for (struct vouch_entry *entry = desk->entries; entry; entry = next) {
                bool same =
                    entry->forge == forge && memcmp(entry->digest, key, sizeof(entry->digest)) == 0;

                next = entry->next;
                if ((!entry->vouch && now >= entry->until) || (!same && is_abandoned(entry)))
                        drop(entry);
                else if (same)
                        found = entry;
        }
        if (found && desk->entries != found) {
                struct vouch_entry **place = &desk->entries;

                while (*place != found)
                        place = &(*place)->next;
                *place = found->next;
                found->next = desk->entries;
                desk->entries = found;
        }
        return found;
}

/* The one that was not asked for longest makes room, but nobody's question. */
static void make_room(struct vouch_desk *desk) {
        struct vouch_entry *oldest = NULL;

        for (struct vouch_entry *entry = desk->entries; entry; entry = entry->next)
                if (!entry->vouch)
                        oldest = entry;
        if (desk->n_entries >= VOUCH_ENTRIES_MAX && oldest)
                drop(oldest);
}

static void mark(struct vouch_marks *ring, const struct peer *peer, usec_t now) {
        ring->marks[ring->next].peer = *peer;
        ring->marks[ring->next].at = now;
        ring->next = (ring->next + 1) % VERIFY_DEAD_MAX;
}

/* For how long this peer's proofs are not shown to a forge that limits how often it is asked. */
static usec_t limit_wait(const struct vouch_forge *forge, const struct peer *peer, usec_t now) {
        usec_t own = 0, first = usec_add(now, VERIFY_PAUSE);
        size_t count = 0;

        for (size_t i = 0; i < VERIFY_DEAD_MAX; i++) {
                usec_t at = forge->limited.marks[i].at, until = usec_add(at, VERIFY_PAUSE);

                if (at == 0 || now >= until)
                        continue;
                count++;
                if (until < first)
                        first = until;
                if (until > own && peer_same_origin(&forge->limited.marks[i].peer, peer))
                        own = until;
        }
        if (own > 0)
                return own - now;
        return count == VERIFY_DEAD_MAX ? first - now : 0;
}

/* For how long this peer may not show the forge a token: 0 if it may now.  @ret_in_flight: some
 * may be refused yet. */
static usec_t origin_wait(const struct vouch_desk *desk, const struct vouch_forge *forge,
                          const struct peer *peer, usec_t now, bool *ret_in_flight) {
        size_t refused = 0, in_flight = 0;
        usec_t oldest = now;

        for (size_t i = 0; i < VERIFY_DEAD_MAX; i++) {
                usec_t at = forge->refused.marks[i].at;

                if (at == 0 || now >= usec_add(at, VERIFY_DEAD_SPAN) ||
                    !peer_same_origin(&forge->refused.marks[i].peer, peer))
                        continue;
                refused++;
                if (at < oldest)
                        oldest = at;
        }
        for (const struct vouch_entry *entry = desk->entries; entry; entry = entry->next)
                in_flight += entry->vouch && entry->tries_patience && entry->forge == forge &&
                             peer_same_origin(&entry->peer, peer);
        *ret_in_flight = refused < VOUCH_ORIGIN_MAX && in_flight > 0;
        if (refused + in_flight < VOUCH_ORIGIN_MAX)
                return 0;
        return refused > 0 ? usec_add(oldest, VERIFY_DEAD_SPAN) - now : USEC_PER_SEC;
}

static void on_vouched(void *userdata, enum vouch_end end, const struct job_facts *facts,
                       const struct error *err) {
        struct vouch_entry *entry = userdata;
        usec_t now = clock_boottime();

        entry->vouch = NULL;
        entry->end = end;
        entry->error = *err;
        entry->until = usec_add(now, FAILURE_KEPT);
        if (facts) {
                entry->facts = *facts;
                entry->until = facts->expires_at;
        }
        if (end == VOUCH_ASKED_TOO_OFTEN)
                mark(&entry->forge->limited, &entry->peer, now);
        if (end == VOUCH_REFUSED_BY_FORGE) {
                verify_forge_refused(entry->forge->patience, now);
                mark(&entry->forge->refused, &entry->peer, now);
                entry->until = usec_add(now, REFUSAL_KEPT);
        }
        waiter_wake_all(&entry->waiters);
        if (entry->tries_patience)
                verify_forge_answered(entry->forge->patience);
}

/* The signature of an ID token is checked here; everything else is shown to the forge. */
static bool tries_patience(const struct vouch_question *question) {
        return question->id_token_url || !id_token_is_one(question->proof);
}

/* NULL: it could not begin. */
static struct vouch_entry *start(struct vouch_desk *desk, struct vouch_forge *forge,
                                 const struct vouch_question *question, const struct peer *peer,
                                 const unsigned char key[static FINGERPRINT_DIGEST_BYTES],
                                 struct error *err) {
        struct vouch_entry *entry = calloc(1, sizeof(*entry));

        if (!entry) {
                (void)error_oom(err);
                return NULL;
        }
        make_room(desk);
        entry->desk = desk;
        entry->forge = forge;
        entry->peer = *peer;
        entry->tries_patience = tries_patience(question);
        memcpy(entry->digest, key, sizeof(entry->digest));
        entry->next = desk->entries;
        desk->entries = entry;
        desk->n_entries++;
        if (entry->tries_patience)
                verify_forge_asked(forge->patience);
        if (vouch_start(&forge->keys, question, on_vouched, entry, &entry->vouch, err) < 0) {
                if (entry->tries_patience)
                        verify_forge_answered(forge->patience);
                drop(entry);
                return NULL;
        }
        return entry;
}

static int not_yet(const struct forge_config *forge, usec_t *ret_retry_after, struct error *err) {
        *ret_retry_after = RETRY_AFTER;
        (void)error_set(err, DIAG_PROOF_INSUFFICIENT,
                        "forge '%s' has not yet said whose job this is", forge->name);
        error_remedy_set(err, "Ask again: the forge is being asked.");
        return -(int)DIAG_PROOF_INSUFFICIENT;
}

/* 0: the forge may be asked. */
static int may_ask(struct vouch_desk *desk, struct vouch_forge *forge, const struct peer *peer,
                   usec_t now, bool may_wait, struct waiter *waiter, usec_t *ret_retry_after,
                   struct error *err) {
        bool in_flight;
        usec_t wait = limit_wait(forge, peer, now);

        if (wait > 0) {
                *ret_retry_after = wait;
                (void)error_set(err, DIAG_TOO_MANY_REQUESTS,
                                "forge '%s' was asked about too often, and is left alone for now",
                                forge->patience->config->name);
                error_remedy_set(err, "Wait as long as Retry-After says: the token of the proof is "
                                      "over its limit there.");
                return -(int)DIAG_TOO_MANY_REQUESTS;
        }
        wait = origin_wait(desk, forge, peer, now, &in_flight);
        if (wait == 0) {
                in_flight = forge->patience->in_flight > 0;
                wait = verify_forge_wait(forge->patience, now);
        }
        if (wait == 0)
                return 0;
        if (may_wait && in_flight) {
                waiter_join(waiter, &forge->patience->room);
                return VOUCH_DESK_WAIT;
        }
        *ret_retry_after = wait;
        (void)error_set(err, DIAG_TOO_MANY_REQUESTS,
                        "forge '%s' was shown too many tokens that it does not know, and is left "
                        "alone for now",
                        forge->patience->config->name);
        error_remedy_set(
            err, "Show a proof that the forge knows, and wait as long as Retry-After says.");
        return -(int)DIAG_TOO_MANY_REQUESTS;
}

int vouch_desk_ask(struct vouch_desk *desk, const struct forge_config *forge,
                   const struct vouch_question *question, const struct peer *peer, bool may_wait,
                   struct waiter *waiter, const struct job_facts **ret, usec_t *ret_retry_after,
                   struct error *err) {
        struct vouch_forge *at = find_forge(desk, forge);
        unsigned char key[FINGERPRINT_DIGEST_BYTES];
        struct vouch_entry *entry;
        usec_t now = clock_boottime();
        int r;

        *ret = NULL;
        *ret_retry_after = 0;
        if (!at)
                return error_set(err, DIAG_INTERNAL_ERROR, "forge '%s' is of another configuration",
                                 forge->name);
        r = digest(desk, question, key, err);
        if (r < 0)
                return r;
        entry = find(desk, at, key, now);
        if (!entry) {
                r = !tries_patience(question)
                        ? 0
                        : may_ask(desk, at, peer, now, may_wait, waiter, ret_retry_after, err);
                if (r != 0)
                        return r;
                entry = start(desk, at, question, peer, key, err);
                if (!entry)
                        return -(int)err->code;
        }
        if (entry->vouch && may_wait) {
                waiter_join(waiter, &entry->waiters);
                return VOUCH_DESK_WAIT;
        }
        if (entry->vouch)
                return not_yet(forge, ret_retry_after, err);
        if (entry->end == VOUCH_PROVEN) {
                *ret = &entry->facts;
                return VOUCH_DESK_ANSWERED;
        }
        if (entry->end == VOUCH_UNDECIDED || entry->end == VOUCH_ASKED_TOO_OFTEN)
                *ret_retry_after = RETRY_AFTER;
        *err = entry->error;
        return -(int)err->code;
}
