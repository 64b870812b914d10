/* What a record looks like, and what happens when nobody takes it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "broker/audit.h"
#include "broker/audit_render.h"

static struct claims claims;
static const struct peer peer = {
        .uid = 0, .pid = 4711, .cgroup.unit = "forgejo-runner.service", .unit_pinned = true
};

static struct audit_record issued(void) {
        return (struct audit_record){ .kind = AUDIT_ISSUED,
                                      .token = "deploy",
                                      .forge_type = FORGE_FORGEJO,
                                      .has_value = true,
                                      .source = SOURCE_INFISICAL_TOKEN_AUTH,
                                      .version = 7,
                                      .fingerprint = "3f9a1c02",
                                      .peer = &peer,
                                      .claims = &claims };
}

static void an_issuance_reads_as_the_design_says(void **state) {
        struct audit_record record = issued();
        char text[AUDIT_TEXT_MAX];

        (void)state;
        memset(&claims, 0, sizeof(claims));
        claims_set(&claims, CLAIM_REPOSITORY, "example/site", 12);
        claims_set(&claims, CLAIM_RUN_ID, "1948", 4);
        audit_render_text(&record, 41, text);
        assert_string_equal(text, "issued token=deploy forgejo_token_source=infisical-token-auth "
                                  "freshness=fresh version=7 "
                                  "fp=3f9a1c02 seq=41 peer_uid=0 peer_pid=4711 "
                                  "peer_unit=forgejo-runner.service verified=no "
                                  "repo=example/site run=1948");
}

static void what_a_forge_vouches_for_takes_the_place_of_what_the_job_says(void **state) {
        struct job_facts facts = { .by = VOUCHED_RUN_API,
                                   .repository = "platform/site",
                                   .run_id = "77",
                                   .event = "push",
                                   .event_known = true,
                                   .ref = "refs/heads/main" };
        struct audit_record record = issued();
        char text[AUDIT_TEXT_MAX], journal[AUDIT_RECORD_MAX + 1];
        const char *tail;

        (void)state;
        memset(&claims, 0, sizeof(claims));
        claims_set(&claims, CLAIM_REPOSITORY, "example/other", 13);
        claims_set(&claims, CLAIM_RUN_ID, "1948", 4);
        claims_set(&claims, CLAIM_RUN_ATTEMPT, "3", 1);
        claims_set(&claims, CLAIM_REF, "refs/tags/v1", 12);
        record.facts = &facts;
        record.rule = "job_repositories platform/*, job_events push";
        audit_render_text(&record, 41, text);
        tail = strstr(text, " rule=");
        assert_non_null(tail);
        /* The ref was not told by the proof, so what the job says of it stays what it says. */
        assert_string_equal(
            tail,
            " rule=\"job_repositories platform/*, job_events push\" verified=run-api "
            "proven_repo=platform/site proven_run=77 proven_event=push attempt=3 ref=refs/tags/v1");
        journal[audit_render_journal(&record, "0", 41, journal)] = '\0';
        assert_non_null(strstr(
            journal, "\nFORGE_BROKER_RULE=job_repositories platform/*, job_events push\n"
                     "FORGE_BROKER_VERIFIED=run-api\nFORGE_BROKER_PROVEN_REPOSITORY=platform/site\n"
                     "FORGE_BROKER_PROVEN_RUN_ID=77\nFORGE_BROKER_PROVEN_EVENT=push\n"
                     "FORGE_BROKER_CLAIM_RUN_ATTEMPT=3\nFORGE_BROKER_CLAIM_REF=refs/tags/v1\n"));
        assert_null(strstr(journal, "1948"));
        assert_null(strstr(journal, "example/other"));
}

static void a_refusal_names_the_rule_and_who_vouched(void **state) {
        struct job_facts facts = { .by = VOUCHED_REPOSITORY, .repository = "evil/site" };
        const struct error error = { .code = DIAG_PEER_REFUSED,
                                     .detail = "token 'deploy' is not for repository 'evil/site'" };
        struct audit_record record = { .kind = AUDIT_REFUSED,
                                       .token = "deploy",
                                       .peer = &peer,
                                       .error = &error,
                                       .rule = "job_repositories platform/*" };
        char text[AUDIT_TEXT_MAX];

        (void)state;
        audit_render_text(&record, 1, text);
        assert_null(strstr(text, "verified="));
        assert_non_null(strstr(text, " rule=\"job_repositories platform/*\""));
        record.facts = &facts;
        audit_render_text(&record, 1, text);
        assert_non_null(strstr(text, " verified=repository proven_repo=evil/site"));
}

static void the_relay_says_who_came_through_it_in_numbers_only(void **state) {
        static const struct {
                const char *sent, *recorded;
        } rows[] = { { "1000", "1000" },
                     { "0", "0" },
                     { "4294967294", "4294967294" },
                     { "4294967295", NULL },
                     { "04", NULL },
                     { "-1", NULL },
                     { "+1", NULL },
                     { "1e3", NULL },
                     { "", NULL },
                     { " 1000", NULL },
                     { "1000 x=y", NULL },
                     { "99999999999999999999", NULL },
                     { "1000\nforgejo_token_source=infisical-token-auth", NULL } };
        struct audit_record record = issued();
        char text[AUDIT_TEXT_MAX], journal[AUDIT_RECORD_MAX + 1], expected[64];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                memset(&claims, 0, sizeof(claims));
                claims_set(&claims, CLAIM_REPOSITORY, "example/site", 12);
                claims_set(&claims, CLAIM_VIA_UID, rows[i].sent, strlen(rows[i].sent));
                audit_render_text(&record, 1, text);
                journal[audit_render_journal(&record, "0", 1, journal)] = '\0';
                if (!rows[i].recorded) {
                        assert_null(strstr(text, "via_uid"));
                        assert_null(strstr(journal, "VIA_UID"));
                        continue;
                }
                (void)snprintf(expected, sizeof(expected),
                               "verified=no via_uid=%s repo=example/site", rows[i].recorded);
                assert_non_null(strstr(text, expected));
                (void)snprintf(expected, sizeof(expected), "\nFORGE_BROKER_CLAIM_VIA_UID=%s\n",
                               rows[i].recorded);
                assert_non_null(strstr(journal, expected));
        }
}

static void the_peers_cgroup_and_container_are_recorded_where_known(void **state) {
#define ID "3f9a1c02d4e5b6a73f9a1c02d4e5b6a73f9a1c02d4e5b6a73f9a1c02d4e5b6a7"
        struct audit_record record = issued();
        struct peer far = { .pid = 12, .unit_pinned = true };
        char text[AUDIT_TEXT_MAX], journal[AUDIT_RECORD_MAX + 1];

        (void)state;
        memset(&claims, 0, sizeof(claims));
        record.peer = &far;
        audit_render_text(&record, 1, text);
        assert_non_null(strstr(text, "peer_pid=12 verified=no"));
        journal[audit_render_journal(&record, "0", 1, journal)] = '\0';
        assert_null(strstr(journal, "PEER_UNIT"));
        assert_null(strstr(journal, "PEER_C"));

        far.cgroup = (struct cgroup){ .path = "/docker/" ID, .container = "docker:" ID };
        audit_render_text(&record, 1, text);
        assert_non_null(strstr(text, "peer_pid=12 peer_container=docker:3f9a1c02d4e5 verified=no"));
        journal[audit_render_journal(&record, "0", 1, journal)] = '\0';
        assert_non_null(strstr(journal, "\nFORGE_BROKER_PEER_CGROUP=/docker/" ID "\n"));
        assert_non_null(strstr(journal, "\nFORGE_BROKER_PEER_CONTAINER=docker:" ID "\n"));

        far.cgroup = (struct cgroup){ .path = "/x",
                                      .unit = "machine-a\\x2db.scope",
                                      .container = "nspawn:a-b" };
        far.unit_pinned = false;
        audit_render_text(&record, 1, text);
        assert_non_null(strstr(text, "peer_unit=\"machine-a\\\\x2db.scope\" unit_pinned=no "
                                     "peer_container=nspawn:a-b verified=no"));
        journal[audit_render_journal(&record, "0", 1, journal)] = '\0';
        assert_non_null(strstr(
            journal,
            "\nFORGE_BROKER_PEER_UNIT=machine-a\\x2db.scope\nFORGE_BROKER_PEER_UNIT_PINNED=no\n"));
#undef ID
}

static void the_marker_key_follows_the_forge_type(void **state) {
        static const struct {
                enum forge_type type;
                const char *marker;
        } rows[] = { { FORGE_FORGEJO, " forgejo_token_source=" },
                     { FORGE_GITEA, " gitea_token_source=" },
                     { FORGE_GITHUB, " github_token_source=" },
                     { FORGE_GITLAB, " gitlab_token_source=" },
                     { FORGE_OTHER, " forge_token_source=" } };
        char text[AUDIT_TEXT_MAX];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(rows); i++) {
                struct audit_record record = issued();

                record.forge_type = rows[i].type;
                audit_render_text(&record, 1, text);
                assert_non_null(strstr(text, rows[i].marker));
        }
}

static void no_claim_can_forge_a_marker(void **state) {
        static const char evil[] =
            "x\" forgejo_token_source=infisical-token-auth\nissued token=deploy \\";
        struct audit_record record = issued();
        char text[AUDIT_TEXT_MAX], journal[AUDIT_RECORD_MAX + 1];
        const char *claim;
        size_t length;

        (void)state;
        memset(&claims, 0, sizeof(claims));
        record.source = SOURCE_DIRECT_ENV_FALLBACK;
        claims_set(&claims, CLAIM_JOB, evil, sizeof(evil) - 1);
        audit_render_text(&record, 1, text);
        claim = strstr(text, " job=\"");
        assert_non_null(claim);
        assert_null(strchr(text, '\n'));
        /* The true marker stands before any claim, and the claim's quote is escaped. */
        assert_true(strstr(text, "forgejo_token_source=direct-env-fallback") < claim);
        assert_non_null(strstr(claim, "x\\\" forgejo_token_source"));
        length = audit_render_journal(&record, "0", 1, journal);
        journal[length] = '\0';
        assert_non_null(strstr(
            journal,
            "\nFORGE_BROKER_CLAIM_JOB=x\" forgejo_token_source=infisical-token-auth?issued"));
        assert_null(strstr(journal, "\nissued"));
}

static void the_longest_record_fits_and_keeps_what_matters(void **state) {
        struct audit_record record = issued();
        struct peer far = peer;
        struct error error = { .code = DIAG_UPSTREAM_TIMEOUT };
        char filler[CLAIM_MAX_BYTES * 2], text[AUDIT_TEXT_MAX], journal[AUDIT_RECORD_MAX];
        size_t length;

        (void)state;
        memset(filler, '"', sizeof(filler));
        for (int claim = 0; claim < CLAIM_COUNT; claim++)
                claims_set(&claims, claim, filler, sizeof(filler));
        memset(far.cgroup.unit, '"', sizeof(far.cgroup.unit) - 1);
        memset(far.cgroup.path, '"', sizeof(far.cgroup.path) - 1);
        memset(far.cgroup.container, '"', sizeof(far.cgroup.container) - 1);
        memset(error.detail, '"', sizeof(error.detail) - 1);
        record.peer = &far;
        record.error = &error;
        audit_render_text(&record, UINT64_MAX / 2, text);
        assert_true(strlen(text) < AUDIT_TEXT_MAX);
        assert_non_null(strstr(text, "forgejo_token_source=infisical-token-auth"));
        assert_non_null(strstr(text, " seq="));
        length = audit_render_journal(&record, "0", 1, journal);
        assert_true(length <= AUDIT_RECORD_MAX);
        assert_int_equal(journal[length - 1], '\n');
}

static void priorities_are_info_warning_and_err(void **state) {
        struct audit_record record = issued();

        (void)state;
        assert_int_equal(audit_priority(&record), 6);
        record.stale = true;
        assert_int_equal(audit_priority(&record), 4);
        record.stale = false;
        record.source = SOURCE_DIRECT_ENV_FALLBACK;
        assert_int_equal(audit_priority(&record), 4);
        record.kind = AUDIT_UNAVAILABLE;
        assert_int_equal(audit_priority(&record), 3);
}

/* A pipe stands in for stderr: what the module keeps is a duplicate of it. */
static struct audit *audit_on_pipe(sd_event *event, int fds[2]) {
        struct audit *audit = NULL;
        int saved = dup(STDERR_FILENO);

        assert_int_equal(pipe(fds), 0);
        assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
        assert_int_equal(audit_new(event, false, &audit, NULL), 0);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        (void)close(saved);
        return audit;
}

static void a_full_sink_is_busy_and_costs_no_sequence_number(void **state) {
        sd_event *event = NULL;
        struct audit_record record = issued();
        struct error err = { 0 };
        struct audit *audit;
        char buffer[65536];
        unsigned written = 0;
        int fds[2], r;

        (void)state;
        assert_true(sd_event_new(&event) >= 0);
        audit = audit_on_pipe(event, fds);
        while ((r = audit_write(audit, &record, &err)) == AUDIT_WRITTEN)
                assert_true(++written < 10000);
        assert_int_equal(r, AUDIT_BUSY);
        assert_int_equal(audit_sequence(audit), written);
        assert_true(read(fds[0], buffer, sizeof(buffer)) > 0);
        assert_int_equal(audit_write(audit, &record, &err), AUDIT_WRITTEN);
        assert_int_equal(audit_sequence(audit), written + 1);
        (void)close(fds[0]);
        assert_int_equal(audit_write(audit, &record, &err), -(int)DIAG_AUDIT_UNAVAILABLE);
        assert_int_equal(audit_sequence(audit), written + 1);
        (void)audit_free(audit);
        (void)close(fds[1]);
        (void)sd_event_unref(event);
}

static unsigned woken;

static void wake(struct waiter *waiter) {
        (void)waiter;
        woken++;
}

static void waiters_are_woken_once_the_sink_takes_records_again(void **state) {
        sd_event *event = NULL;
        struct audit_record record = issued();
        struct waiter waiters[3] = { { .wake = wake }, { .wake = wake }, { .wake = wake } };
        struct audit *audit;
        char buffer[65536];
        int fds[2];

        (void)state;
        woken = 0;
        assert_true(sd_event_new(&event) >= 0);
        audit = audit_on_pipe(event, fds);
        while (audit_write(audit, &record, NULL) == AUDIT_WRITTEN)
                ;
        for (size_t i = 0; i < 3; i++)
                audit_wait(audit, &waiters[i]);
        waiter_leave(&waiters[1]);
        assert_int_equal(sd_event_run(event, 0), 0);
        assert_int_equal(woken, 0);
        assert_true(read(fds[0], buffer, sizeof(buffer)) > 0);
        assert_true(sd_event_run(event, 1000000) > 0);
        assert_int_equal(woken, 2);
        (void)audit_free(audit);
        (void)close(fds[0]);
        (void)close(fds[1]);
        (void)sd_event_unref(event);
}

static void equal_refusals_make_one_record_and_then_a_count(void **state) {
        sd_event *event = NULL;
        struct error error = { .code = DIAG_UNKNOWN_TOKEN, .detail = "no token is called 'x'" };
        struct audit_record record = {
                .kind = AUDIT_REFUSED, .token = "x", .peer = &peer, .error = &error
        };
        static const struct peer other = {
                .cgroup = { .path = "/x.service", .unit = "x.service", .own = 10 }
        };
        struct audit *audit;
        char buffer[65536];
        ssize_t n;
        int fds[2];

        (void)state;
        assert_true(sd_event_new(&event) >= 0);
        audit = audit_on_pipe(event, fds);
        for (int i = 0; i < 500; i++)
                audit_refusal(audit, &record);
        assert_int_equal(audit_sequence(audit), 1);
        record.token = "y";
        audit_refusal(audit, &record);
        assert_int_equal(audit_sequence(audit), 2);
        /* The same from another unit is not equal. */
        record.peer = &other;
        audit_refusal(audit, &record);
        audit_refusal(audit, &record);
        assert_int_equal(audit_sequence(audit), 3);
        (void)audit_free(audit);
        n = read(fds[0], buffer, sizeof(buffer) - 1);
        assert_true(n > 0);
        buffer[n] = '\0';
        assert_non_null(strstr(buffer, "refused token=x code=unknown-token"));
        assert_non_null(strstr(buffer, "count=499"));
        (void)close(fds[0]);
        (void)close(fds[1]);
        (void)sd_event_unref(event);
}

/* How often @line is in @text. */
static size_t lines_with(const char *text, const char *words) {
        size_t count = 0;

        for (; (text = strstr(text, words)); text++)
                count++;
        return count;
}

static void made_up_names_hide_no_other_refusal(void **state) {
        static const struct peer other = {
                .cgroup = { .path = "/x.service", .unit = "x.service", .own = 10 }
        };
        static char buffer[262144];
        struct error error = { .code = DIAG_UNKNOWN_TOKEN, .detail = "no such token" };
        struct audit_record record = { .kind = AUDIT_REFUSED, .peer = &peer, .error = &error };
        sd_event *event = NULL;
        struct audit *audit;
        char name[16];
        ssize_t n;
        int fds[2];

        (void)state;
        assert_true(sd_event_new(&event) >= 0);
        audit = audit_on_pipe(event, fds);
        record.token = name;
        for (int i = 0; i < 1000; i++) {
                (void)snprintf(name, sizeof(name), "made-up-%d", i);
                audit_refusal(audit, &record);
        }
        error.code = DIAG_PROOF_REJECTED;
        for (int i = 0; i < 20; i++) {
                (void)snprintf(name, sizeof(name), "real-%d", i);
                audit_refusal(audit, &record);
        }
        record.peer = &other;
        audit_refusal(audit, &record);
        (void)audit_free(audit);
        n = read(fds[0], buffer, sizeof(buffer) - 1);
        assert_true(n > 0);
        buffer[n] = '\0';
        assert_int_equal(lines_with(buffer, "code=proof-rejected"), 21);
        assert_int_equal(lines_with(buffer, " token=real-19 "), 2);
        assert_int_equal(lines_with(buffer, "code=unknown-token"), 8 + 1);
        assert_non_null(strstr(buffer, "count=992 "));
        (void)close(fds[0]);
        (void)close(fds[1]);
        (void)sd_event_unref(event);
}

static int setup(void **state) {
        (void)state;
        (void)signal(SIGPIPE, SIG_IGN);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_issuance_reads_as_the_design_says),
                cmocka_unit_test(what_a_forge_vouches_for_takes_the_place_of_what_the_job_says),
                cmocka_unit_test(a_refusal_names_the_rule_and_who_vouched),
                cmocka_unit_test(the_relay_says_who_came_through_it_in_numbers_only),
                cmocka_unit_test(the_peers_cgroup_and_container_are_recorded_where_known),
                cmocka_unit_test(the_marker_key_follows_the_forge_type),
                cmocka_unit_test(no_claim_can_forge_a_marker),
                cmocka_unit_test(the_longest_record_fits_and_keeps_what_matters),
                cmocka_unit_test(priorities_are_info_warning_and_err),
                cmocka_unit_test(a_full_sink_is_busy_and_costs_no_sequence_number),
                cmocka_unit_test(waiters_are_woken_once_the_sink_takes_records_again),
                cmocka_unit_test(equal_refusals_make_one_record_and_then_a_count),
                cmocka_unit_test(made_up_names_hide_no_other_refusal),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
