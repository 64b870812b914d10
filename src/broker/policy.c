#include "broker/policy.h"

#include <string.h>

#include "base/glob.h"
#include "base/text.h"

/* Enough of a pattern to find it in the configuration. */
#define PATTERN_SHOWN_MAX 64

/* The pattern of a list that fits all of @text, or NULL. */
static const char *find_pattern(char *const *patterns, const char *text) {
        for (; *patterns; patterns++)
                if (glob_matches_exactly(*patterns, text, strlen(text)))
                        return *patterns;
        return NULL;
}

/* One more rule that was met: "units docker-*.scope, job_events push". */
static void add_met(struct policy_verdict *verdict, const char *key, const char *pattern) {
        char shown[PATTERN_SHOWN_MAX];
        size_t used = strlen(verdict->rule);

        (void)text_append(verdict->rule, sizeof(verdict->rule), &used, "%s%s %s", used > 0 ? ", " : "", key,
                          text_clean(shown, sizeof(shown), pattern, strlen(pattern)));
}

/* The rule that was not: all of what it asks for, as far as there is room. */
static void set_unmet(struct policy_verdict *verdict, const char *key, char *const *items) {
        size_t used = 0, count = 0;

        while (items[count])
                count++;
        (void)text_append(verdict->rule, sizeof(verdict->rule), &used, "%s", key);
        for (size_t i = 0; i < count; i++) {
                if (used + strlen(items[i]) + sizeof(", ... (64)") > sizeof(verdict->rule)) {
                        (void)text_append(verdict->rule, sizeof(verdict->rule), &used, " ... (%zu)", count);
                        return;
                }
                (void)text_append(verdict->rule, sizeof(verdict->rule), &used, "%s %s", i > 0 ? "," : "", items[i]);
        }
}

static int decide_units(const struct token_config *token, const struct peer *peer, struct policy_verdict *verdict,
                        struct error *err) {
        const char *unit = peer->cgroup.unit, *pattern;

        if (!token->units[0])
                return 0;
        pattern = unit[0] ? find_pattern(token->units, unit) : NULL;
        if (pattern) {
                add_met(verdict, "units", pattern);
                return 0;
        }
        set_unmet(verdict, "units", token->units);
        if (unit[0])
                (void)error_set(err, DIAG_PEER_REFUSED, "unit '%.80s' is not in %s of token '%s'", unit, verdict->rule,
                                token->name);
        else
                (void)error_set(err, DIAG_PEER_REFUSED, "the kernel does not tell this process' unit, and token '%s' is for %s",
                                token->name, verdict->rule);
        error_remedy_set(err, "Ask from one of these units, or let the host's operator add this one to units = in [token %s].",
                         token->name);
        return -(int)DIAG_PEER_REFUSED;
}

static int decide_proof(const struct token_config *token, const struct job_facts *facts, struct policy_verdict *verdict,
                        struct error *err) {
        if (!token->proof_required || facts)
                return 0;
        set_unmet(verdict, "job_repositories", token->job_repositories);
        (void)error_set(err, DIAG_PROOF_REQUIRED, "token '%s' is for jobs that forge '%s' vouches for, and no proof was shown",
                        token->name, token->vouched_by->name);
        return -(int)DIAG_PROOF_REQUIRED;
}

int policy_decide(const struct token_config *token, const struct peer *peer, const struct job_facts *facts,
                  struct policy_verdict *ret, struct error *err) {
        int r;

        *ret = (struct policy_verdict){ 0 };
        r = decide_units(token, peer, ret, err);
        return r < 0 ? r : decide_proof(token, facts, ret, err);
}

bool policy_units_allow(const struct token_config *token, const struct peer *peer) {
        struct policy_verdict verdict = { 0 };

        return decide_units(token, peer, &verdict, NULL) == 0;
}
