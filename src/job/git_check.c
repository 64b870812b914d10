#include "job/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "job/git_identity.h"
#include "job/git_remotes.h"
#include "job/match.h"
#include "job/output.h"
#include "job/url.h"

/* Which of the broker's tokens is for the URL; unreadable answers are said and do not change the
 * verdict on git. */
static void name_token(const struct arguments *arguments, const struct url *url, char *buffer,
                       size_t size) {
        char protocol[8], host[URL_MAX];
        struct failure failure;
        struct client client;
        struct match match;
        size_t used = 0;
        int r;

        (void)snprintf(protocol, sizeof(protocol), "%.*s", (int)url->scheme_length, url->text);
        (void)snprintf(host, sizeof(host), "%.*s", (int)url->host_length, url->host);
        client_init(&client, arguments->socket, arguments->timeout);
        r = match_url(&client, protocol, host, url->path[0] == '/' ? url->path + 1 : url->path,
                      &match, &failure);
        buffer[0] = '\0';
        if (r == MATCH_FOUND)
                (void)text_append(buffer, size, &used, "the broker's token for it is '%s'",
                                  match.name);
        else if (r == MATCH_NONE)
                (void)text_append(buffer, size, &used, "the broker has no token for it");
        else
                (void)text_append(buffer, size, &used, "the broker's token for it: %s",
                                  failure.detail);
}

static int print(const char *target, const char *says, const char *token, struct failure *failure) {
        char text[2048] = "";
        size_t used = 0;

        (void)text_append(text, sizeof(text), &used, "%s: git uses %s%s%s\n", target, says,
                          token[0] ? "; " : "", token);
        return output_text(text, failure);
}

static int hijacked(const struct git_identity *identity, struct failure *failure) {
        int r = failure_set(failure, EXIT_UNMET, "plain git does not use the broker's token here");

        (void)snprintf(failure->code, sizeof(failure->code), "%s",
                       diagnosis_info(DIAG_FORGE_IDENTITY_HIJACKED)->name);
        if (identity->kind == IDENTITY_HEADER)
                failure_remedy_set(
                    failure,
                    "Run 'forge-broker git -- push ...', or check out with 'persist-credentials: "
                    "false'.");
        else if (identity->kind == IDENTITY_NETRC)
                failure_remedy_set(failure,
                                   "Remove that entry: libcurl sends it before git asks anybody.");
        else
                failure_remedy_set(
                    failure, "Run 'forge-broker git -- push ...', or take that credential out.");
        return r;
}

static int judge(const struct git_identity *identity, struct failure *failure) {
        int r;

        if (identity->kind == IDENTITY_BROKER) {
                if (identity->is_followed)
                        output_note("a helper behind the broker's gets the token from git, and may "
                                    "keep it: take it out, or use "
                                    "'forge-broker git'");
                return 0;
        }
        if (identity->kind == IDENTITY_NONE) {
                r = failure_set(failure, EXIT_UNMET,
                                "git has no credential for this, and would ask for one");
                failure_remedy_set(failure,
                                   "Run 'forge-broker git -- push ...', or 'git config --global "
                                   "credential.helper forge-broker'.");
                return r;
        }
        if (git_identity_is_hijacked(identity))
                return hijacked(identity, failure);
        r = failure_set(failure, EXIT_CANNOT_TELL,
                        "whether a credential is sent cannot be told from here");
        failure_remedy_set(
            failure, identity->kind == IDENTITY_OTHER
                         ? "Tokens are for https:// remotes; this one authenticates in its own way."
                         : "Empty http.cookieFile for this URL, or run 'forge-broker git -- push "
                           "...', which does.");
        return r;
}

static int check(const struct arguments *arguments, const struct git *git, const char *remote,
                 struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        char target[URL_MAX], clean[512], says[900], token[700] = "";
        struct git_identity identity;
        const char *text;
        struct url url;
        int r;

        r = git_remote_find(git, remote, &answer, &text, failure);
        if (r == 0)
                r = git_identity(git, text, &identity, failure);
        if (r < 0)
                return r;
        if (url_parse(text, &url)) {
                url_without_user(&url, target);
                name_token(arguments, &url, token, sizeof(token));
        } else {
                (void)snprintf(target, sizeof(target), "%.*s", (int)sizeof(target) - 1, text);
        }
        git_identity_says(&identity, says, sizeof(says));
        r = print(text_clean(clean, sizeof(clean), target, strlen(target)), says, token, failure);
        return r < 0 ? r : judge(&identity, failure);
}

int command_git_check(struct arguments *arguments, char **argv, struct failure *failure) {
        const char *directory = NULL;
        const struct option options[] = { { .name = "-C", .text = &directory }, { 0 } };
        char *leading[2] = { (char *)(uintptr_t) "-C", NULL };
        struct git git;
        int r;

        r = arguments_parse(arguments, "git-check", argv, options, /* only_leading= */ false,
                            failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        if (arguments->count > 1)
                return failure_set(failure, EXIT_USAGE, "one remote is enough, '%s' is too much",
                                   arguments->words[1]);
        leading[1] = (char *)(uintptr_t)directory;
        git = (struct git){ .inherited = arguments->inherited,
                            .leading = leading,
                            .leading_count = directory ? 2 : 0 };
        return check(arguments, &git, arguments->count > 0 ? arguments->words[0] : NULL, failure);
}
