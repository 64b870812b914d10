/*
 * Clean text, fields of a record, names, percent-encoding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define clean(buffer, literal) text_clean((buffer), sizeof(buffer), (literal), sizeof(literal) - 1)

static void text_that_fits_is_copied(void **state) {
        char buffer[32];

        (void)state;
        assert_string_equal(clean(buffer, ""), "");
        assert_string_equal(clean(buffer, "plain text"), "plain text");
        assert_string_equal(clean(buffer, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91"),
                            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\x91");
}

static void what_could_steer_a_terminal_becomes_a_question_mark(void **state) {
        static const struct {
                const char *text, *clean;
                size_t length;
        } cases[] = {
                { "a\nb\rc\td", "a?b?c?d", 7 },
                { "\x1b[31mred", "?[31mred", 8 },
                { "nul\0in", "nul?in", 6 },
                { "\x7f", "?", 1 },
                { "c1 \xc2\x9b", "c1 ?", 5 },
                { "override \xe2\x80\xae", "override ?", 12 },
                { "isolate \xe2\x81\xa6", "isolate ?", 11 },
                { "line \xe2\x80\xa8", "line ?", 8 },
                { "zero width \xe2\x80\x8b", "zero width ?", 14 },
                { "bom \xef\xbb\xbf", "bom ?", 7 },
                { "a ##[b]c", "a ##?b]c", 8 },
                { "###[b", "###?b", 5 },
                { "#[b", "#[b", 3 },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char buffer[32];

                assert_string_equal(
                    text_clean(buffer, sizeof(buffer), cases[i].text, cases[i].length),
                    cases[i].clean);
        }
}

static void invalid_utf8_becomes_question_marks(void **state) {
        char buffer[32];

        (void)state;
        assert_string_equal(clean(buffer, "\xff\xfe"), "??");
        assert_string_equal(clean(buffer, "\xc0\xaf"), "??");           /* overlong '/' */
        assert_string_equal(clean(buffer, "\xed\xa0\x80"), "???");      /* a surrogate */
        assert_string_equal(clean(buffer, "\xf4\x90\x80\x80"), "????"); /* past U+10FFFF */
        assert_string_equal(clean(buffer, "cut \xe2\x82"), "cut ??");
        assert_string_equal(clean(buffer, "\x80"
                                          "lone"),
                            "?lone");
}

static void long_text_is_cut_and_says_so(void **state) {
        char buffer[8], least[4];

        (void)state;
        assert_string_equal(clean(buffer, "1234567"), "1234567");
        assert_string_equal(clean(buffer, "12345678"), "1234...");
        assert_string_equal(clean(least, "12345678"), "...");
        assert_string_equal(clean(least, "123"), "123");
}

static void a_cut_never_splits_a_character(void **state) {
        const char euros[] = "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac";

        (void)state;
        for (size_t size = 4; size <= sizeof(euros); size++) {
                char buffer[sizeof(euros)], again[sizeof(euros)];

                text_clean(buffer, size, euros, sizeof(euros) - 1);
                assert_true(strlen(buffer) < size);
                text_clean(again, sizeof(again), buffer, strlen(buffer));
                /* no half character that a second pass would replace */
                assert_string_equal(again, buffer);
        }
}

static void plain_is_what_a_record_needs_no_quotes_for(void **state) {
        (void)state;
        assert_true(text_is_plain("deploy-bot@example.org:8443/a_b+c.d"));
        assert_false(text_is_plain(""));
        assert_false(text_is_plain("two words"));
        assert_false(text_is_plain("a=b"));
        assert_false(text_is_plain("\"quoted\""));
        assert_false(text_is_plain("\xc3\xbc"));
}

static void each_byte_is_plain_or_not(void **state) {
        static const char plain[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/@:+-";

        (void)state;
        for (int c = 1; c < 256; c++) {
                const char alone[] = { (char)c, '\0' }, last[] = { 'a', (char)c, '\0' };

                assert_int_equal(text_is_plain(alone), strchr(plain, c) != NULL);
                assert_int_equal(text_is_plain(last), strchr(plain, c) != NULL);
        }
}

static void appended_strings_fit_whole_or_not_at_all(void **state) {
        char buffer[8] = "";
        size_t used = 0;

        (void)state;
        assert_true(text_append_string(buffer, sizeof(buffer), &used, "1234"));
        assert_false(text_append_string(buffer, sizeof(buffer), &used, "5678"));
        assert_string_equal(buffer, "1234");
        assert_true(text_append_string(buffer, sizeof(buffer), &used, ""));
        assert_true(text_append_string(buffer, sizeof(buffer), &used, "567"));
        assert_string_equal(buffer, "1234567");
        assert_int_equal(used, 7);
        assert_false(text_append_string(buffer, sizeof(buffer), &used, "8"));
        assert_true(text_append_string(buffer, sizeof(buffer), &used, ""));
}

static void a_field_is_quoted_where_its_value_is_not_plain(void **state) {
        char record[128] = "";
        size_t used = 0;

        (void)state;
        assert_true(text_append_field(record, sizeof(record), &used, "token", "deploy"));
        assert_true(text_append_field(record, sizeof(record), &used, "absent", NULL));
        assert_true(text_append_field(record, sizeof(record), &used, "ref", "a b"));
        assert_true(text_append_field(record, sizeof(record), &used, "run", ""));
        assert_string_equal(record, "token=deploy ref=\"a b\" run=\"\"");
        assert_int_equal(used, strlen(record));
}

static void no_value_can_look_like_another_field(void **state) {
        char record[128] = "";
        size_t used = 0;

        (void)state;
        assert_true(text_append_field(record, sizeof(record), &used, "job",
                                      "x\" forgejo_token_source=\"y\\"));
        assert_string_equal(record, "job=\"x\\\" forgejo_token_source=\\\"y\\\\\"");
}

static void a_field_that_does_not_fit_is_left_out_whole(void **state) {
        char record[16] = "";
        size_t used = 0;

        (void)state;
        assert_true(text_append_field(record, sizeof(record), &used, "a", "1234567890"));
        assert_false(text_append_field(record, sizeof(record), &used, "b", "2345"));
        assert_string_equal(record, "a=1234567890");
        assert_false(text_append_field(record, sizeof(record), &used, "d", "\"\""));
        assert_string_equal(record, "a=1234567890");
        assert_int_equal(used, strlen(record));
}

static void appended_text_is_cut_at_the_end_of_the_buffer(void **state) {
        char buffer[8] = "";
        size_t used = 0;

        (void)state;
        assert_true(text_append(buffer, sizeof(buffer), &used, "%d", 1234567));
        assert_int_equal(used, 7);
        assert_false(text_append(buffer, sizeof(buffer), &used, "8"));
        assert_string_equal(buffer, "1234567");
        assert_int_equal(used, 7);
}

static void names_are_short_and_simple(void **state) {
        char longest[66];

        (void)state;
        memset(longest, 'n', sizeof(longest));
        longest[64] = '\0';
        assert_true(text_is_name(longest));
        longest[64] = 'n';
        longest[65] = '\0';
        assert_false(text_is_name(longest));

        assert_true(text_is_name("deploy"));
        assert_true(text_is_name("0.deploy_bot-2"));
        assert_false(text_is_name(""));
        assert_false(text_is_name("."));
        assert_false(text_is_name("-option"));
        assert_false(text_is_name("_hidden"));
        assert_false(text_is_name("a/b"));
        assert_false(text_is_name("a b"));
        assert_false(text_is_name("a\n"));
}

static void all_but_unreserved_bytes_are_percent_encoded(void **state) {
        static const struct {
                const char *text, *encoded;
        } cases[] = {
                { "", "" },
                { "AZaz09-._~", "AZaz09-._~" },
                { "p+codex@example.org", "p%2Bcodex%40example.org" },
                { "/a b?c#d&e=f%", "%2Fa%20b%3Fc%23d%26e%3Df%25" },
                { "\xc3\xbc", "%C3%BC" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_(freep) char *encoded = text_percent_encode(cases[i].text);

                assert_non_null(encoded);
                assert_string_equal(encoded, cases[i].encoded);
        }
}

static void stripping_removes_white_space_at_both_ends(void **state) {
        char text[] = " \t\r\n a b \v\f\n", blank[] = " \n ";
        size_t length = sizeof(text) - 1;
        const char *begin = text_strip(text, &length);

        (void)state;
        assert_int_equal(length, 3);
        assert_memory_equal(begin, "a b", 3);

        length = sizeof(blank) - 1;
        (void)text_strip(blank, &length);
        assert_int_equal(length, 0);
}

static void beginnings_are_compared_exactly(void **state) {
        (void)state;
        assert_true(text_starts_with("https://x", "https://"));
        assert_true(text_starts_with("x", ""));
        assert_false(text_starts_with("http", "https://"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_that_fits_is_copied),
                cmocka_unit_test(what_could_steer_a_terminal_becomes_a_question_mark),
                cmocka_unit_test(invalid_utf8_becomes_question_marks),
                cmocka_unit_test(long_text_is_cut_and_says_so),
                cmocka_unit_test(a_cut_never_splits_a_character),
                cmocka_unit_test(plain_is_what_a_record_needs_no_quotes_for),
                cmocka_unit_test(each_byte_is_plain_or_not),
                cmocka_unit_test(appended_strings_fit_whole_or_not_at_all),
                cmocka_unit_test(a_field_is_quoted_where_its_value_is_not_plain),
                cmocka_unit_test(no_value_can_look_like_another_field),
                cmocka_unit_test(a_field_that_does_not_fit_is_left_out_whole),
                cmocka_unit_test(appended_text_is_cut_at_the_end_of_the_buffer),
                cmocka_unit_test(names_are_short_and_simple),
                cmocka_unit_test(all_but_unreserved_bytes_are_percent_encoded),
                cmocka_unit_test(stripping_removes_white_space_at_both_ends),
                cmocka_unit_test(beginnings_are_compared_exactly),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
