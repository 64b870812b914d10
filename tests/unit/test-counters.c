/* What is counted, and that a reload takes nothing away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/counters.h"

#define TEXT(literal) ((char[]){ literal })

static struct forge_config forge = { .name = TEXT("home") };
static char *urls[] = { TEXT("https://one.example.org"), TEXT("https://two.example.org"), NULL };
static struct identity_config identity = { .name = TEXT("default"), .urls = urls };
static struct token_config deploy = { .name = TEXT("deploy"),
                                      .forge = &forge,
                                      .identity = &identity,
                                      .sources = { [SOURCE_INFISICAL_TOKEN_AUTH] = true } };
static struct token_config release = { .name = TEXT("release"),
                                       .forge = &forge,
                                       .identity = &identity };
static struct token_config *both[] = { &deploy, &release };
static struct token_config *only_release[] = { &release };
static struct identity_config *identities[] = { &identity };

static const struct config first = {
        .tokens = both, .n_tokens = 2, .identities = identities, .n_identities = 1
};
static const struct config second = {
        .tokens = only_release, .n_tokens = 1, .identities = identities, .n_identities = 1
};

static void each_issuance_is_counted_where_it_belongs(void **state) {
        struct counters counters = { 0 };

        (void)state;
        assert_int_equal(counters_prepare(&counters, &first, NULL), 0);
        assert_int_equal(counters.n_tokens, 2);
        counters_issued(&counters, "deploy", SOURCE_INFISICAL_TOKEN_AUTH, false);
        counters_issued(&counters, "deploy", SOURCE_INFISICAL_TOKEN_AUTH, true);
        counters_issued(&counters, "deploy", SOURCE_INFISICAL_TOKEN_AUTH, true);
        counters_issued(&counters, "release", SOURCE_DIRECT_ENV_FALLBACK, false);
        assert_int_equal(counters.tokens[0].issued[SOURCE_INFISICAL_TOKEN_AUTH][0], 1);
        assert_int_equal(counters.tokens[0].issued[SOURCE_INFISICAL_TOKEN_AUTH][1], 2);
        assert_int_equal(counters.tokens[1].issued[SOURCE_DIRECT_ENV_FALLBACK][0], 1);
        assert_true(counters.tokens[0].sources[SOURCE_INFISICAL_TOKEN_AUTH]);
        assert_false(counters.tokens[1].sources[SOURCE_INFISICAL_TOKEN_AUTH]);
        counters_done(&counters);
}

static void no_name_of_a_peer_becomes_a_row(void **state) {
        struct counters counters = { 0 };
        char name[16];

        (void)state;
        assert_int_equal(counters_prepare(&counters, &first, NULL), 0);
        for (int i = 0; i < 1000; i++) {
                (void)snprintf(name, sizeof(name), "x%d", i);
                counters_refused(&counters, name, DIAG_UNKNOWN_TOKEN);
        }
        counters_refused(&counters, NULL, DIAG_PEER_REFUSED);
        counters_refused(&counters, "deploy", DIAG_NO_USABLE_VALUE);
        assert_int_equal(counters.n_tokens, 2);
        assert_int_equal(counters.refused[DIAG_UNKNOWN_TOKEN], 1000);
        assert_int_equal(counters.refused[DIAG_PEER_REFUSED], 1);
        assert_int_equal(counters.tokens[0].refused[DIAG_NO_USABLE_VALUE], 1);
        counters_done(&counters);
}

static void requests_are_counted_by_identity_url_and_code(void **state) {
        struct counters counters = { 0 };

        (void)state;
        assert_int_equal(counters_prepare(&counters, &first, NULL), 0);
        assert_int_equal(counters.n_servers, 2);
        counters_requested(&counters, "default", "https://two.example.org", DIAG_NONE);
        counters_requested(&counters, "default", "https://two.example.org", DIAG_UPSTREAM_TIMEOUT);
        counters_requested(&counters, "other", "https://two.example.org", DIAG_NONE);
        assert_int_equal(counters.servers[0].requests[DIAG_NONE], 0);
        assert_int_equal(counters.servers[1].requests[DIAG_NONE], 1);
        assert_int_equal(counters.servers[1].requests[DIAG_UPSTREAM_TIMEOUT], 1);
        counters_requested(NULL, "default", "https://two.example.org", DIAG_NONE);
        counters_done(&counters);
}

static void a_token_that_goes_and_comes_back_goes_on_counting(void **state) {
        struct counters counters = { 0 };

        (void)state;
        assert_int_equal(counters_prepare(&counters, &first, NULL), 0);
        counters_issued(&counters, "deploy", SOURCE_INFISICAL_TOKEN_AUTH, false);
        assert_int_equal(counters_prepare(&counters, &second, NULL), 0);
        assert_int_equal(counters.n_tokens, 2);
        assert_false(counters.tokens[0].configured);
        assert_true(counters.tokens[1].configured);
        /* Its name is a stranger's now. */
        counters_refused(&counters, "deploy", DIAG_UNKNOWN_TOKEN);
        assert_int_equal(counters.refused[DIAG_UNKNOWN_TOKEN], 1);
        assert_int_equal(counters_prepare(&counters, &first, NULL), 0);
        counters_issued(&counters, "deploy", SOURCE_INFISICAL_TOKEN_AUTH, false);
        assert_int_equal(counters.tokens[0].issued[SOURCE_INFISICAL_TOKEN_AUTH][0], 2);
        counters_done(&counters);
}

static void names_that_change_at_each_reload_fill_no_memory(void **state) {
        struct counters counters = { 0 };
        char name[16], url[64];
        char *changing_urls[] = { url, NULL };
        struct identity_config changing_identity = { .name = TEXT("default"),
                                                     .urls = changing_urls };
        struct identity_config *list[] = { &changing_identity };
        struct token_config changing = { .name = name,
                                         .forge = &forge,
                                         .identity = &changing_identity };
        struct token_config *tokens[] = { &release, &changing };
        const struct config config = {
                .tokens = tokens, .n_tokens = 2, .identities = list, .n_identities = 1
        };

        (void)state;
        for (int i = 0; i < 2000; i++) {
                (void)snprintf(name, sizeof(name), "x%d", i);
                (void)snprintf(url, sizeof(url), "https://%d.example.org", i);
                assert_int_equal(counters_prepare(&counters, &config, NULL), 0);
                counters_issued(&counters, "release", SOURCE_INFISICAL_TOKEN_AUTH, false);
                counters_issued(&counters, name, SOURCE_INFISICAL_TOKEN_AUTH, false);
                counters_requested(&counters, "default", url, DIAG_NONE);
        }
        assert_int_equal(counters.n_tokens, 2 + COUNTERS_GONE_MAX);
        assert_int_equal(counters.n_servers, 1 + COUNTERS_GONE_MAX);
        assert_string_equal(counters.tokens[0].name, "release");
        assert_int_equal(counters.tokens[0].issued[SOURCE_INFISICAL_TOKEN_AUTH][0], 2000);
        assert_string_equal(counters.tokens[counters.n_tokens - 1].name, "x1999");
        assert_string_equal(counters.tokens[1].name, "x1743");
        assert_string_equal(counters.servers[counters.n_servers - 1].url,
                            "https://1999.example.org");
        assert_int_equal(counters.servers[counters.n_servers - 1].requests[DIAG_NONE], 1);
        counters_done(&counters);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_issuance_is_counted_where_it_belongs),
                cmocka_unit_test(no_name_of_a_peer_becomes_a_row),
                cmocka_unit_test(requests_are_counted_by_identity_url_and_code),
                cmocka_unit_test(a_token_that_goes_and_comes_back_goes_on_counting),
                cmocka_unit_test(names_that_change_at_each_reload_fill_no_memory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
