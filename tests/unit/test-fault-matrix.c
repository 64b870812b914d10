/*
 * The fault matrix: which source fails (3) x how (every code that can occur there) x what is held
 * (4) -> what is served, from which source, when it is asked again, and what is recorded.  The
 * chain, the cache and the refresher are the real ones; below them stand fakes that fail as told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "broker/refresh.h"
#include "infisical/credential.h"

/* What the world below the chain does. */
static struct {
        enum diagnosis file;               /* credential_read() of token_file */
        enum diagnosis read[SOURCE_COUNT]; /* a read with that source's access token */
        enum diagnosis login;
        enum diagnosis direct;
        bool authoritative;
        enum source asking;
        unsigned records[AUDIT_KIND_COUNT];
} world;

static struct error failure(enum diagnosis code) {
        struct error err = { .code = code };

        if (code != DIAG_NONE)
                (void)error_set(&err, code, "as the test told");
        return err;
}

int credential_read(const char *setting, const char *file, struct secret **ret, struct error *err) {
        (void)setting, (void)file;
        *err = failure(world.file);
        if (world.file == DIAG_NONE)
                *ret = secret_copy("token-auth", 10);
        return -(int)world.file;
}

int credential_read_headers(const char *setting, const char *file, struct secret **ret,
                            struct error *err) {
        (void)setting, (void)file, (void)ret;
        *err = failure(DIAG_CREDENTIAL_MISSING);
        return -(int)DIAG_CREDENTIAL_MISSING;
}

int login_get(struct login *login, struct waiter *waiter, struct secret **ret, struct error *err) {
        (void)login, (void)waiter;
        *err = failure(world.login);
        if (world.login == DIAG_NONE)
                *ret = secret_copy("universal", 9);
        return -(int)world.login;
}

void login_drop(struct login *login, const struct secret *access_token) {
        (void)login, (void)access_token;
}

int direct_env_get(const struct direct_env *env, const struct token_config *token, usec_t now,
                   struct secret **ret, struct error *err) {
        (void)env, (void)token, (void)now;
        *err = failure(world.direct);
        if (world.direct == DIAG_NONE)
                *ret = secret_copy("direct-value", 12);
        return -(int)world.direct;
}

struct infisical_call {
        infisical_done done;
        void *userdata;
        enum diagnosis code;
        sd_event_source *defer;
};

static sd_event *event;

static int answer(sd_event_source *source, void *userdata) {
        struct infisical_call *call = userdata;
        struct error err = failure(call->code);
        struct infisical_result result = { .verdict = { .code = call->code } };

        (void)source;
        if (call->code == DIAG_NONE) {
                result.value = secret_copy("infisical-value", 15);
                result.version = 7;
        }
        result.verdict.authoritative = call->code != DIAG_NONE && world.authoritative;
        if (call->code == DIAG_UPSTREAM_RATE_LIMITED)
                result.verdict.pause = 120 * USEC_PER_SEC;
        call->done(call->userdata, &result, &err);
        (void)secret_unref(result.value);
        (void)sd_event_source_disable_unref(call->defer);
        free(call);
        return 0;
}

int infisical_read(struct http_client *http, struct infisical_server *server,
                   const struct infisical_address *address, struct secret *access_token,
                   const char *etag, infisical_done done, void *userdata,
                   struct infisical_call **ret, struct error *err) {
        struct infisical_call *call = calloc(1, sizeof(*call));
        bool universal = strcmp(secret_bytes(access_token), "universal") == 0;

        (void)http, (void)server, (void)address, (void)etag, (void)err;
        assert_non_null(call);
        *call =
            (struct infisical_call){ .done = done,
                                     .userdata = userdata,
                                     .code = world.read[universal ? SOURCE_INFISICAL_UNIVERSAL_AUTH
                                                                  : SOURCE_INFISICAL_TOKEN_AUTH] };
        assert_true(sd_event_add_defer(event, &call->defer, answer, call) >= 0);
        *ret = call;
        return 0;
}

struct infisical_call *infisical_cancel(struct infisical_call *call) {
        (void)call;
        return NULL;
}

int audit_write(struct audit *audit, const struct audit_record *record, struct error *err) {
        (void)audit, (void)err;
        world.records[record->kind]++;
        return AUDIT_WRITTEN;
}

enum held { EMPTY, FRESH, STALE, DEAD, HELD_COUNT };
static const char *const held_names[] = { "empty", "fresh", "stale", "dead" };

/* What a code is, from the design and not from the code under test. */
enum kind { CURABLE, REFUSAL, NETWORK, LIMIT, FALLBACK };

static const struct {
        enum diagnosis code;
        enum kind kind;
        bool at_file, at_read, at_login, at_direct; /* where it can occur */
} failures[] = {
        { DIAG_CREDENTIAL_MISSING, CURABLE, true, false, true, false },
        { DIAG_CREDENTIAL_PERMISSIONS, CURABLE, true, false, true, false },
        { DIAG_CREDENTIAL_EXPIRED, CURABLE, false, true, true, false },
        { DIAG_CREDENTIAL_REJECTED, CURABLE, false, true, true, false },
        { DIAG_CREDENTIAL_LOCKED_OUT, CURABLE, false, false, true,
          false }, /* only a login is locked */
        { DIAG_CREDENTIAL_USES_EXHAUSTED, CURABLE, false, true, true, false },
        { DIAG_ADDRESS_NOT_ALLOWED, CURABLE, false, true, true, false },
        { DIAG_PERMISSION_DENIED, REFUSAL, false, true, false,
          false }, /* a login reads no secret */
        { DIAG_PROJECT_NOT_FOUND, REFUSAL, false, true, false, false },
        { DIAG_NOT_PROJECT_MEMBER, REFUSAL, false, true, false, false },
        { DIAG_FOLDER_NOT_FOUND, REFUSAL, false, true, false, false },
        { DIAG_SECRET_NOT_FOUND, REFUSAL, false, true, false, false },
        { DIAG_SECRET_HIDDEN, REFUSAL, false, true, false, false },
        { DIAG_SECRET_EMPTY, REFUSAL, false, true, false, false },
        { DIAG_SECRET_MALFORMED, REFUSAL, false, true, false, true },
        { DIAG_UPSTREAM_BLOCKED, NETWORK, false, true, true, false },
        { DIAG_UPSTREAM_UNREACHABLE, NETWORK, false, true, true, false },
        { DIAG_UPSTREAM_TLS, NETWORK, false, true, true, false },
        { DIAG_UPSTREAM_TIMEOUT, NETWORK, false, true, true, false },
        { DIAG_UPSTREAM_ERROR, NETWORK, false, true, true, false },
        { DIAG_UPSTREAM_RATE_LIMITED, LIMIT, false, true, true, false },
        { DIAG_UPSTREAM_MALFORMED, NETWORK, false, true, true, false },
        { DIAG_FALLBACK_DISABLED, FALLBACK, false, false, false,
          true }, /* Infisical knows no fallback */
        { DIAG_FALLBACK_EXPIRED, FALLBACK, false, false, false, true },
};

static char *urls[] = { (char *)(uintptr_t) "https://one.example.org", NULL };
static const struct identity_config identity = { .name = (char *)(uintptr_t) "default",
                                                 .urls = urls,
                                                 .token_file = (char *)(uintptr_t) "/t",
                                                 .client_id_file = (char *)(uintptr_t) "/i" };
static const struct forge_config forge = { .name = (char *)(uintptr_t) "home" };
static const struct token_config token = { .name = (char *)(uintptr_t) "deploy",
                                           .forge = &forge,
                                           .identity = &identity,
                                           .secret_path = (char *)(uintptr_t) "/",
                                           .secret_name = (char *)(uintptr_t) "S",
                                           .refresh = 30 * USEC_PER_SEC,
                                           .max_stale = 60 * USEC_PER_SEC,
                                           .sources = { true, true, true },
                                           .direct_env = (char *)(uintptr_t) "PAT",
                                           .direct_env_until = USEC_INFINITY };

static void hold(struct refresh *refresh, enum held held) {
        static const usec_t ages[HELD_COUNT] = { 0, 1 * USEC_PER_SEC, 40 * USEC_PER_SEC,
                                                 61 * USEC_PER_SEC };
        usec_t now = clock_boottime();
        struct secret *bytes;

        if (held == EMPTY)
                return;
        bytes = secret_copy("held-value", 10);
        cache_publish(&refresh->slot,
                      value_new(bytes, SOURCE_INFISICAL_TOKEN_AUTH, 6, "aaaaaaaa", 0), now);
        (void)secret_unref(bytes);
        assert_true(now > ages[held]); /* the machine runs for more than a minute */
        refresh->slot.confirmed_at = now - ages[held];
        refresh->has_verdict = true;
        refresh->shown = refresh_state(refresh);
        refresh->had_value = true;
        refresh->shown_source = SOURCE_INFISICAL_TOKEN_AUTH;
        memcpy(refresh->shown_fingerprint, "aaaaaaaa", 9);
}

struct expected {
        const char *value; /* NULL: none is served */
        enum source source;
        enum token_state state;
        enum diagnosis error;
        bool soon; /* asked again by backoff, not by the refresh interval */
};

/* The design's sections 3 and 4, in words of this test. */
static struct expected expect(enum source source, enum kind kind, enum diagnosis code,
                              enum held held) {
        bool usable = held == FRESH || held == STALE;
        enum token_state kept = held == FRESH ? TOKEN_FRESH : TOKEN_STALE;
        const struct expected from_cache = { "held-value", SOURCE_INFISICAL_TOKEN_AUTH, kept, code,
                                             true };
        const struct expected direct = { "direct-value", SOURCE_DIRECT_ENV_FALLBACK, TOKEN_FRESH,
                                         code, true };

        if (source == SOURCE_DIRECT_ENV_FALLBACK) {
                struct expected kept_value = from_cache;

                kept_value.error = DIAG_UPSTREAM_UNREACHABLE;
                return usable ? kept_value
                              : (struct expected){ NULL, 0, TOKEN_FAILED, DIAG_UPSTREAM_UNREACHABLE,
                                                   true };
        }
        if (source == SOURCE_INFISICAL_TOKEN_AUTH && kind == CURABLE)
                return (struct expected){ "infisical-value", SOURCE_INFISICAL_UNIVERSAL_AUTH,
                                          TOKEN_FRESH, code, false };
        if (kind == REFUSAL)
                return direct;
        return usable ? from_cache : direct;
}

static void run_cell(const char *where, enum source source, enum kind kind, enum diagnosis code,
                     enum held held) {
        struct refresh_context context = { .event = event };
        struct upstream upstream;
        struct login login = { .upstream = &upstream };
        struct refresh refresh;
        struct expected expected = expect(source, kind, code, held);
        struct fingerprint_key *key = NULL;
        usec_t wait, pause = kind == LIMIT ? 120 * USEC_PER_SEC : 0;
        struct value *value;
        int state;

        world.authoritative = kind == REFUSAL && source != SOURCE_DIRECT_ENV_FALLBACK;
        memset(world.records, 0, sizeof(world.records));
        assert_int_equal(fingerprint_key_load(getenv("TEST_STATE"), &key, NULL), 0);
        context.key = key;
        assert_int_equal(upstream_init(&upstream, &identity, NULL), 0);
        upstream_allow(&upstream, &token);
        assert_int_equal(refresh_init(&refresh, &context, &token, &upstream, &login, NULL), 0);
        hold(&refresh, held);
        refresh_now(&refresh);
        for (int turns = 0; refresh.fetch && turns < 50; turns++)
                assert_true(sd_event_run(event, 0) >= 0);
        assert_null(refresh.fetch);

        state = refresh_get(&refresh, &value);
        if ((state == CACHE_EMPTY) != (expected.value == NULL) ||
            refresh_state(&refresh) != expected.state ||
            (value && (strcmp(secret_bytes(value->token), expected.value) != 0 ||
                       value->source != expected.source)))
                fail_msg("%s fails at %s with %s, held %s: %s from %s, expected %s",
                         source_name(source), where, diagnosis_info(code)->name, held_names[held],
                         value ? secret_bytes(value->token) : "nothing",
                         value ? source_name(value->source) : "-",
                         expected.value ? expected.value : "nothing");
        assert_int_equal(error_kept(refresh.error)->code, expected.error);
        wait = refresh.next_at - clock_boottime();
        if (expected.soon)
                assert_true(wait <= 61 * USEC_PER_SEC + pause + USEC_PER_SEC);
        else
                assert_true(wait >= 23 * USEC_PER_SEC && wait <= 30 * USEC_PER_SEC);
        if (kind == LIMIT && source != SOURCE_DIRECT_ENV_FALLBACK && strcmp(where, "read") == 0)
                assert_true(wait >= 119 * USEC_PER_SEC);
        /* One line for the trouble, one for another source, one for another value; never two of a
         * kind. */
        assert_int_equal(world.records[AUDIT_UPSTREAM_FAILED], 1);
        assert_int_equal(world.records[AUDIT_SOURCE_CHANGED],
                         held != EMPTY && expected.value &&
                             expected.source != SOURCE_INFISICAL_TOKEN_AUTH);
        assert_int_equal(world.records[AUDIT_FALLBACK_EXPIRED],
                         code == DIAG_FALLBACK_EXPIRED && !expected.value);
        assert_int_equal(world.records[AUDIT_ISSUED], 0);

        refresh_done(&refresh);
        upstream_done(&upstream);
        (void)fingerprint_key_free(key);
}

static void reset(void) {
        world.file = world.login = world.direct = DIAG_NONE;
        memset(world.read, 0, sizeof(world.read));
}

static void every_cell_of_the_matrix_has_its_outcome(void **state) {
        unsigned cells = 0, absent = 0;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(failures); i++) {
                for (int held = 0; held < HELD_COUNT; held++) {
                        enum diagnosis code = failures[i].code;
                        enum kind kind = failures[i].kind;

                        reset();
                        world.file = failures[i].at_file ? code : DIAG_NONE;
                        world.read[SOURCE_INFISICAL_TOKEN_AUTH] =
                            failures[i].at_read ? code : DIAG_NONE;
                        if (failures[i].at_file || failures[i].at_read) {
                                run_cell(failures[i].at_file ? "file" : "read",
                                         SOURCE_INFISICAL_TOKEN_AUTH, kind, code, held);
                                cells++;
                        } else {
                                absent++;
                        }

                        reset();
                        world.file = DIAG_CREDENTIAL_MISSING;
                        world.login = failures[i].at_login ? code : DIAG_NONE;
                        if (failures[i].at_login) {
                                run_cell("login", SOURCE_INFISICAL_UNIVERSAL_AUTH, kind, code,
                                         held);
                                cells++;
                        }
                        world.login = DIAG_NONE;
                        world.read[SOURCE_INFISICAL_UNIVERSAL_AUTH] =
                            failures[i].at_read ? code : DIAG_NONE;
                        if (failures[i].at_read) {
                                run_cell("read", SOURCE_INFISICAL_UNIVERSAL_AUTH, kind, code, held);
                                cells++;
                        }
                        absent += !failures[i].at_login && !failures[i].at_read;

                        reset();
                        world.read[SOURCE_INFISICAL_TOKEN_AUTH] = DIAG_UPSTREAM_UNREACHABLE;
                        world.direct = failures[i].at_direct ? code : DIAG_NONE;
                        if (failures[i].at_direct) {
                                run_cell("direct", SOURCE_DIRECT_ENV_FALLBACK, kind, code, held);
                                cells++;
                        } else {
                                absent++;
                        }
                }
        }
        print_message("%u cells; %u cannot occur: the comments of the table say why\n", cells,
                      absent);
        assert_int_equal(cells, HELD_COUNT * (2 + 19 + 14 + 19 + 3));
}

static int setup(void **state) {
        static char directory[] = "/tmp/forge-broker-matrix.XXXXXX";

        (void)state;
        if (!mkdtemp(directory) || setenv("TEST_STATE", directory, 1) < 0 ||
            sd_event_new(&event) < 0)
                return -1;
        return secret_init(true, NULL);
}

static int teardown(void **state) {
        char path[128];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/fingerprint.key", getenv("TEST_STATE"));
        (void)remove(path);
        (void)remove(getenv("TEST_STATE"));
        (void)sd_event_unref(event);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(
            every_cell_of_the_matrix_has_its_outcome) };

        return cmocka_run_group_tests(tests, setup, teardown);
}
