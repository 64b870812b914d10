/*
 * The grammar of configuration files, without any meaning.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "config/ini.h"

/* What the parser said, written down: "1[kind name] 2key=value 3!mistake ". */
struct script {
        char text[4096];
        size_t used;
};

#define note(script, ...)                                                                          \
        (void)text_append((script)->text, sizeof((script)->text), &(script)->used, __VA_ARGS__)

static void on_section(void *context, unsigned line, const char *kind, const char *name) {
        if (!kind)
                note((struct script *)context, "%u[?] ", line);
        else
                note((struct script *)context, "%u[%s%s%s] ", line, kind, name ? " " : "",
                     name ? name : "");
}

static void on_setting(void *context, unsigned line, const char *key, const char *value) {
        note((struct script *)context, "%u%s=<%s> ", line, key, value);
}

static void on_mistake(void *context, unsigned line, const char *text) {
        note((struct script *)context, "%u!%.*s ", line, (int)strcspn(text, ";("), text);
}

static const struct ini_handler handler = { on_section, on_setting, on_mistake };

static void assert_parsed_bytes(const char *bytes, size_t length, const char *expected) {
        struct script script = { 0 };
        /* A copy without a byte behind it, so that a read past the end is seen. */
        _cleanup_(freep) char *copy = malloc(length > 0 ? length : 1);

        assert_non_null(copy);
        if (length > 0)
                memcpy(copy, bytes, length);
        ini_parse(copy, length, &handler, &script);
        assert_string_equal(script.text, expected);
}

#define assert_parsed(literal, expected)                                                           \
        assert_parsed_bytes((literal), sizeof(literal) - 1, (expected))

static void sections_and_settings_have_lines(void **state) {
        (void)state;
        assert_parsed("", "");
        assert_parsed("\n\n", "");
        assert_parsed("[broker]\nlog = auto\n\n[token deploy]\nforge=home",
                      "1[broker] 2log=<auto> 4[token deploy] 5forge=<home> ");
        assert_parsed("  [ token\tdeploy ]  \n\tlog\t=\tauto\t\n", "1[token deploy] 2log=<auto> ");
}

static void both_line_ends_are_fine(void **state) {
        (void)state;
        assert_parsed("[a]\r\nb = c\r\n; d\r\n\r\n", "1[a] 2b=<c> ");
        assert_parsed("[a]\nb = c\r\r\n", "1[a] 2!a control character  ");
}

static void comments_begin_at_a_line_or_after_a_blank(void **state) {
        (void)state;
        assert_parsed("; c\n# c\n  ; c\n\t# c\n[a] ; c\n", "5[a] ");
        assert_parsed("[a]\nb = c ; d\n", "1[a] 2b=<c> ");
        assert_parsed("[a]\nb = c\t# d\n", "1[a] 2b=<c> ");
        assert_parsed("[a]\nb = c;d#e\n", "1[a] 2b=<c;d#e> ");
        assert_parsed("[a]\nb = ; c\n", "1[a] 2b=<> ");
        assert_parsed("[a]\nb =;c\n", "1[a] 2b=<;c> ");
        assert_parsed("[a];c\n", "1!a section that cannot be read 1[?] ");
}

static void values_keep_inner_blanks_and_equal_signs(void **state) {
        (void)state;
        assert_parsed("[a]\nb = c  d = e  \n", "1[a] 2b=<c  d = e> ");
        assert_parsed("[a]\nb = c\\d\n", "1[a] 2b=<c\\d> ");
        assert_parsed("[a]\nb = j\xc3\xbcrgen\n", "1[a] 2b=<j\xc3\xbcrgen> ");
}

static void quotes_keep_what_would_be_cut(void **state) {
        (void)state;
        assert_parsed("[a]\nb = \" c ; d # e \" ; f\n", "1[a] 2b=< c ; d # e > ");
        assert_parsed("[a]\nb = \"say \\\"hi\\\" \\\\\"\n", "1[a] 2b=<say \"hi\" \\> ");
        assert_parsed("[a]\nb = \"\"\n", "1[a] 2b=<> ");
}

static void quoting_mistakes_are_told_apart(void **state) {
        (void)state;
        assert_parsed("[a]\nb = \"c\n", "1[a] 2!a quoted value without its closing quote ");
        assert_parsed("[a]\nb = \"c\\\n", "1[a] 2!a backslash inside quotes ");
        assert_parsed("[a]\nb = \"c\\\"\n", "1[a] 2!a quoted value without its closing quote ");
        assert_parsed("[a]\nb = \"c\\n\"\n", "1[a] 2!a backslash inside quotes ");
        assert_parsed("[a]\nb = \"c\" d\n", "1[a] 2!text after a quoted value ");
        assert_parsed("[a]\nb = \"c\";d\n", "1[a] 2!text after a quoted value ");
        assert_parsed("[a]\nb = c \"d\"\n", "1[a] 2!a quote inside a value ");
}

static void there_are_no_continuation_lines(void **state) {
        (void)state;
        assert_parsed("[a]\nb = c \\\n    d = e\n", "1[a] 2b=<c \\> 3d=<e> ");
        assert_parsed("[a]\nb = c\n    d\n",
                      "1[a] 2b=<c> 3!a line that is neither a section, a setting nor a comment ");
}

static void broken_headers_still_end_the_section_above(void **state) {
        static const char unreadable[] = "1!a section that cannot be read 1[?] 2b=<c> ";

        (void)state;
        assert_parsed("[a\nb = c\n", unreadable);
        assert_parsed("[]\nb = c\n", unreadable);
        assert_parsed("[ ]\nb = c\n", unreadable);
        assert_parsed("[a b c]\nb = c\n", unreadable);
        assert_parsed("[a] b\nb = c\n", unreadable);
}

static void keys_are_words(void **state) {
        (void)state;
        assert_parsed("[a]\n= c\n", "1[a] 2!a setting whose key cannot be read ");
        assert_parsed("[a]\nb c = d\n", "1[a] 2!a setting whose key cannot be read ");
        assert_parsed("[a]\nb.c = d\n", "1[a] 2!a setting whose key cannot be read ");
        assert_parsed(
            "[a]\nk012345678901234567890123456789012345678901234567890123456789012 = longest\n"
            "k0123456789012345678901234567890123456789012345678901234567890123 = c\n",
            "1[a] 2k012345678901234567890123456789012345678901234567890123456789012=<longest> "
            "3!a setting whose key cannot be read ");
        assert_parsed("b = c\n", "1!a setting before the first section ");
}

static void bytes_that_are_no_text_are_mistakes(void **state) {
        (void)state;
        assert_parsed("[a]\nb = c\0d\n", "1[a] 2!a NUL byte  ");
        assert_parsed("[a]\n; c\0d\n", "1[a] 2!a NUL byte  ");
        assert_parsed("[a]\nb = \x1b[31m\n", "1[a] 2!a control character  ");
        assert_parsed("[a]\nb = \x7f\n", "1[a] 2!a control character  ");
        assert_parsed("[a]\nb = \xff\n",
                      "1[a] 2!bytes that are not UTF-8, or invisible characters ");
        assert_parsed("[a]\nb = \xc0\xaf\n",
                      "1[a] 2!bytes that are not UTF-8, or invisible characters ");
        assert_parsed("[a]\n# \xe2\x80\xae\n",
                      "1[a] 2!bytes that are not UTF-8, or invisible characters ");
        assert_parsed("\xef\xbb\xbf[a]\nb = c\n", "1!a byte order mark 1[a] 2b=<c> ");
        assert_parsed("\xff\xfe[\0a\0]\0\n\0", "1!a NUL byte  2!a NUL byte  ");
}

static void lines_and_files_are_bounded(void **state) {
        const size_t size = INI_FILE_MAX_BYTES + 1;
        _cleanup_(freep) char *bytes = malloc(size);

        (void)state;
        assert_non_null(bytes);
        memset(bytes, ' ', size);
        assert_parsed_bytes(bytes, INI_LINE_MAX_BYTES, "");
        assert_parsed_bytes(bytes, INI_LINE_MAX_BYTES + 1, "1!a line that is too long ");
        bytes[INI_LINE_MAX_BYTES] = '\r';
        bytes[INI_LINE_MAX_BYTES + 1] = '\n';
        memcpy(bytes + INI_LINE_MAX_BYTES + 2, "[a]\n", 4);
        assert_parsed_bytes(bytes, INI_LINE_MAX_BYTES + 6, "2[a] ");
        memset(bytes, '\n', size);
        assert_parsed_bytes(bytes, size - 1, "");
        assert_parsed_bytes(bytes, size, "0!a file that is too large ");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sections_and_settings_have_lines),
                cmocka_unit_test(both_line_ends_are_fine),
                cmocka_unit_test(comments_begin_at_a_line_or_after_a_blank),
                cmocka_unit_test(values_keep_inner_blanks_and_equal_signs),
                cmocka_unit_test(quotes_keep_what_would_be_cut),
                cmocka_unit_test(quoting_mistakes_are_told_apart),
                cmocka_unit_test(there_are_no_continuation_lines),
                cmocka_unit_test(broken_headers_still_end_the_section_above),
                cmocka_unit_test(keys_are_words),
                cmocka_unit_test(bytes_that_are_no_text_are_mistakes),
                cmocka_unit_test(lines_and_files_are_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
