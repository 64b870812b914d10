#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "forge/vouch_internal.h"

/* The forges' own user behind each job of Forgejo and Gitea. */
#define ACTIONS_USER_ID (-2)

/* What the forges say to a token of their own that is not a job's.  docs/upstream/forges.md, "Who
 * vouches for a job". */
static const struct {
        enum vouch_route route;
        int status;
        const char *text;
} not_automatic[] = {
        { ROUTE_RUN, 403, "must use an automatic actions token" },
        { ROUTE_INSTALLATION, 403, "You must authenticate with an installation access token*" },
};

static void reject(struct vouch *vouch, const char *what) {
        struct error err = { 0 };

        (void)error_set(&err, DIAG_PROOF_REJECTED, "%s", what);
        error_remedy_set(
            &err,
            "Let the job show its own automatic token, or an ID token of its own, while it runs.");
        vouch_fail(vouch, VOUCH_REFUSED_BY_FORGE, &err);
}

static bool is_not_automatic(const struct vouch *vouch, const struct forge_answer *answer) {
        for (size_t i = 0; i < ELEMENTS(not_automatic); i++)
                if (not_automatic[i].route == vouch->route &&
                    not_automatic[i].status == answer->response->status &&
                    fnmatch(not_automatic[i].text, answer->text, 0) == 0)
                        return true;
        return false;
}

static void read_refusal(struct vouch *vouch, const struct forge_answer *answer) {
        struct error err = { 0 };
        enum forge_life life =
            forge_refusal_life(vouch->adapter, vouch->forge, vouch->url, answer, &err);

        if (life == FORGE_TOKEN_DEAD)
                reject(vouch, "it does not know the token that was shown: it is no job's, or its "
                              "job has ended");
        else if (life == FORGE_TOKEN_ALIVE || (answer->root && is_not_automatic(vouch, answer)))
                reject(vouch, "the token that was shown is not a job's automatic token");
        else
                vouch_undecided(vouch, &err);
}

static void insufficient(struct vouch *vouch, const struct error *err) {
        vouch_fail(vouch, VOUCH_INSUFFICIENT, err);
}

static bool is_of_the_forge(const struct vouch *vouch, const struct forge_answer *answer) {
        return answer->root && vouch->adapter->is_refusal(answer);
}

static void read_facts(struct vouch *vouch, int r, struct job_facts *facts, struct error *err) {
        if (r >= 0)
                vouch_prove(vouch, facts, clock_boottime() + VOUCH_KEPT);
        else if (r == -(int)DIAG_PROOF_REJECTED)
                vouch_fail(vouch, VOUCH_REFUSED_BY_FORGE, err);
        else
                vouch_undecided(vouch, err);
}

static void read_run(struct vouch *vouch, const struct forge_answer *answer) {
        struct job_facts facts;
        struct error err = { 0 };

        if (answer->response->status == 404 && is_of_the_forge(vouch, answer))
                vouch_send(vouch, ROUTE_USER); /* before Forgejo 16 */
        else if (answer->response->status != 200 || !answer->root)
                read_refusal(vouch, answer);
        else
                read_facts(vouch, job_facts_read_run(answer->root, &facts, &err), &facts, &err);
}

/* Whoever may push to the repository could ask with a token of his own: only a job's says
 * something of a job. */
static void read_user(struct vouch *vouch, const struct forge_answer *answer) {
        struct error err = { 0 };
        json_int_t id;

        if (answer->response->status != 200 || !answer->root ||
            !json_member_int(answer->root, "id", &id)) {
                read_refusal(vouch, answer);
        } else if (id != ACTIONS_USER_ID) {
                reject(vouch, "the token that was shown is a user's, not a job's automatic token");
        } else if (vouch->repository[0] == '\0') {
                (void)error_set(&err, DIAG_PROOF_INSUFFICIENT,
                                "its automatic tokens prove a repository only when it is named");
                error_remedy_set(&err, "Say which repository the job runs in: "
                                       "Forge-Broker-Repository, which forge-broker takes from "
                                       "the job's environment.");
                insufficient(vouch, &err);
        } else {
                vouch_send(vouch, ROUTE_REPOSITORY);
        }
}

static void not_its_own(struct vouch *vouch) {
        struct error err = { 0 };

        (void)error_set(&err, DIAG_PROOF_INSUFFICIENT,
                        "the job may not push to '%.96s': it is not the job's own repository, or "
                        "the job is a fork's pull request's",
                        vouch->repository);
        error_remedy_set(&err, "Ask from a job of that repository; a fork's pull request gets no "
                               "token that requires proof.");
        insufficient(vouch, &err);
}

static void read_repository(struct vouch *vouch, const struct forge_answer *answer) {
        const char *name = json_member_string(answer->root, "full_name");
        struct job_facts facts = { .by = VOUCHED_REPOSITORY, .fork = FORK_NO };

        if (answer->response->status == 404 && is_of_the_forge(vouch, answer))
                not_its_own(vouch);
        else if (answer->response->status != 200 || !name ||
                 !fact_set(facts.repository, sizeof(facts.repository), name))
                read_refusal(vouch, answer);
        /* In the forge's spelling: names are compared without case. */
        else if (strcasecmp(name, vouch->repository) != 0 ||
                 !json_member_true(json_object_get(answer->root, "permissions"), "push"))
                not_its_own(vouch);
        else
                vouch_prove(vouch, &facts, clock_boottime() + VOUCH_KEPT);
}

static void read_installation(struct vouch *vouch, const struct forge_answer *answer) {
        struct job_facts facts;
        struct error err = { 0 };

        if (answer->response->status != 200 || !answer->root)
                read_refusal(vouch, answer);
        else
                read_facts(vouch, job_facts_read_installation(answer->root, &facts, &err), &facts,
                           &err);
}

static void read_job(struct vouch *vouch, const struct forge_answer *answer) {
        struct job_facts facts;
        struct error err = { 0 };

        if (answer->response->status != 200 || !answer->root)
                read_refusal(vouch, answer);
        else
                read_facts(vouch, job_facts_read_job(vouch->forge->url, answer->root, &facts, &err),
                           &facts, &err);
}

/* {"value":"<JWT>"}.  Who hands them out has error texts of its own; a JSON 401 or 403 is a no. */
static void read_id_token(struct vouch *vouch, const struct forge_answer *answer) {
        const char *value = json_member_string(answer->root, "value");
        size_t length = json_member_string_length(answer->root, "value");
        _cleanup_(secret_unrefp) struct secret *text =
            value && length <= PROOF_MAX_BYTES ? secret_copy(value, length) : NULL;
        struct error err = { 0 };

        if (answer->response->status == 200 && text) {
                vouch_check_id_token(vouch, text);
        } else if (answer->root &&
                   (answer->response->status == 401 || answer->response->status == 403)) {
                reject(vouch, "it gives no ID token for the job's request token: its job has "
                              "ended, or may not have any");
        } else {
                (void)forge_answer_foreign(vouch->forge, vouch->url, answer->response, &err);
                vouch_undecided(vouch, &err);
        }
}

void vouch_read_answer(struct vouch *vouch, const struct http_response *response) {
        static void (*const readers[ROUTE_COUNT])(struct vouch *, const struct forge_answer *) = {
                [ROUTE_ID_TOKEN] = read_id_token,
                [ROUTE_RUN] = read_run,
                [ROUTE_USER] = read_user,
                [ROUTE_REPOSITORY] = read_repository,
                [ROUTE_INSTALLATION] = read_installation,
                [ROUTE_JOB] = read_job,
        };
        struct forge_answer answer;

        forge_answer_read(&answer, response);
        readers[vouch->route](vouch, &answer);
        forge_answer_done(&answer);
}
