#include "job/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "job/git_explain.h"
#include "job/git_identity.h"
#include "job/git_settings.h"
#include "job/output.h"
#include "job/token_list.h"
#include "job/url.h"

/* What one `forge-broker git` works with. */
struct wrap {
        struct git git;
        const char *named; /* NAME, or NULL: any token, by URL */
        struct token_list tokens;
        struct remote_urls urls;
        struct git_settings settings;
};

static void wrap_done(struct wrap *wrap) {
        token_list_done(&wrap->tokens);
        git_remotes_done(&wrap->urls);
        git_settings_done(&wrap->settings);
}

/* The next forge that this call can serve. */
static bool next_forge(const struct wrap *wrap, struct json *position, struct token_item *ret) {
        while (token_list_next(&wrap->tokens, position, ret))
                if (!wrap->named || strcmp(ret->name, wrap->named) == 0)
                        return true;
        return false;
}

static bool is_ours(const struct wrap *wrap, const struct url *url) {
        struct json position = { 0 };
        struct token_item item;

        while (next_forge(wrap, &position, &item))
                if (url_is_below(item.forge_url, url))
                        return true;
        return false;
}

static int read_tokens(struct wrap *wrap, const struct client *client, struct failure *failure) {
        struct token_item item;
        struct json position;
        int r = token_list_get(client, &wrap->tokens, failure);

        return r == 0 && wrap->named
                   ? token_list_find(&wrap->tokens, wrap->named, &position, &item, failure)
                   : r;
}

/* For the shell that git gives the helper to. */
static bool append_quoted(char *buffer, size_t size, size_t *used, const char *text) {
        bool fits = text_append(buffer, size, used, "'");

        for (; fits && *text; text++)
                fits = *text == '\'' ? text_append(buffer, size, used, "'\\''")
                                     : text_append(buffer, size, used, "%c", *text);
        return fits && text_append(buffer, size, used, "'");
}

static int set_helper(struct wrap *wrap, const struct arguments *arguments,
                      struct failure *failure) {
        char self[PATH_MAX], helper[2 * PATH_MAX] = "";
        ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
        size_t used = 0;
        bool fits;
        int r;

        if (length < 0)
                return failure_set(failure, EXIT_CANNOT_RUN,
                                   "cannot find out where this program is: /proc/self/exe: %s",
                                   strerror(errno));
        self[length] = '\0';
        fits = text_append(helper, sizeof(helper), &used, "!") &&
               append_quoted(helper, sizeof(helper), &used, self) &&
               text_append(helper, sizeof(helper), &used, " git-credential%s%s%s",
                           arguments->quiet ? " -q" : "", wrap->named ? " --token " : "",
                           wrap->named ? wrap->named : "");
        if (!fits)
                return failure_set(failure, EXIT_CANNOT_RUN, "this program's path is too long");
        /* The empty one drops the helpers of all files, those for one URL as well. */
        r = git_settings_add(&wrap->settings, "credential.helper", "", failure);
        if (r == 0)
                r = git_settings_add(&wrap->settings, "credential.helper", helper, failure);
        if (r == 0)
                r = git_settings_add(&wrap->settings, "credential.useHttpPath", "true", failure);
        if (r == 0)
                r = git_settings_set(&wrap->settings, "FORGE_BROKER_SOCKET", arguments->socket,
                                     failure);
        if (r == 0)
                r = git_settings_set(&wrap->settings, "GIT_TERMINAL_PROMPT", "0", failure);
        /* A trace that is on shows headers; that it shows their values is what nobody asked for. */
        if (r == 0)
                r = git_settings_set(&wrap->settings, "GIT_TRACE_REDACT", "1", failure);
        return r;
}

static int add_for(struct wrap *wrap, const char *section, const char *pattern, const char *name,
                   const char *value, struct failure *failure) {
        char key[GIT_KEY_MAX + 64];

        (void)snprintf(key, sizeof(key), "%s.%s.%s", section, pattern, name);
        return git_settings_add(&wrap->settings, key, value, failure);
}

/* Whatever was configured for this URL, or for all of its host, does not count any more. */
static int clear_url(struct wrap *wrap, const struct url *url, struct failure *failure) {
        char clean[URL_MAX], origin[URL_MAX];
        int r;

        url_without_user(url, clean);
        url_origin(url, origin);
        r = add_for(wrap, "http", origin, "extraheader", "", failure);
        if (r == 0)
                r = add_for(wrap, "http", clean, "extraheader", "", failure);
        if (r == 0)
                r = add_for(wrap, "http", clean, "cookieFile", "", failure);
        if (r == 0)
                r = add_for(wrap, "credential", origin, "useHttpPath", "true", failure);
        return r;
}

static int clear_forges(struct wrap *wrap, struct failure *failure) {
        struct json position = { 0 };
        struct token_item item;
        struct url url;
        int r = 0;

        while (r == 0 && next_forge(wrap, &position, &item))
                if (url_parse(item.forge_url, &url))
                        r = clear_url(wrap, &url, failure);
        return r;
}

/* A header for one repository survives what is said of its host: each is taken back by its own
 * name. */
static int clear_pattern(struct wrap *wrap, const char *pattern, struct failure *failure) {
        struct url url;

        if (!url_parse(pattern, &url) || !is_ours(wrap, &url))
                return 0;
        return add_for(wrap, "http", pattern, "extraheader", "", failure);
}

static int clear_headers(struct wrap *wrap, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        struct git_entry entry;
        size_t position = 0;
        int r;

        r = git_entries(&wrap->git, "^http\\..*\\.extraheader$", &answer, failure);
        while (r == 0 && git_entry_next(&answer, &position, &entry)) {
                char pattern[GIT_KEY_MAX];

                git_entry_pattern(&entry, pattern);
                r = clear_pattern(wrap, pattern, failure);
        }
        return r;
}

/* The same of submodules: their names alone, for the values are others' secrets. */
static int clear_submodule_headers(struct wrap *wrap, struct failure *failure) {
        static const char command[] =
            "git config -z --name-only --get-regexp '^http\\..*\\.extraheader$' || :";
        const char *const words[] = { "submodule",   "--quiet", "foreach",
                                      "--recursive", command,   NULL };
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        const char *end;
        int r = git_ask(&wrap->git, words, &answer, failure);

        if (r == -EXIT_CANNOT_RUN || r == -EXIT_NOT_FOUND)
                return r;
        r = 0;
        end = answer.bytes + answer.used;
        for (const char *at = answer.bytes; r == 0 && at < end; at += strlen(at) + 1) {
                struct git_entry entry = { 0 };
                char pattern[GIT_KEY_MAX];

                if (strlen(at) >= sizeof(entry.key))
                        continue;
                memcpy(entry.key, at, strlen(at) + 1);
                git_entry_pattern(&entry, pattern);
                r = clear_pattern(wrap, pattern, failure);
        }
        return r;
}

/*
 * A credential in a remote's URL: the URL as it is written is replaced with one without it.  The
 * longest match of insteadOf wins, so this one does, and a pushurl and the remote's refspecs stay
 * as they are.
 */
static int clean_url(struct wrap *wrap, const struct remote_url *item, const struct url *url,
                     struct failure *failure) {
        char clean[URL_MAX];
        int r;

        url_without_user(url, clean);
        r = add_for(wrap, "url", clean, "insteadOf", item->written, failure);
        if (r == 0)
                r = add_for(wrap, "url", clean, "pushInsteadOf", item->written, failure);
        return r;
}

static int clear_remotes(struct wrap *wrap, struct failure *failure) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < wrap->urls.count; i++) {
                const struct remote_url *item = &wrap->urls.items[i];
                struct url url;

                if (!url_parse(item->resolved, &url) || !is_ours(wrap, &url))
                        continue;
                r = clear_url(wrap, &url, failure);
                if (r == 0 && url.has_password)
                        r = clean_url(wrap, item, &url, failure);
        }
        return r;
}

static int refuse(const char *url, const struct git_identity *identity, struct failure *failure) {
        char says[900], place[200];
        struct url parsed;
        int r;

        (void)url_parse(url, &parsed);
        (void)text_clean(place, sizeof(place), parsed.host, parsed.host_length);
        git_identity_says(identity, says, sizeof(says));
        r = failure_set(failure, EXIT_UNMET, "git would not use the broker's token for %s but %s",
                        place, says);
        (void)snprintf(failure->code, sizeof(failure->code), "%s",
                       diagnosis_info(DIAG_FORGE_IDENTITY_HIJACKED)->name);
        failure_remedy_set(failure, "Remove that: it is stronger than what this command can set.");
        return r;
}

/* git hands what worked to every helper, and one that stores it would put the token into a file. */
static int refuse_follower(struct failure *failure) {
        int r =
            failure_set(failure, EXIT_UNMET,
                        "git would give the token to another credential helper, which may keep it");

        failure_remedy_set(
            failure,
            "Leave 'credential.helper' out of git's command line and of GIT_CONFIG_PARAMETERS.");
        return r;
}

/* What the settings could not take out of the way: -c on git's own command line, ~/.netrc.  Better
 * no push than one as another. */
static int verify(struct wrap *wrap, char *const words[], struct failure *failure) {
        _cleanup_(git_remotes_done) struct remote_urls urls = { 0 };
        struct git git = wrap->git;
        int r;

        git.variables = wrap->settings.variables;
        git.variable_count = wrap->settings.variable_count;
        r = git_remotes_read(&git, words, &urls, failure);
        for (size_t i = 0; r == 0 && i < urls.count; i++) {
                struct git_identity identity;
                struct url url;

                if (!url_parse(urls.items[i].resolved, &url) || !is_ours(wrap, &url))
                        continue;
                r = git_identity(&git, urls.items[i].resolved, &identity, failure);
                if (r == 0 && git_identity_is_hijacked(&identity))
                        r = refuse(urls.items[i].resolved, &identity, failure);
                else if (r == 0 && identity.is_followed)
                        r = refuse_follower(failure);
        }
        return r;
}

static int prepare(struct wrap *wrap, const struct arguments *arguments, int report,
                   struct failure *failure) {
        char *const *words = arguments->rest + wrap->git.leading_count;
        char number[16];
        int r;

        r = git_settings_begin(&wrap->settings, failure);
        if (r == 0)
                r = git_remotes_read(&wrap->git, words, &wrap->urls, failure);
        if (r == 0)
                r = set_helper(wrap, arguments, failure);
        if (r == 0)
                r = clear_forges(wrap, failure);
        if (r == 0)
                r = clear_remotes(wrap, failure);
        if (r == 0)
                r = clear_headers(wrap, failure);
        if (r == 0)
                r = clear_submodule_headers(wrap, failure);
        (void)snprintf(number, sizeof(number), "%d", report);
        if (r == 0)
                r = git_settings_set(&wrap->settings, GIT_REPORT_VARIABLE, number, failure);
        if (r == 0)
                r = git_settings_end(&wrap->settings, failure);
        return r < 0 ? r : verify(wrap, words, failure);
}

/* The evidence, once for each token. */
static void print_evidence(const struct git_report *report) {
        for (size_t i = 0; i < report->count; i++) {
                size_t earlier = 0;

                while (earlier < i &&
                       strcmp(report->answers[earlier].evidence, report->answers[i].evidence) != 0)
                        earlier++;
                if (earlier == i)
                        output_note("%s", report->answers[i].evidence);
        }
}

static int run(struct wrap *wrap, const struct arguments *arguments, struct failure *failure) {
        _cleanup_(closep) int reader = -1, writer = -1;
        char *argv[GIT_WORDS_MAX * 16];
        struct git_report report;
        size_t count = 0;
        int ends[2], r;

        /* The helper writes to it, four processes further down: not closed on exec. */
        if (pipe2(ends, O_NONBLOCK) < 0)
                return failure_set(failure, EXIT_CANNOT_RUN, "cannot make a pipe: %s",
                                   strerror(errno));
        reader = ends[0];
        writer = ends[1];
        (void)fcntl(reader, F_SETFD, FD_CLOEXEC);
        r = prepare(wrap, arguments, writer, failure);
        if (r < 0)
                return r;
        argv[count++] = (char *)(uintptr_t) "git";
        for (char *const *word = arguments->rest; *word; word++) {
                if (count == ELEMENTS(argv) - 1)
                        return failure_set(failure, EXIT_USAGE, "git gets more than %zu words",
                                           ELEMENTS(argv) - 2);
                argv[count++] = *word;
        }
        argv[count] = NULL;
        r = child_run(arguments->inherited, argv, wrap->settings.variables,
                      wrap->settings.variable_count, failure);
        if (r < 0)
                return r;
        git_report_read(reader, &report);
        if (!arguments->quiet)
                print_evidence(&report);
        if (r != 0)
                git_explain(arguments, &wrap->git, arguments->rest + wrap->git.leading_count,
                            &wrap->urls, &wrap->tokens, &report);
        return COMMAND_CHILD + r;
}

int command_git(struct arguments *arguments, char **argv, struct failure *failure) {
        _cleanup_(wrap_done) struct wrap wrap = { 0 };
        static const struct option options[] = { { 0 } };
        struct client client;
        int r;

        arguments->takes_rest = true;
        r = arguments_parse(arguments, "git", argv, options, /* only_leading= */ false, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        if (!arguments->rest || !arguments->rest[0]) {
                r = failure_set(failure, EXIT_USAGE,
                                "what is git to do? Its words stand behind '--'");
                failure_remedy_set(failure, "forge-broker git -- push origin v1.2.3");
                return r;
        }
        /* Not FORGE_BROKER_TOKEN: without a name each URL gets its own forge's token, submodules
         * too. */
        if (arguments->count > 0) {
                r = arguments_name(arguments, "git", &wrap.named, failure);
                if (r < 0)
                        return r;
        }
        wrap.git = (struct git){ .inherited = arguments->inherited,
                                 .leading = arguments->rest,
                                 .leading_count = git_leading_count(arguments->rest) };
        client_init(&client, arguments->socket, arguments->timeout);
        r = read_tokens(&wrap, &client, failure);
        return r < 0 ? r : run(&wrap, arguments, failure);
}
