#include "broker/proof.h"

#include <stdio.h>
#include <string.h>

/* The steps of a source of Infisical's, and of the direct one. */
enum { STEP_CREDENTIAL, STEP_PROJECT, STEP_FOLDER, STEP_SECRET, STEP_FORGE_TOKEN };
enum { STEP_DATE, STEP_VARIABLE, STEP_DIRECT_FORGE_TOKEN };

/* Which step a diagnosis breaks; what is not here breaks the first. */
static const struct {
        enum diagnosis code;
        size_t step;
} meanings[] = {
        { DIAG_PROJECT_NOT_FOUND, STEP_PROJECT },
        { DIAG_NOT_PROJECT_MEMBER, STEP_PROJECT },
        { DIAG_FOLDER_NOT_FOUND, STEP_FOLDER },
        /* It is said before the folder is looked for, and of a wrong environment or path too. */
        { DIAG_PERMISSION_DENIED, STEP_FOLDER },
        { DIAG_SECRET_NOT_FOUND, STEP_SECRET },
        { DIAG_SECRET_HIDDEN, STEP_SECRET },
        { DIAG_SECRET_EMPTY, STEP_SECRET },
        { DIAG_SECRET_MALFORMED, STEP_SECRET },
};

bool proof_uses_infisical(const struct proof *proof) {
        return proof->source != SOURCE_DIRECT_ENV_FALLBACK;
}

static void add_step(struct proof *proof, const char *step, const char *format, const char *what) {
        char name[192];

        /* One word each of the configuration, which is clean; a long one is cut. */
        (void)snprintf(name, sizeof(name), "%s%.150s", format, what);
        proof->steps[proof->n_steps++] = finding_add(proof->findings, proof->finding, step, name);
}

void proof_init(struct proof *proof, json_t *parent) {
        const struct token_config *token = proof->refresh->token;
        char place[192], day[CLOCK_TEXT_MAX];

        proof->pinned = *token;
        for (size_t i = 0; i < SOURCE_COUNT; i++)
                proof->pinned.sources[i] = i == (size_t)proof->source;
        proof->finding = finding_add(proof->findings, parent, "source", source_name(proof->source));
        if (proof_uses_infisical(proof)) {
                (void)snprintf(place, sizeof(place), "%.60s, folder %.100s",
                               token->identity->environment, token->secret_path);
                add_step(proof, "credential",
                         proof->source == SOURCE_INFISICAL_TOKEN_AUTH
                             ? "access token"
                             : "login with client id and secret",
                         "");
                add_step(proof, "project", "project ", token->identity->project_id);
                add_step(proof, "folder", "environment ", place);
                add_step(proof, "secret", "secret ", token->secret_name);
        } else {
                (void)clock_format(usec_sub(token->direct_env_until, USEC_PER_SEC), day);
                day[10] = '\0';
                add_step(proof, "date", "within its date, ", day);
                add_step(proof, "variable", "variable ", token->direct_env);
        }
        add_step(proof, "forge-token", "known to forge ", token->forge->name);
}

static void skip_from(struct proof *proof, size_t first, const char *why) {
        for (size_t i = first; i < proof->n_steps; i++)
                finding_unchecked(proof->steps[i], "%s", why);
}

void proof_skip(struct proof *proof, const char *why) {
        skip_from(proof, 0, why);
        proof->state = PROOF_SETTLED;
}

/* Step @broken failed: what is before it is proven by that, what is behind it is not checked. */
static void break_at(struct proof *proof, size_t broken, const struct error *err) {
        for (size_t i = 0; i < broken; i++)
                finding_ok(proof->steps[i], NULL);
        /* A limit is no defect: nothing is known. */
        if (err->code == DIAG_UPSTREAM_RATE_LIMITED) {
                skip_from(proof, broken, err->detail);
                return;
        }
        finding_broken(proof->steps[broken], err);
        skip_from(proof, broken + 1, "the step before it is broken");
}

static size_t step_of(enum diagnosis code) {
        for (size_t i = 0; i < ELEMENTS(meanings); i++)
                if (meanings[i].code == code)
                        return meanings[i].step;
        return 0;
}

static void settle(struct proof *proof) {
        proof->state = PROOF_SETTLED;
        proof->settled(proof->userdata);
}

static void show_life(struct proof *proof) {
        json_t *step = proof->steps[proof->n_steps - 1];

        switch (proof->life) {
        case FORGE_TOKEN_ALIVE:
                finding_ok(step, NULL);
                break;
        case FORGE_TOKEN_DEAD:
                finding_broken(step, &proof->life_error);
                break;
        default:
                finding_unchecked(step, "%s", proof->life_error.detail);
                finding_remedy(step, error_remedy(&proof->life_error));
                break;
        }
}

/* Of the forge, which a check-up uses up like anybody. */
static struct verify_forge *patience(const struct proof *proof) {
        return generation_verify(proof->generation, proof->refresh)->forge;
}

static void on_alive(void *userdata, enum forge_life life, const struct error *err) {
        struct proof *proof = userdata;

        proof->alive = NULL;
        if (life == FORGE_TOKEN_DEAD)
                verify_forge_refused(patience(proof), clock_boottime());
        if (err->code == DIAG_UPSTREAM_RATE_LIMITED)
                verify_forge_pause(patience(proof), clock_boottime());
        verify_forge_answered(patience(proof));
        proof->asked = true;
        proof->life = life;
        proof->life_error = *err;
        show_life(proof);
        settle(proof);
}

/* The same value from another source has its answer already: a forge that refuses a token twice
 * begins to count. */
static bool adopt_life(struct proof *proof) {
        for (const struct proof *p = proof->previous; p; p = p->previous) {
                if (!p->asked || strcmp(p->print, proof->print) != 0)
                        continue;
                proof->asked = true;
                proof->life = p->life;
                proof->life_error = p->life_error;
                return true;
        }
        return false;
}

/* Return: true if an answer is awaited. */
static bool ask_forge(struct proof *proof) {
        json_t *step = proof->steps[proof->n_steps - 1];
        usec_t wait = verify_forge_wait(patience(proof), clock_boottime());
        char span[CLOCK_TEXT_MAX];
        struct error err = { 0 };

        if (!proof->forge_works) {
                finding_unchecked(step, "forge '%s' cannot be reached, see there",
                                  proof->refresh->token->forge->name);
                return false;
        }
        if (adopt_life(proof)) {
                show_life(proof);
                return false;
        }
        if (wait > 0) {
                finding_unchecked(step, "the forge was shown too many dead tokens; ask again in %s",
                                  clock_format_span(wait, span));
                return false;
        }
        if (forge_alive_start(proof->http, proof->refresh->token->forge, proof->value, on_alive,
                              proof, &proof->alive, &err) >= 0) {
                verify_forge_asked(patience(proof));
                return true;
        }
        finding_unchecked(step, "%s", err.detail);
        finding_remedy(step, error_remedy(&err));
        return false;
}

/* "of 'ci-broker', ends in 20d 4h" */
static void show_access_token(struct proof *proof) {
        const struct token_claims *claims = &proof->refresh->upstream->claims;
        char span[CLOCK_TEXT_MAX];
        usec_t left = usec_sub(claims->expires_at, clock_realtime());
        bool named = claims->identity_name[0] != '\0';

        if (claims->expires_at == 0)
                finding_ok(proof->steps[STEP_CREDENTIAL], "%s%s", named ? "of identity " : "",
                           claims->identity_name);
        else
                finding_ok(proof->steps[STEP_CREDENTIAL], "%s%s%sends in %s",
                           named ? "of identity " : "", claims->identity_name, named ? ", " : "",
                           clock_format_span(left, span));
}

static void show_value(struct proof *proof, const struct fetch_result *result) {
        size_t last = proof->n_steps - 2;

        for (size_t i = 0; i <= last; i++)
                finding_ok(proof->steps[i], NULL);
        if (proof->source == SOURCE_INFISICAL_TOKEN_AUTH)
                show_access_token(proof);
        if (proof_uses_infisical(proof))
                finding_ok(proof->steps[last], "version %lld, fingerprint %s",
                           (long long)result->version, proof->print);
        else
                finding_ok(proof->steps[last], "fingerprint %s", proof->print);
        if (proof->steps[last])
                (void)json_object_set_new(proof->steps[last], "fingerprint",
                                          json_string(proof->print));
}

static void on_fetched(void *userdata, const struct fetch_result *result, const struct error *err) {
        struct proof *proof = userdata;

        proof->fetch = NULL;
        if (err->code != DIAG_NONE) {
                if (proof_uses_infisical(proof))
                        break_at(proof, step_of(err->code), err);
                else
                        break_at(proof,
                                 err->code == DIAG_FALLBACK_EXPIRED ? STEP_DATE : STEP_VARIABLE,
                                 err);
                settle(proof);
                return;
        }
        proof->value = secret_ref(result->token);
        fingerprint(proof->generation->context.key, proof->value, proof->print);
        show_value(proof, result);
        if (!ask_forge(proof))
                settle(proof);
}

void proof_start(struct proof *proof) {
        const struct fetch_request request = {
                .token = &proof->pinned,
                .http = proof->http,
                .upstream = proof->refresh->upstream,
                .login = proof->refresh->login,
                .direct_env = proof->generation->context.direct_env,
        };
        struct error err = { 0 };

        proof->state = PROOF_RUNNING;
        if (fetch_start(proof->event, &request, on_fetched, proof, &proof->fetch, &err) < 0)
                proof_skip(proof, err.detail);
}

void proof_done(struct proof *proof) {
        proof->fetch = fetch_cancel(proof->fetch);
        if (proof->alive)
                verify_forge_answered(patience(proof));
        proof->alive = forge_alive_cancel(proof->alive);
        proof->value = secret_unref(proof->value);
}
