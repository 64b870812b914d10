/*
 * What forges say of jobs: the first byte of the input chooses the answer's kind, the rest is its
 * body.
 *   R Forgejo's run   J GitLab's job   I GitHub's repositories of an installation
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/wiping.h"
#include "forge/job_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t size) {
        char clean[JOB_TEXT_MAX];

        assert(strlen(text) < size &&
               strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0);
}

static void check(int r, const struct job_facts *facts, const struct error *err) {
        if (r < 0) {
                assert(r == -(int)err->code);
                return;
        }
        assert(fact_is_repository(facts->repository) && facts->by > VOUCHED_NO &&
               facts->by < VOUCHED_COUNT);
        assert(!facts->event_known || facts->event[0]);
        assert(!facts->ref_known || text_starts_with(facts->ref, "refs/"));
        assert(facts->event_known || facts->fork != FORK_NO);
        check_text(facts->repository, sizeof(facts->repository));
        check_text(facts->event, sizeof(facts->event));
        check_text(facts->ref, sizeof(facts->ref));
        check_text(facts->run_id, sizeof(facts->run_id));
        check_text(facts->actor, sizeof(facts->actor));
        check_text(facts->workflow, sizeof(facts->workflow));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static bool ready;
        struct error err = { 0 };
        struct job_facts facts;
        json_t *root;

        if (!ready) {
                json_set_alloc_funcs(wiping_malloc, wiping_free);
                ready = true;
        }
        if (size < 1 || size > 65536)
                return 0;
        /* As json_parse(), which is another function in the jobs' library: a fuzzer is linked with
         * both. */
        root = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
        if (data[0] == 'R')
                check(job_facts_read_run(root, &facts, &err), &facts, &err);
        else if (data[0] == 'J')
                check(job_facts_read_job("https://lab.example.org", root, &facts, &err), &facts,
                      &err);
        else if (data[0] == 'I')
                check(job_facts_read_installation(root, &facts, &err), &facts, &err);
        json_decref(root);
        assert(wiping_in_use() == 0);
        return 0;
}
