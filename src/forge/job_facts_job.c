/*
 * What GitLab and GitHub tell of an automatic token: its job, and its one repository.
 */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "forge/gitlab_event.h"
#include "forge/job_facts.h"

/* URL/GROUP/PROJECT/-/jobs/ID: the only place where the answer has the project's path. */
static bool read_path(const char *url, const char *address, struct job_facts *facts) {
        size_t length = strlen(url);
        const char *end = address ? strstr(address, "/-/jobs/") : NULL;
        char path[JOB_TEXT_MAX];

        if (!end || strncmp(address, url, length) != 0 || address[length] != '/' ||
            end <= address + length + 1 || (size_t)(end - address) - length - 1 >= sizeof(path))
                return false;
        memcpy(path, address + length + 1, (size_t)(end - address) - length - 1);
        path[(size_t)(end - address) - length - 1] = '\0';
        return fact_is_repository(path) &&
               fact_set(facts->repository, sizeof(facts->repository), path);
}

static void read_ref(const json_t *job, struct job_facts *facts) {
        const char *name = json_member_string(job, "ref");
        const json_t *tag = json_object_get(job, "tag");
        char text[JOB_TEXT_MAX];

        if (!name || !json_is_boolean(tag))
                return;
        /* A merge request's pipeline has the whole of its ref there; with any other such name it
         * is a branch that is called so. */
        if (text_starts_with(name, "refs/merge-requests/") && !json_is_true(tag))
                facts->ref_known = fact_set(facts->ref, sizeof(facts->ref), name);
        else if (snprintf(text, sizeof(text), "refs/%s/%s", json_is_true(tag) ? "tags" : "heads",
                          name) < (int)sizeof(text))
                facts->ref_known = fact_set(facts->ref, sizeof(facts->ref), text);
}

int job_facts_read_job(const char *url, const json_t *job, struct job_facts *ret,
                       struct error *err) {
        const json_t *pipeline = json_object_get(job, "pipeline");

        *ret = (struct job_facts){ .by = VOUCHED_RUN_API, .fork = FORK_UNKNOWN };
        if (!read_path(url, json_member_string(job, "web_url"), ret)) {
                (void)error_set(err, DIAG_UPSTREAM_MALFORMED,
                                "the job's web_url is not that of a job below %.128s", url);
                error_remedy_set(err, "Set url of the forge's section to the address that GitLab "
                                      "itself has as external_url.");
                return -(int)DIAG_UPSTREAM_MALFORMED;
        }
        if (!fact_set_number(ret->run_id, sizeof(ret->run_id), json_object_get(pipeline, "id")))
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "the answer does not name the job's pipeline");
        (void)fact_set(ret->actor, sizeof(ret->actor),
                       json_member_string(json_object_get(job, "user"), "username"));
        (void)fact_set(ret->workflow, sizeof(ret->workflow), json_member_string(job, "name"));
        gitlab_event_set(ret, json_member_string(pipeline, "source"));
        read_ref(job, ret);
        return 0;
}

int job_facts_read_installation(const json_t *root, struct job_facts *ret, struct error *err) {
        const json_t *repositories = json_object_get(root, "repositories");
        json_int_t total;

        /* Whether it is a fork's job nobody says: such a token is for the same repository, and may
         * only read. */
        *ret = (struct job_facts){ .by = VOUCHED_REPOSITORY, .fork = FORK_UNKNOWN };
        if (!json_member_int(root, "total_count", &total) || !json_is_array(repositories))
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "the answer does not name the token's repository");
        if (total != 1 || json_array_size(repositories) != 1)
                return error_set(err, DIAG_PROOF_REJECTED,
                                 "the token is for %lld repositories, and a job's is for one",
                                 (long long)total);
        if (!fact_set(ret->repository, sizeof(ret->repository),
                      json_member_string(json_array_get(repositories, 0), "full_name")) ||
            !fact_is_repository(ret->repository))
                return error_set(err, DIAG_UPSTREAM_MALFORMED,
                                 "the answer does not name the token's repository");
        return 0;
}
