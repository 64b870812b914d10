#include "job/git_remotes.h"

#include <string.h>

#include "base/text.h"
#include "job/url.h"

#define STRINGS_MAX (256 * 1024)

static const char url_keys[] = "^remote\\..*\\.(url|pushurl)$";

static const char *keep(struct remote_urls *urls, const char *text) {
        const char *kept = urls->strings.bytes + urls->strings.used;
        size_t length = strlen(text) + 1;

        if (urls->strings.used + length > STRINGS_MAX)
                return NULL;
        (void)locked_buffer_append(&urls->strings, text, length);
        return kept;
}

static bool is_known(const struct remote_urls *urls, const char *written, const char *resolved) {
        for (size_t i = 0; i < urls->count; i++)
                if (strcmp(urls->items[i].written, written) == 0 &&
                    strcmp(urls->items[i].resolved, resolved) == 0)
                        return true;
        return false;
}

static int add(struct remote_urls *urls, const char *written, const char *resolved,
               struct failure *failure) {
        struct remote_url item;
        struct url unused;

        if (!url_parse(resolved, &unused) || is_known(urls, written, resolved))
                return 0;
        item = (struct remote_url){ keep(urls, written), keep(urls, resolved) };
        if (urls->count == REMOTE_URLS_MAX || !item.written || !item.resolved)
                return failure_set(failure, EXIT_CANNOT_RUN, "there are more than %d remote URLs",
                                   REMOTE_URLS_MAX);
        urls->items[urls->count++] = item;
        return 0;
}

static void cut_line(struct locked_buffer *answer) {
        answer->bytes[strcspn(answer->bytes, "\n")] = '\0';
}

/* What git makes of a URL by insteadOf; also of a remote's name. */
static int resolve(const struct git *git, const char *written, struct locked_buffer *answer,
                   struct failure *failure) {
        const char *const words[] = { "ls-remote", "--get-url", written, NULL };
        int r = git_ask(git, words, answer, failure);

        if (r < 0)
                return r;
        cut_line(answer);
        return r == 0 && answer->bytes[0] ? 0 : 1;
}

/* A word of git's command line that is a URL, or has one behind its "=": --repo=URL. */
static const char *url_of_word(const char *word) {
        const char *equals = word[0] == '-' ? strchr(word, '=') : NULL;

        return equals ? equals + 1 : word;
}

static int add_written(const struct git *git, struct remote_urls *urls, const char *written,
                       struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        int r;

        if (written[0] == '-' || written[0] == '\0')
                return 0;
        r = resolve(git, written, &answer, failure);
        if (r != 0)
                return r < 0 ? r : 0;
        return add(urls, written, answer.bytes, failure);
}

/* A remote without a pushurl may have its URL replaced by pushInsteadOf. */
static int add_push_urls(const struct git *git, struct remote_urls *urls, const char *name,
                         const char *written, struct failure *failure) {
        const char *const words[] = { "remote", "get-url", "--push", "--all", name, NULL };
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        char *line, *newline;
        int r = git_ask(git, words, &answer, failure);

        if (r != 0)
                return r < 0 ? r : 0;
        for (line = answer.bytes; *line; line = newline + 1) {
                newline = strchr(line, '\n');
                if (!newline)
                        break;
                *newline = '\0';
                r = add(urls, written, line, failure);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_remotes(const struct git *git, struct remote_urls *urls, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        struct git_entry entry;
        size_t position = 0;
        int r;

        r = git_entries(git, url_keys, &answer, failure);
        while (r == 0 && git_entry_next(&answer, &position, &entry)) {
                char name[GIT_KEY_MAX];

                git_entry_pattern(&entry, name);
                r = add_written(git, urls, entry.value, failure);
                if (r == 0 && strcmp(strrchr(entry.key, '.'), ".url") == 0)
                        r = add_push_urls(git, urls, name, entry.value, failure);
        }
        return r;
}

/* "URL\0": of all submodules that are there.  One that cannot be read is not asked either. */
static int add_submodules(const struct git *git, struct remote_urls *urls,
                          struct failure *failure) {
        static const char command[] =
            "git config -z --get-regexp '^remote\\..*\\.(url|pushurl)$' || :";
        const char *const words[] = { "submodule",   "--quiet", "foreach",
                                      "--recursive", command,   NULL };
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        const char *end;
        int r = git_ask(git, words, &answer, failure);

        if (r == -EXIT_CANNOT_RUN || r == -EXIT_NOT_FOUND)
                return r;
        end = answer.bytes + answer.used;
        for (const char *at = answer.bytes; at < end; at += strlen(at) + 1) {
                const char *newline = strchr(at, '\n');

                r = newline ? add_written(git, urls, newline + 1, failure) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

int git_remotes_read(const struct git *git, char *const words[], struct remote_urls *ret,
                     struct failure *failure) {
        int r = 0;

        if (!locked_buffer_reserve(&ret->strings, STRINGS_MAX))
                return failure_set(failure, EXIT_CANNOT_RUN, "out of memory");
        for (size_t i = 0; r == 0 && words[i]; i++)
                if (strstr(words[i], "://"))
                        r = add_written(git, ret, url_of_word(words[i]), failure);
        if (r == 0)
                r = add_remotes(git, ret, failure);
        if (r == 0)
                r = add_submodules(git, ret, failure);
        return r;
}

void git_remotes_done(struct remote_urls *urls) {
        locked_buffer_done(&urls->strings);
        urls->count = 0;
}

/* One line of git's; "" where it has none. */
static int ask_line(const struct git *git, const char *const words[], struct locked_buffer *answer,
                    struct failure *failure) {
        int r = git_ask(git, words, answer, failure);

        if (r < 0)
                return r;
        if (r != 0)
                answer->bytes[0] = '\0';
        cut_line(answer);
        return 0;
}

/* git-config(1): branch.NAME.pushRemote, remote.pushDefault, branch.NAME.remote, origin. */
static int choose_remote(const struct git *git, struct locked_buffer *answer,
                         struct failure *failure) {
        const char *const head[] = { "symbolic-ref", "--quiet", "--short", "HEAD", NULL };
        const char *const general[] = { "config", "--get", "remote.pushDefault", NULL };
        static const char *const names[] = { "pushRemote", NULL, "remote" };
        char branch[1024], key[1200];
        int r;

        r = ask_line(git, head, answer, failure);
        if (r < 0)
                return r;
        (void)text_clean(branch, sizeof(branch), answer->bytes, strlen(answer->bytes));
        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *const own[] = { "config", "--get", key, NULL };
                size_t used = 0;

                key[0] = '\0';
                if (names[i])
                        (void)text_append(key, sizeof(key), &used, "branch.%s.%s", branch,
                                          names[i]);
                r = ask_line(git, names[i] ? own : general, answer, failure);
                if (r < 0 || answer->bytes[0])
                        return r;
        }
        memcpy(answer->bytes, "origin", sizeof("origin"));
        return 0;
}

int git_remote_find(const struct git *git, const char *remote, struct locked_buffer *answer,
                    const char **ret, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer chosen = { 0 };
        int r;

        if (!remote) {
                r = choose_remote(git, &chosen, failure);
                if (r < 0)
                        return r;
                remote = chosen.bytes;
        }
        if (!strstr(remote, "://")) {
                const char *const words[] = { "remote", "get-url", "--push", remote, NULL };

                r = ask_line(git, words, answer, failure);
                if (r == 0 && !answer->bytes[0]) {
                        r = failure_set(failure, EXIT_UNMET, "there is no remote '%.128s' here",
                                        remote);
                        failure_remedy_set(
                            failure,
                            "Name a remote of this repository ('git remote -v'), or give a URL.");
                }
        } else {
                r = resolve(git, remote, answer, failure);
                r = r > 0 ? failure_set(failure, EXIT_UNMET, "git makes nothing of '%.128s'",
                                        "this URL")
                          : r;
        }
        *ret = answer->bytes;
        return r;
}
