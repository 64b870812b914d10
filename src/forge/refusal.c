/*
 * What an answer means that is not the one that proves something: the forge's own refusals by their
 * texts, then what no forge says.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "forge/inquiry.h"

/* Behind which the evidence says what was asked and answered. */
static void say_where(const struct forge_inquiry *inquiry, size_t probe,
                      struct forge_finding *finding) {
        const struct forge_reply *reply = &inquiry->replies[probe];
        size_t used = strlen(finding->error.detail);
        const char *url = reply->url ? reply->url : "";

        if (used + 24 < sizeof(finding->error.detail))
                (void)snprintf(finding->error.detail + used, sizeof(finding->error.detail) - used,
                               " (%s %.*s: %d)", inquiry->evidence->probes[probe].method,
                               (int)strcspn(url, "?"), url, reply->response.status);
}

static const struct forge_refusal *find_refusal(const struct forge_inquiry *inquiry, size_t probe) {
        const struct forge_evidence *evidence = inquiry->evidence;
        const struct forge_reply *reply = &inquiry->replies[probe];

        for (const struct forge_refusal *row = evidence->refusals; row->text; row++)
                if (row->step == evidence->probes[probe].step &&
                    (row->status == 0 || row->status == reply->response.status) &&
                    fnmatch(row->text, reply->text, 0) == 0)
                        return row;
        return NULL;
}

static const struct forge_meaning *find_meaning(const struct forge_inquiry *inquiry,
                                                const struct forge_reply *reply) {
        for (size_t i = 0; i < inquiry->adapter->n_meanings; i++) {
                const struct forge_meaning *row = &inquiry->adapter->meanings[i];

                if (row->life != FORGE_TOKEN_ALIVE &&
                    (row->status == 0 || row->status == reply->response.status) &&
                    fnmatch(row->text, reply->text, 0) == 0)
                        return row;
        }
        return NULL;
}

/* True if the answer has the shape that the forge gives all of its own at that step. */
static bool is_of_the_forge(const struct forge_inquiry *inquiry, size_t probe) {
        const struct forge_reply *reply = &inquiry->replies[probe];
        const struct forge_answer answer = { .response = &reply->response,
                                             .root = reply->root,
                                             .text = reply->text };

        if (reply->response.status < 400)
                return false;
        if (inquiry->evidence->probes[probe].step != STEP_API)
                return reply->text[0] != '\0';
        return json_is_object(reply->root) && inquiry->adapter->is_refusal(&answer);
}

/* Of a forge that has answered as itself before it is the repository that has moved, or a proxy
 * has only this path. */
static bool has_moved(const struct forge_inquiry *inquiry, size_t probe) {
        const struct forge_reply *reply = &inquiry->replies[probe];

        return reply->response.status >= 300 && reply->response.status < 400 &&
               inquiry->life == FORGE_TOKEN_ALIVE &&
               inquiry->evidence->probes[probe].step != STEP_REGISTRY &&
               inquiry->question.repository[0];
}

void forge_finding_refused(const struct forge_inquiry *inquiry, size_t probe,
                           struct forge_finding *finding) {
        const struct forge_config *forge = inquiry->question.forge;
        const struct forge_reply *reply = &inquiry->replies[probe];
        const struct forge_refusal *refusal;
        const struct forge_meaning *meaning;
        struct error err = { 0 };

        *finding = (struct forge_finding){ .verdict = FORGE_CANNOT_TELL };
        if (reply->state != REPLY_THERE) {
                finding->error = reply->error;
                if (reply->state != REPLY_NONE)
                        (void)error_set(&finding->error, DIAG_FORGE_CANNOT_TELL,
                                        "forge '%s' was not asked", forge->name);
                return;
        }
        if (!is_of_the_forge(inquiry, probe)) {
                (void)forge_answer_foreign(forge, reply->url ? reply->url : forge->url,
                                           &reply->response, &err);
                if (has_moved(inquiry, probe))
                        err.remedy[0] = '\0';
                forge_finding_error(finding, &err);
                if (has_moved(inquiry, probe))
                        forge_finding_remedy(
                            inquiry, finding,
                            "See where {url}/{repository} leads, and ask for that name; if it is "
                            "the same, set url of [forge {forge}] to its canonical address, which "
                            "answers without "
                            "a redirect.");
                return;
        }
        refusal = find_refusal(inquiry, probe);
        if (refusal) {
                forge_finding_refusal(inquiry, reply, finding, refusal);
                say_where(inquiry, probe, finding);
                return;
        }
        meaning = find_meaning(inquiry, reply);
        if (meaning) {
                (void)forge_answer_set(forge, reply->url, &reply->response, meaning->code,
                                       meaning->what, &err);
                if (meaning->remedy)
                        error_remedy_set(&err, "%s", meaning->remedy);
        } else if (inquiry->evidence->probes[probe].step == STEP_API) {
                (void)forge_answer_undecided(forge, reply->url, &reply->response, &err);
        } else {
                (void)forge_answer_foreign(forge, reply->url, &reply->response, &err);
        }
        forge_finding_error(finding, &err);
}
