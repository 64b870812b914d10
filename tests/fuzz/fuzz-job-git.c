/*
 * What `forge-broker git` reads from outside: remotes' URLs, git's list of its configuration,
 * ~/.netrc, what its helper reports.  The first byte says which.  Whatever the bytes are, no parser
 * looks beyond them, and what one shows is clean.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/base64.h"
#include "job/git.h"
#include "job/git_report.h"
#include "job/netrc.h"
#include "job/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *text) {
        for (; *text; text++)
                assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void feed_url(const char *text) {
        char buffer[URL_MAX];
        struct url url, again;

        if (!url_parse(text, &url))
                return;
        url_without_user(&url, buffer);
        assert(url_parse(buffer, &again));
        assert(!again.user || memchr(url.host, '@', url.host_length));
        assert(url_is_below(buffer, &again) || again.path[0]);
        if (url_repository("https://git.example.org/base", text, buffer))
                assert(strchr(buffer, '/') && buffer[0] != '/' &&
                       buffer[strlen(buffer) - 1] != '/');
        url_origin(&url, buffer);
        assert(url_is_below(buffer, &url));
        check_clean(buffer);
}

static void feed_entries(char *text, size_t length) {
        struct locked_buffer answer = { .bytes = text, .used = length, .size = length + 1 };
        struct git_entry entry;
        size_t position = 0, before = 0;

        while (git_entry_next(&answer, &position, &entry)) {
                char pattern[GIT_KEY_MAX];

                assert(position > before && position <= length + 1);
                before = position;
                git_entry_pattern(&entry, pattern);
                assert(strlen(pattern) < sizeof(pattern));
                (void)strlen(entry.value);
        }
}

static void feed_netrc(const char *text, size_t length) {
        struct netrc_entry entry;

        if (!netrc_parse(text, length, "git.example.org", &entry))
                return;
        assert(entry.line > 0);
        check_clean(entry.login);
}

static void feed_user(const char *text) {
        char user[64];

        if (base64_user(text, user, sizeof(user)))
                check_clean(user);
}

static void feed_report(const char *text, size_t length) {
        struct git_report report;
        int ends[2];

        /* A pipe takes that much without a reader. */
        assert(pipe(ends) == 0);
        assert(write(ends[1], text, length < 4096 ? length : 4096) >= 0);
        (void)close(ends[1]);
        git_report_read(ends[0], &report);
        (void)close(ends[0]);
        assert(report.count <= GIT_ANSWERS_MAX);
        for (size_t i = 0; i < report.count; i++) {
                check_clean(report.answers[i].name);
                check_clean(report.answers[i].url);
                check_clean(report.answers[i].evidence);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text;

        if (size == 0)
                return 0;
        /* With a NUL and nothing behind it, as git_ask() leaves an answer. */
        text = malloc(size);
        assert(text);
        memcpy(text, data + 1, size - 1);
        text[size - 1] = '\0';
        switch (data[0] % 6) {
        case 0:
                feed_url(text);
                break;
        case 1:
                feed_entries(text, size - 1);
                break;
        case 2:
                feed_netrc(text, size - 1);
                break;
        case 3:
                feed_user(text);
                break;
        default:
                feed_report(text, size - 1);
                break;
        }
        free(text);
        return 0;
}
