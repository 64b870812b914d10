/* What each forge's words say of a job: kinds of jobs in a table, with all that a proof leaves
 * open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "forge/job_facts.h"

#define RUN(members)    "{\"id\":42,\"repository\":{\"full_name\":\"o/r\"}," members "}"
#define TRUST           "\"is_fork_pull_request\":false,\"need_approval\":false,"
#define EVENT(e, t)     "\"event\":\"" e "\",\"trigger_event\":\"" t "\","
#define REF(name, text) "\"prettyref\":\"" name "\",\"event_payload\":\"" text "\""
#define PULL(head, flow)                                                                           \
        "{\\\"pull_request\\\":{\\\"flow\\\":" flow ",\\\"head\\\":{\\\"repo\\\":" head "},"       \
        "\\\"base\\\":{\\\"repo\\\":{\\\"full_name\\\":\\\"o/r\\\"}}}}"
#define SAME  "{\\\"full_name\\\":\\\"o/r\\\"}"
#define OTHER "{\\\"full_name\\\":\\\"fork/r\\\"}"

/* "repository event ref fork", with "?" for what is not known; NULL: refused. */
struct row {
        const char *json, *facts;
};

static const struct row runs[] = {
        { RUN(TRUST EVENT("push", "push") REF("main", "{\\\"ref\\\":\\\"refs/heads/main\\\"}")),
          "o/r push refs/heads/main no" },
        { RUN(TRUST EVENT("push", "push") REF("v1", "{\\\"ref\\\":\\\"refs/tags/v1\\\"}")),
          "o/r push refs/tags/v1 no" },
        { RUN(TRUST EVENT("push", "") REF("a/b", "{\\\"ref\\\":\\\"refs/heads/a/b\\\"}")),
          "o/r push refs/heads/a/b no" },
        { RUN(TRUST EVENT("schedule", "schedule") REF("main", "{\\\"action\\\":\\\"schedule\\\"}")),
          "o/r schedule refs/heads/main no" },
        { RUN(TRUST EVENT("push", "schedule") REF("main", "")), "o/r schedule refs/heads/main no" },
        { RUN(TRUST EVENT("workflow_dispatch", "workflow_dispatch")
                  REF("main", "{\\\"ref\\\":\\\"refs/heads/main\\\"}")),
          "o/r workflow_dispatch refs/heads/main no" },
        { RUN(TRUST EVENT("create", "create")
                  REF("v1", "{\\\"ref\\\":\\\"v1\\\",\\\"ref_type\\\":\\\"tag\\\"}")),
          "o/r create refs/tags/v1 no" },
        { RUN(TRUST EVENT("create", "create")
                  REF("v1", "{\\\"ref\\\":\\\"v1\\\",\\\"ref_type\\\":\\\"branch\\\"}")),
          "o/r create refs/heads/v1 no" },
        { RUN(TRUST EVENT("release", "release")
                  REF("v1", "{\\\"release\\\":{\\\"tag_name\\\":\\\"v1\\\"}}")),
          "o/r release refs/tags/v1 no" },

        /* Pull requests. */
        { RUN(TRUST EVENT("pull_request", "pull_request") REF("#3", PULL(SAME, "0"))),
          "o/r pull_request refs/pull/3/head no" },
        { RUN(TRUST EVENT("pull_request", "pull_request") REF("#3", PULL(OTHER, "0"))),
          "o/r pull_request refs/pull/3/head yes" },
        { RUN(TRUST EVENT("pull_request", "pull_request") REF("#3", PULL(SAME, "1"))),
          "o/r pull_request refs/pull/3/head yes" },
        { RUN(TRUST EVENT("pull_request", "pull_request") REF("#3", PULL("null", "0"))),
          "o/r pull_request refs/pull/3/head yes" },
        { RUN(TRUST EVENT("pull_request", "pull_request") REF("#3", PULL("{}", "0"))),
          "o/r pull_request refs/pull/3/head ?" },
        { RUN(TRUST EVENT("pull_request", "pull_request") REF("#3", "")),
          "o/r pull_request refs/pull/3/head ?" },
        { RUN(TRUST EVENT("pull_request", "pull_request") REF("#3", "{\\\"pull_request\\\":")),
          "o/r pull_request refs/pull/3/head ?" },
        { RUN("\"is_fork_pull_request\":true," EVENT("pull_request", "pull_request")
                  REF("#3", PULL(SAME, "0"))),
          "o/r pull_request refs/pull/3/head yes" },
        { RUN("\"is_fork_pull_request\":false,\"need_approval\":true," EVENT(
              "pull_request", "pull_request") REF("#3", PULL(SAME, "0"))),
          "o/r pull_request refs/pull/3/head yes" },
        { RUN(TRUST EVENT("pull_request", "pull_request_target") REF("main", PULL(OTHER, "0"))),
          "o/r pull_request_target ? yes" },
        { RUN(TRUST EVENT("pull_request", "pull_request_target") REF("main", PULL(SAME, "0"))),
          "o/r pull_request_target ? no" },
        { RUN(TRUST EVENT("pull_request", "pull_request_target")
                  REF("main", "{\\\"pull_request\\\":{\\\"base\\\":{\\\"ref\\\":\\\"main\\\"}}}")),
          "o/r pull_request_target refs/heads/main ?" },
        /* Of a comment on a fork's pull request the payload tells. */
        { RUN(TRUST EVENT("issue_comment", "issue_comment") REF("main", PULL(OTHER, "0"))),
          "o/r issue_comment ? yes" },

        /* What is not said. */
        { RUN(TRUST EVENT("workflow_call", "workflow_call")
                  REF("main", "{\\\"ref\\\":\\\"refs/heads/main\\\"}")),
          "o/r ? refs/heads/main ?" },
        { RUN(TRUST REF("main", "{\\\"ref\\\":\\\"refs/heads/main\\\"}")),
          "o/r ? refs/heads/main ?" },
        { RUN(EVENT("push", "push") REF("main", "{\\\"ref\\\":\\\"refs/heads/main\\\"}")),
          "o/r push refs/heads/main ?" },
        { RUN("\"is_fork_pull_request\":\"false\"," EVENT("push", "push") REF("main", "")),
          "o/r push ? ?" },
        /* Neither by the short name alone, nor by a payload that names another. */
        { RUN(TRUST EVENT("push", "push") REF("v1", "")), "o/r push ? no" },
        { RUN(TRUST EVENT("push", "push") REF("v1", "{\\\"ref\\\":\\\"refs/tags/v2\\\"}")),
          "o/r push ? no" },
        { RUN(TRUST EVENT("push", "push") REF("v1", "{\\\"ref\\\":\\\"refs/remotes/v1\\\"}")),
          "o/r push ? no" },
        { RUN(TRUST EVENT("create", "create")
                  REF("v1", "{\\\"ref\\\":\\\"v2\\\",\\\"ref_type\\\":\\\"tag\\\"}")),
          "o/r create ? no" },
        { RUN(TRUST EVENT("push", "push") REF(
              "v1", "{\\\"ref\\\":\\\"refs/tags/v1\\\",\\\"ref\\\":\\\"refs/heads/v1\\\"}")),
          "o/r push ? no" },
        { RUN(TRUST EVENT("push\\u000a", "") REF("main", "")), "o/r ? ? ?" },
        { RUN(TRUST "\"event\":7"), "o/r ? ? ?" },

        /* No run. */
        { "{}", NULL },
        { "{\"id\":42}", NULL },
        { "{\"id\":42,\"repository\":\"o/r\"}", NULL },
        { "{\"id\":42,\"repository\":{\"full_name\":\"r\"}}", NULL },
        { "{\"id\":42,\"repository\":{\"full_name\":\"o//r\"}}", NULL },
        { "{\"id\":42,\"repository\":{\"full_name\":\"/r\"}}", NULL },
        { "{\"id\":42,\"repository\":{\"full_name\":\"o/r\\u000a\"}}", NULL },
        { "{\"id\":-1,\"repository\":{\"full_name\":\"o/r\"}}", NULL },
        { "{\"id\":\"x\",\"repository\":{\"full_name\":\"o/r\"}}", NULL },
};

#define OF_TYPE(type, event, ref)                                                                  \
        "{\"repository\":\"o/r\",\"event_name\":\"" event "\",\"ref\":\"" ref                      \
        "\",\"ref_type\":\"" type "\",\"run_id\":\"42\","                                          \
        "\"run_attempt\":\"1\",\"actor\":\"alice\",\"sub\":\"repo:evil/evil:ref:refs/heads/"       \
        "main\"}"
#define ACTIONS(event, ref) OF_TYPE("branch", event, ref)
#define LAB(source, more)                                                                          \
        "{\"project_path\":\"g/o/r\",\"pipeline_source\":\"" source "\",\"pipeline_id\":\"42\","   \
        "\"user_login\":\"alice\",\"ref\":\"main\",\"ref_type\":\"branch\"" more "}"

enum { FORGEJO = FORGE_FORGEJO, GITHUB = FORGE_GITHUB, GITLAB = FORGE_GITLAB };

static const struct {
        int type;
        struct row row;
} claims[] = {
        { FORGEJO, { ACTIONS("push", "refs/heads/main"), "o/r push refs/heads/main no" } },
        { FORGEJO, { ACTIONS("schedule", "refs/heads/main"), "o/r schedule refs/heads/main no" } },
        { FORGEJO, { ACTIONS("push", "main"), "o/r push refs/heads/main no" } },
        { FORGEJO, { OF_TYPE("tag", "push", "v1"), "o/r push refs/tags/v1 no" } },
        { FORGEJO, { OF_TYPE("", "push", "refs/tags/v1"), "o/r push refs/tags/v1 no" } },
        { FORGEJO, { ACTIONS("push", "refs/tags/v1"), "o/r push ? no" } },
        { FORGEJO, { OF_TYPE("tag", "push", "refs/heads/main"), "o/r push ? no" } },
        { FORGEJO,
          { ACTIONS("push", "refs/heads/refs/tags/v1"), "o/r push refs/heads/refs/tags/v1 no" } },
        { FORGEJO,
          { ACTIONS("pull_request", "refs/pull/3/head"), "o/r pull_request refs/pull/3/head no" } },
        { FORGEJO,
          { ACTIONS("pull_request_target", "refs/heads/main"),
            "o/r pull_request_target refs/heads/main ?" } },
        { FORGEJO, { ACTIONS("workflow_call", "refs/heads/main"), "o/r ? refs/heads/main ?" } },
        { FORGEJO, { ACTIONS("", "refs/heads/main"), "o/r ? refs/heads/main ?" } },
        { GITHUB, { OF_TYPE("tag", "push", "refs/tags/v1"), "o/r push refs/tags/v1 no" } },
        { GITHUB, { OF_TYPE("tag", "release", "refs/tags/v1"), "o/r release refs/tags/v1 no" } },
        { GITHUB,
          { ACTIONS("pull_request", "refs/pull/3/merge"),
            "o/r pull_request refs/pull/3/merge ?" } },
        { GITHUB,
          { ACTIONS("pull_request_review", "refs/pull/3/merge"),
            "o/r pull_request_review refs/pull/3/merge ?" } },
        { GITHUB,
          { ACTIONS("pull_request_target", "refs/heads/main"),
            "o/r pull_request_target refs/heads/main ?" } },
        { GITHUB,
          { ACTIONS("workflow_run", "refs/heads/main"), "o/r workflow_run refs/heads/main no" } },
        { GITHUB,
          { "{\"repository\":\"o/r\",\"event_name\":\"push\",\"ref\":\"main\"}",
            "o/r push ? no" } },
        { GITHUB, { "{\"sub\":\"repo:o/r:ref:refs/heads/main\"}", NULL } },
        { GITHUB, { "{\"repository\":[\"o/r\"]}", NULL } },
        { GITHUB, { "{\"project_path\":\"o/r\"}", NULL } },
        { GITLAB, { LAB("push", ""), "g/o/r push refs/heads/main no" } },
        { GITLAB,
          { LAB("push", ",\"ref_path\":\"refs/heads/main\""), "g/o/r push refs/heads/main no" } },
        { GITLAB, { LAB("web", ""), "g/o/r workflow_dispatch refs/heads/main no" } },
        { GITLAB, { LAB("schedule", ""), "g/o/r schedule refs/heads/main no" } },
        { GITLAB, { LAB("trigger", ""), "g/o/r trigger refs/heads/main no" } },
        { GITLAB,
          { LAB("merge_request_event", ",\"ref_path\":\"refs/merge-requests/3/head\""),
            "g/o/r pull_request refs/merge-requests/3/head ?" } },
        { GITLAB,
          { LAB("merge_request_event", ",\"job_project_path\":\"g/o/r\""),
            "g/o/r pull_request refs/heads/main no" } },
        { GITLAB,
          { LAB("merge_request_event", ",\"job_project_path\":\"g/parent/r\""),
            "g/o/r pull_request refs/heads/main yes" } },
        { GITLAB, { LAB("parent_pipeline", ""), "g/o/r ? refs/heads/main ?" } },
        { GITLAB,
          { LAB("pipeline", ",\"job_project_path\":\"g/o/r\""), "g/o/r ? refs/heads/main ?" } },
        { GITLAB, { LAB("something_new", ""), "g/o/r something_new refs/heads/main ?" } },
        { GITLAB, { "{\"repository\":\"o/r\"}", NULL } },
};

#define JOB(source, ref, tag)                                                                      \
        "{\"id\":420,\"ref\":\"" ref "\",\"tag\":" tag                                             \
        ",\"pipeline\":{\"id\":42,\"source\":\"" source "\"},"                                     \
        "\"user\":{\"username\":\"alice\"},\"web_url\":\"https://lab.example.org/g/o/r/-/jobs/"    \
        "420\"}"
#define AT(address) "{\"pipeline\":{\"id\":42,\"source\":\"push\"},\"web_url\":\"" address "\"}"

static const struct row jobs[] = {
        { JOB("push", "main", "false"), "g/o/r push refs/heads/main no" },
        { JOB("push", "v1", "true"), "g/o/r push refs/tags/v1 no" },
        { JOB("schedule", "main", "false"), "g/o/r schedule refs/heads/main no" },
        /* Branches with the names of tags. */
        { JOB("push", "refs/tags/v1", "false"), "g/o/r push refs/heads/refs/tags/v1 no" },
        { JOB("push", "refs/heads/main", "false"), "g/o/r push refs/heads/refs/heads/main no" },
        { JOB("merge_request_event", "refs/merge-requests/3/head", "false"),
          "g/o/r pull_request refs/merge-requests/3/head ?" },
        { JOB("push", "main", "\"no\""), "g/o/r push ? no" },
        { AT("https://lab.example.org/o/r/-/jobs/1"), "o/r push ? no" },
        { AT("https://lab.example.org.evil.example/o/r/-/jobs/1"), NULL },
        { AT("https://lab.example.orgo/r/-/jobs/1"), NULL },
        { AT("https://evil.example/https://lab.example.org/o/r/-/jobs/1"), NULL },
        { AT("https://lab.example.org/r/-/jobs/1"), NULL },
        { AT("https://lab.example.org/-/jobs/1"), NULL },
        { AT("https://lab.example.org/o/r/jobs/1"), NULL },
        { "{\"web_url\":\"https://lab.example.org/o/r/-/jobs/1\"}", NULL },
};

static const struct row installations[] = {
        { "{\"total_count\":1,\"repositories\":[{\"full_name\":\"o/r\"}]}", "o/r ? ? ?" },
        { "{\"total_count\":2,\"repositories\":[{\"full_name\":\"o/r\"},{\"full_name\":\"o/s\"}]}",
          NULL },
        { "{\"total_count\":2,\"repositories\":[{\"full_name\":\"o/r\"}]}", NULL },
        { "{\"total_count\":0,\"repositories\":[]}", NULL },
        { "{\"total_count\":1,\"repositories\":[]}", NULL },
        { "{\"total_count\":1,\"repositories\":[\"o/r\"]}", NULL },
        { "{\"total_count\":1}", NULL },
        { "{\"repositories\":[{\"full_name\":\"o/r\"}]}", NULL },
};

static void check(const char *kind, size_t i, const struct row *row, int r,
                  const struct job_facts *facts, const struct error *err, enum vouched by) {
        static const char *const forks[] = {
                [FORK_NO] = "no", [FORK_YES] = "yes", [FORK_UNKNOWN] = "?"
        };
        char text[1024] = "";

        if (r >= 0)
                (void)snprintf(text, sizeof(text), "%s %s %s %s", facts->repository,
                               facts->event_known ? facts->event : "?",
                               facts->ref_known ? facts->ref : "?", forks[facts->fork]);
        if (strcmp(text, row->facts ? row->facts : "") != 0)
                fail_msg("%s %zu, %s: '%s', expected '%s'", kind, i, row->json, text,
                         row->facts ? row->facts : "");
        if (r < 0)
                assert_int_equal(r, -(int)err->code);
        else
                assert_int_equal(facts->by, by);
}

static json_t *parse(const char *text) {
        json_t *root = json_parse(text, strlen(text));

        if (!root)
                fail_msg("no JSON: %s", text);
        return root;
}

static void runs_of_forgejo(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(runs); i++) {
                json_t *root = parse(runs[i].json);
                struct job_facts facts;
                struct error err;
                int r = job_facts_read_run(root, &facts, &err);

                check("run", i, &runs[i], r, &facts, &err, VOUCHED_RUN_API);
                json_decref(root);
        }
}

static void claims_of_id_tokens(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(claims); i++) {
                json_t *root = parse(claims[i].row.json);
                struct job_facts facts;
                struct error err;
                int r = job_facts_read_claims((enum forge_type)claims[i].type, root, &facts, &err);

                check("claims", i, &claims[i].row, r, &facts, &err, VOUCHED_OIDC);
                if (r >= 0 && strstr(claims[i].row.json, "alice")) {
                        assert_string_equal(facts.run_id, "42");
                        assert_string_equal(facts.actor, "alice");
                }
                json_decref(root);
        }
}

static void jobs_of_gitlab(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(jobs); i++) {
                json_t *root = parse(jobs[i].json);
                struct job_facts facts;
                struct error err;
                int r = job_facts_read_job("https://lab.example.org", root, &facts, &err);

                check("job", i, &jobs[i], r, &facts, &err, VOUCHED_RUN_API);
                if (r < 0 && strstr(jobs[i].json, "evil"))
                        assert_non_null(strstr(error_remedy(&err), "external_url"));
                json_decref(root);
        }
}

static void repositories_of_github(void **state) {
        (void)state;
        for (size_t i = 0; i < ELEMENTS(installations); i++) {
                json_t *root = parse(installations[i].json);
                struct job_facts facts;
                struct error err;
                int r = job_facts_read_installation(root, &facts, &err);

                check("installation", i, &installations[i], r, &facts, &err, VOUCHED_REPOSITORY);
                json_decref(root);
        }
}

/* Cut, a name would be another one. */
static void what_does_not_fit_is_not_there(void **state) {
        char buffer[8], text[16];

        (void)state;
        for (size_t length = 0; length < 12; length++) {
                memset(text, 'a', length);
                text[length] = '\0';
                assert_int_equal(fact_set(buffer, sizeof(buffer), text),
                                 length > 0 && length < sizeof(buffer));
                assert_string_equal(buffer, length < sizeof(buffer) ? text : "");
        }
        assert_false(fact_set(buffer, sizeof(buffer), "a\tb"));
        assert_string_equal(buffer, "");
        assert_false(fact_set(buffer, sizeof(buffer), NULL));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(runs_of_forgejo),
                cmocka_unit_test(claims_of_id_tokens),
                cmocka_unit_test(jobs_of_gitlab),
                cmocka_unit_test(repositories_of_github),
                cmocka_unit_test(what_does_not_fit_is_not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
