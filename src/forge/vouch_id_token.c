#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/text.h"
#include "config/url.h"
#include "forge/vouch_internal.h"

/* Without TLS only where the forge itself goes without, which is on the loopback. */
bool vouch_is_id_token_url(const struct forge_config *forge, const char *url) {
        _cleanup_(freep) char *origin =
            strlen(url) <= ID_TOKEN_URL_MAX_BYTES ? url_origin_of(url) : NULL;
        const char *host;

        if (!origin)
                return false;
        if (url_is_same_origin(url, forge->url))
                return true;
        if (url_is_plaintext(origin))
                return false;
        host = origin + strlen("https://");
        for (size_t i = 0; forge->id_token_hosts[i]; i++)
                if (glob_matches(forge->id_token_hosts[i], host, strlen(host)))
                        return true;
        return false;
}

char *vouch_id_token_request(const struct forge_config *forge, const char *url) {
        _cleanup_(freep) char *audience = text_percent_encode(forge->oidc_audience);
        char *request = NULL;

        return audience && asprintf(&request, "%s%caudience=%s", url, strchr(url, '?') ? '&' : '?',
                                    audience) >= 0
                   ? request
                   : NULL;
}

/* Its expiry ends it, but neither before all who waited were told (the clocks' leeway may be all
 * that is left of it), nor so late that a key which the forge takes back, or a job that ends, goes
 * unnoticed: looking again costs a signature. */
static usec_t counts_for(usec_t left) {
        if (left > VOUCH_ID_TOKEN_KEPT)
                return VOUCH_ID_TOKEN_KEPT;
        return left < VOUCH_KEPT ? VOUCH_KEPT : left;
}

/* Its claims are looked at first: a token that would not do anyway makes nobody fetch keys. */
static void check(struct vouch *vouch) {
        usec_t expires, now = clock_realtime();
        struct job_facts facts;
        struct error err = { 0 };
        int r;

        r = id_token_check(&vouch->token, vouch->forge->oidc_issuer, vouch->forge->oidc_audience,
                           now, &expires, &err);
        if (r >= 0)
                r = key_desk_verify(vouch->keys, &vouch->token, &vouch->waiter, clock_boottime(),
                                    &err);
        if (r == KEY_DESK_WAIT)
                return;
        if (r >= 0)
                r = job_facts_read_claims(vouch->forge->type, vouch->token.claims, &facts, &err);
        if (r >= 0)
                vouch_prove(vouch, &facts,
                            usec_add(clock_boottime(), counts_for(usec_sub(expires, now))));
        else if (r == -(int)DIAG_PROOF_REJECTED)
                vouch_fail(vouch, VOUCH_REFUSED, &err);
        else
                vouch_undecided(vouch, &err);
}

static void on_keys(struct key_waiter *waiter) {
        check((struct vouch *)(void *)((char *)waiter - offsetof(struct vouch, waiter)));
}

void vouch_check_id_token(struct vouch *vouch, struct secret *text) {
        struct error err = { 0 };
        int r;

        vouch->waiter.ready = on_keys;
        r = id_token_read(text, &vouch->token, &err);
        if (r == -(int)DIAG_PROOF_REJECTED)
                vouch_fail(vouch, VOUCH_REFUSED, &err);
        else if (r < 0)
                vouch_undecided(vouch, &err);
        else
                check(vouch);
}
