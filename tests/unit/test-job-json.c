/*
 * The jobs' JSON reader: what is refused, and that what is accepted says what it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "job/json_reader.h"

static int parse(const char *text, size_t length, struct json *ret, struct failure *failure) {
        *failure = (struct failure){ 0 };
        return json_parse(text, length, ret, failure);
}

static struct json parsed(const char *text) {
        struct failure failure;
        struct json value;

        if (parse(text, strlen(text), &value, &failure) != 0)
                fail_msg("%s: %s", text, failure.detail);
        return value;
}

static void decodes_to(const char *text, const char *expected) {
        char buffer[256] = "";
        size_t length = 0;

        assert_true(json_string(parsed(text), buffer, sizeof(buffer), &length));
        assert_string_equal(buffer, expected);
        assert_int_equal(length, strlen(expected));
}

static void what_is_not_json_is_refused_with_its_place(void **state) {
        static const struct {
                const char *text, *says;
        } cases[] = {
                { "", "an end where a value should be at byte 0" },
                { "  ", "an end where a value should be" },
                { "nul", "something that is no value" },
                { "True", "something that is no value" },
                { "'a'", "something that is no value" },
                { "01", "more than one value at byte 1" },
                { "+1", "something that is no value" },
                { "-", "a number that is not one" },
                { "1.", "a number that is not one" },
                { ".5", "something that is no value" },
                { "1e", "a number that is not one" },
                { "NaN", "something that is no value" },
                { "\"a", "a string that does not end" },
                { "\"a\tb\"", "a control character inside a string" },
                { "\"\\x\"", "an escape or a byte" },
                { "\"\\u12\"", "an escape or a byte" },
                { "\"\\u0000\"", "an escape or a byte" },
                { "\"\\ud83d\"", "an escape or a byte" },
                { "\"\\ud83d\\u0041\"", "an escape or a byte" },
                { "\"\\ude00\"", "an escape or a byte" },
                { "\"\\", "an escape or a byte" },
                { "\"\xff\"", "an escape or a byte" },
                { "\"\xc0\xaf\"", "an escape or a byte" },
                { "\"\xed\xa0\x80\"", "an escape or a byte" },
                { "\"\xf4\x90\x80\x80\"", "an escape or a byte" },
                { "\"\xe2\x82\"", "an escape or a byte" },
                { "[1,]", "something that is no value" },
                { "[1 2]", "neither a comma nor the end" },
                { "[1", "neither a comma nor the end" },
                { "[", "an end where a value should be" },
                { "[}", "something that is no value" },
                { "{\"a\":1,}", "an object's member without a name" },
                { "{a:1}", "an object's member without a name" },
                { "{\"a\" 1}", "a member's name without a colon" },
                { "{\"a\":}", "something that is no value" },
                { "{\"a\":1", "neither a comma nor the end" },
                { "{} {}", "more than one value at byte 3" },
                { "{\"a\":1,\"a\":2}", "two members with the same name" },
                { "{\"a\":1,\"\\u0061\":2}", "two members with the same name" },
                { "{\"\xc3\xa9\":1,\"\\u00e9\":2}", "two members with the same name" },
                { "// no\n1", "something that is no value" },
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct json value = { 0 };
                struct failure failure;

                assert_int_equal(parse(cases[i].text, strlen(cases[i].text), &value, &failure),
                                 -EXIT_UNREACHABLE);
                assert_null(value.text);
                if (!strstr(failure.detail, cases[i].says))
                        fail_msg("%s: %s, expected %s", cases[i].text, failure.detail,
                                 cases[i].says);
        }
}

static void what_is_json_is_accepted(void **state) {
        static const char *const cases[] = { "null",
                                             "true",
                                             " false\r\n\t",
                                             "0",
                                             "-0",
                                             "-12.5e+3",
                                             "1E9",
                                             "\"\"",
                                             "[]",
                                             "[ ]",
                                             "{}",
                                             "{ }",
                                             "[[],{}]",
                                             "{\"\":{\"\":null}}",
                                             "{\"a\":1,\"A\":2,\"ab\":3}",
                                             "[1,[2,[3]],{\"a\":[4]}]" };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                (void)parsed(cases[i]);
}

static void every_escape_and_all_of_unicode_is_decoded(void **state) {
        (void)state;
        decodes_to("\"\"", "");
        decodes_to("\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t\"", "\" \\ / \b \f \n \r \t");
        decodes_to("\"\\u0041\\u00e9\\u20AC\\uFFFF\"", "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf");
        decodes_to("\"\\ud83d\\uDE00\\udbff\\udfff\"", "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
        decodes_to("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f\"",
                   "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \x7f");
}

static void a_string_that_does_not_fit_leaves_nothing_behind(void **state) {
        struct json value = parsed("\"secret\"");
        char buffer[7] = "xxxxxx";
        size_t length = 0;

        (void)state;
        assert_false(json_string(value, buffer, 6, &length));
        assert_memory_equal(buffer, "\0\0\0\0\0x", 6);
        assert_false(json_string(value, buffer, 0, &length));
        assert_true(json_string(value, buffer, 7, &length));
        assert_string_equal(buffer, "secret");
        assert_false(json_string(parsed("12"), buffer, 7, &length));
}

static void members_are_found_by_their_whole_name_only(void **state) {
        struct json
            object = parsed(
                "{ \"b\" : [1, {\"a\": 0}] , \"ab\":\"}\\\"\", \"\\u0061\" : {\"x\":null} }"),
            value;

        (void)state;
        assert_true(json_member(object, "a", &value));
        assert_int_equal(json_type(value), JSON_OBJECT);
        assert_int_equal(value.length, strlen("{\"x\":null}"));
        assert_true(json_member(value, "x", &value));
        assert_int_equal(json_type(value), JSON_NULL);
        assert_true(json_member(object, "ab", &value));
        assert_int_equal(value.length, 5);
        assert_false(json_member(object, "", &value));
        assert_false(json_member(object, "x", &value));
        assert_false(json_member(object, "abc", &value));
        assert_false(json_member(parsed("{}"), "a", &value));
        assert_false(json_member(parsed("[\"a\"]"), "a", &value));
}

static void items_come_in_order(void **state) {
        struct json array = parsed("[ 1 ,\"]\", [2,3] ,{\"a\":[]},null,-5.5]"), item = { 0 };
        static const enum json_type types[] = { JSON_NUMBER, JSON_STRING, JSON_ARRAY,
                                                JSON_OBJECT, JSON_NULL,   JSON_NUMBER };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(types); i++) {
                assert_true(json_next(array, &item));
                assert_int_equal(json_type(item), types[i]);
        }
        assert_int_equal(item.length, 4);
        assert_false(json_next(array, &item));
        item = (struct json){ 0 };
        assert_false(json_next(parsed("[]"), &item));
        assert_false(json_next(parsed("{\"a\":1}"), &item));
}

/* Nested @depth times; must be freed. */
static char *nested(size_t depth) {
        char *text = malloc(2 * depth + 1);

        assert_non_null(text);
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        return text;
}

static void nesting_is_bounded(void **state) {
        struct failure failure;
        struct json value;
        char *text;

        (void)state;
        text = nested(JSON_DEPTH_MAX);
        assert_int_equal(parse(text, strlen(text), &value, &failure), 0);
        free(text);
        text = nested(JSON_DEPTH_MAX + 1);
        assert_int_equal(parse(text, strlen(text), &value, &failure), -EXIT_UNREACHABLE);
        assert_non_null(strstr(failure.detail, "too deep"));
        free(text);
        text = nested(100000);
        assert_int_equal(parse(text, strlen(text), &value, &failure), -EXIT_UNREACHABLE);
        free(text);
}

static int parse_members(int count) {
        char text[16 * (JSON_MEMBERS_MAX + 2)] = "{";
        struct failure failure;
        struct json value;
        size_t used = 1;

        for (int i = 0; i < count; i++)
                used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\"m%d\":0",
                                         i ? "," : "", i);
        text[used++] = '}';
        return parse(text, used, &value, &failure);
}

static void members_of_one_object_are_bounded(void **state) {
        (void)state;
        assert_int_equal(parse_members(JSON_MEMBERS_MAX), 0);
        assert_int_equal(parse_members(JSON_MEMBERS_MAX + 1), -EXIT_UNREACHABLE);
}

static void text_for_people_is_clean_and_cut(void **state) {
        struct json object =
            parsed("{\"a\":\"x\\n::set-env::\\u001b[31m\",\"b\":\"0123456789\",\"c\":1}");
        char buffer[32], small[8];

        (void)state;
        assert_true(json_text(object, "a", buffer, sizeof(buffer)));
        assert_string_equal(buffer, "x?::set-env::?[31m");
        assert_true(json_text(object, "b", small, sizeof(small)));
        assert_string_equal(small, "0123...");
        assert_false(json_text(object, "c", buffer, sizeof(buffer)));
        assert_string_equal(buffer, "");
        assert_false(json_text(object, "d", buffer, sizeof(buffer)));
}

static void an_error_never_quotes_the_text(void **state) {
        static const char text[] = "{\"token\":\"canary-4711\" canary-4712}";
        struct failure failure;
        struct json value;

        (void)state;
        assert_int_equal(parse(text, sizeof(text) - 1, &value, &failure), -EXIT_UNREACHABLE);
        assert_null(strstr(failure.detail, "canary"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
                cmocka_unit_test(what_is_json_is_accepted),
                cmocka_unit_test(every_escape_and_all_of_unicode_is_decoded),
                cmocka_unit_test(a_string_that_does_not_fit_leaves_nothing_behind),
                cmocka_unit_test(members_are_found_by_their_whole_name_only),
                cmocka_unit_test(items_come_in_order),
                cmocka_unit_test(nesting_is_bounded),
                cmocka_unit_test(members_of_one_object_are_bounded),
                cmocka_unit_test(text_for_people_is_clean_and_cut),
                cmocka_unit_test(an_error_never_quotes_the_text),
        };

        return cmocka_run_group_tests_name("job-json", tests, NULL, NULL);
}
