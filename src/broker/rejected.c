#include "broker/rejected.h"

#include <string.h>

/* Once for each ask, whoever else asks: true while the read that it waits for is under way. */
static bool read_again(struct refresh *refresh, struct ask *ask) {
        usec_t now = clock_boottime();

        if (!ask->joined && !refresh->fetch && refresh_may_force(refresh, now) == 0) {
                refresh->forced_at = now;
                refresh_now(refresh);
        }
        ask->joined = true;
        if (!refresh->fetch || !ask->may_wait)
                return false;
        waiter_join(&ask->waiter, &refresh->waiters);
        return true;
}

int rejected_decide(struct refresh *refresh, struct verify *verify, const struct value *value,
                    struct ask *ask, const char *print, enum verdict *ret, struct error *ret_reason,
                    struct error *err) {
        enum forge_life life;
        int r;

        if (strcmp(value->fingerprint, print) != 0) {
                *ret = refresh_had(refresh, print) ? VERDICT_CHANGED : VERDICT_NOT_OURS;
                return ASK_DONE;
        }
        r = verify_value(verify, value, ask->since, ask->may_wait, &ask->waiter, &life,
                         &ask->retry_after, ret_reason);
        if (r < 0)
                *err = *ret_reason;
        if (r != VERIFY_ANSWERED)
                return r < 0 ? r : ASK_WAIT;
        if (life == FORGE_TOKEN_ALIVE) {
                *ret = VERDICT_STILL_VALID;
                return ASK_DONE;
        }
        /* Also where the forge cannot tell: the value may have been replaced, and reading costs no
         * more than a refresh. */
        if (read_again(refresh, ask))
                return ASK_WAIT;
        if (life == FORGE_TOKEN_DEAD) {
                *ret = VERDICT_REJECTED;
                return ASK_DONE;
        }
        *err = *ret_reason;
        return error_prefix(err, "token '%s'", refresh->token->name);
}
