#include "job/git_identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "job/base64.h"
#include "job/netrc.h"
#include "job/url.h"

static void set_text(char *buffer, size_t size, const char *text) {
        (void)text_clean(buffer, size, text, strlen(text));
}

/* Forges take a token in the user's place too: what could be one is not shown. */
static bool may_be_token(const char *user) {
        static const char *const prefixes[] = { "ghp_", "gho_",        "ghu_",  "ghs_",
                                                "ghr_", "github_pat_", "glpat-" };

        for (size_t i = 0; i < ELEMENTS(prefixes); i++)
                if (text_starts_with(user, prefixes[i]))
                        return true;
        return strlen(user) >= 20 && !strchr(user, '@') &&
               strcspn(user, "0123456789") < strlen(user);
}

static void set_user(struct git_identity *ret, const char *user) {
        if (may_be_token(user))
                (void)snprintf(ret->who, sizeof(ret->who), "a token in place of a user");
        else
                (void)snprintf(ret->who, sizeof(ret->who), "user '%.128s'", user);
}

/* The user part of "basic dXNlcjpwYXNz", and nothing behind the colon. */
static void describe_header(const char *value, struct git_identity *ret) {
        const char *scheme = strchr(value, ':') + 1;
        char user[128];

        scheme += strspn(scheme, " \t");
        if (strncasecmp(scheme, "basic ", 6) == 0 && base64_user(scheme + 6, user, sizeof(user)))
                set_user(ret, user);
        else if (strncasecmp(scheme, "basic", 5) == 0)
                (void)snprintf(ret->who, sizeof(ret->who), "a user that cannot be read");
        else if (strncasecmp(scheme, "bearer", 6) == 0 || strncasecmp(scheme, "token", 5) == 0)
                (void)snprintf(ret->who, sizeof(ret->who), "a bearer token");
        else
                (void)snprintf(ret->who, sizeof(ret->who), "an unknown scheme");
}

static bool is_authorization(const char *header) {
        static const char name[] = "authorization";

        header += strspn(header, " \t");
        return strncasecmp(header, name, sizeof(name) - 1) == 0 && strchr(header, ':');
}

/* True if git would read this entry for the URL. */
static bool is_for(const struct git *git, const struct git_entry *entry, const char *url) {
        char pattern[GIT_KEY_MAX];

        git_entry_pattern(entry, pattern);
        return !pattern[0] || git_applies(git, pattern, url);
}

static void set_place(const struct git *git, const struct git_entry *entry,
                      struct git_identity *ret) {
        char place[sizeof(ret->place)];

        git_entry_place(git, entry, place, sizeof(place));
        set_text(ret->place, sizeof(ret->place), place);
}

/* The last header that is left when git has read all entries for the URL: an empty value empties
 * the list. */
static int find_header(const struct git *git, const char *url, struct git_identity *ret,
                       struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        struct git_entry entry;
        size_t position = 0;
        int r;

        r = git_entries(git, "^http\\.(.*\\.)?extraheader$", &answer, failure);
        if (r < 0)
                return r;
        while (git_entry_next(&answer, &position, &entry)) {
                if (!is_for(git, &entry, url))
                        continue;
                if (entry.value[0] == '\0') {
                        ret->kind = IDENTITY_NONE;
                } else if (is_authorization(entry.value)) {
                        ret->kind = IDENTITY_HEADER;
                        describe_header(entry.value, ret);
                        set_place(git, &entry, ret);
                }
        }
        return 0;
}

/* Where "user:password@" was written: a remote's URL, or the URL that another one is replaced
 * with. */
static int find_url_place(const struct git *git, const struct url *url, struct git_identity *ret,
                          struct failure *failure) {
        static const char wanted[] =
            "^(remote\\..*\\.(url|pushurl)|url\\..*\\.(insteadof|pushinsteadof))$";
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        struct git_entry entry;
        size_t position = 0;
        int r;

        r = git_entries(git, wanted, &answer, failure);
        if (r < 0)
                return r;
        while (git_entry_next(&answer, &position, &entry)) {
                const char *where = text_starts_with(entry.key, "url.") ? entry.key : entry.value;

                /* The key of a section is not on the line of its entry: the value is what is
                 * searched for there. */
                if (memmem(where, strlen(where), url->user, url->user_length + 1))
                        set_place(git, &entry, ret);
        }
        return 0;
}

static int set_url(const struct git *git, const struct url *url, struct git_identity *ret,
                   struct failure *failure) {
        char user[128];
        size_t length =
            (size_t)((const char *)memchr(url->user, ':', url->user_length) - url->user);

        ret->kind = IDENTITY_URL;
        set_user(ret, text_clean(user, sizeof(user), url->user, length));
        (void)snprintf(ret->place, sizeof(ret->place), "the URL given on the command line");
        return find_url_place(git, url, ret, failure);
}

static bool is_ours(const char *helper) {
        return strcmp(helper, "forge-broker") == 0 ||
               strstr(helper, "git-credential-forge-broker") ||
               (strstr(helper, "forge-broker") && strstr(helper, "git-credential"));
}

/* The helper that is asked first: those of all entries for the URL, in order, since the last empty
 * one. */
static int find_helper(const struct git *git, const char *url, struct git_identity *ret,
                       struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        struct git_entry entry;
        size_t position = 0;
        bool found = false;
        int r;

        r = git_entries(git, "^credential\\.(.*\\.)?helper$", &answer, failure);
        if (r < 0)
                return r;
        while (git_entry_next(&answer, &position, &entry)) {
                char helper[100];

                if (!is_for(git, &entry, url))
                        continue;
                if (entry.value[0] == '\0') {
                        found = ret->is_followed = false;
                        ret->kind = IDENTITY_NONE;
                }
                if (found && ret->kind == IDENTITY_BROKER && !is_ours(entry.value))
                        ret->is_followed = true;
                if (entry.value[0] == '\0' || found)
                        continue;
                found = true;
                ret->kind = is_ours(entry.value) ? IDENTITY_BROKER : IDENTITY_HELPER;
                /* The program's name alone: people have put passwords into "!" helpers. */
                (void)snprintf(
                    ret->who, sizeof(ret->who), "'%s'",
                    text_clean(helper, sizeof(helper), entry.value, strcspn(entry.value, " \t")));
                if (entry.value[0] == '!')
                        (void)snprintf(ret->who, sizeof(ret->who), "a shell command");
                set_place(git, &entry, ret);
        }
        return 0;
}

/* The last entry for the URL decides. */
static int find_cookies(const struct git *git, const char *url, struct git_identity *ret,
                        struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        struct git_entry entry;
        size_t position = 0;
        int r;

        r = git_entries(git, "^http\\.(.*\\.)?cookiefile$", &answer, failure);
        while (r == 0 && git_entry_next(&answer, &position, &entry)) {
                if (!is_for(git, &entry, url))
                        continue;
                ret->kind = entry.value[0] ? IDENTITY_COOKIE : IDENTITY_NONE;
                set_place(git, &entry, ret);
        }
        if (ret->kind == IDENTITY_NONE)
                ret->place[0] = '\0';
        return r;
}

static void find_netrc(const struct url *url, struct git_identity *ret) {
        struct netrc_entry entry;
        char host[URL_MAX];

        (void)snprintf(host, sizeof(host), "%.*s", (int)strcspn(url->host, ":/?#"), url->host);
        if (!netrc_find(host, &entry))
                return;
        ret->kind = IDENTITY_NETRC;
        set_user(ret, entry.login);
        (void)snprintf(ret->place, sizeof(ret->place), "%s:%u", entry.path, entry.line);
}

int git_identity(const struct git *git, const char *text, struct git_identity *ret,
                 struct failure *failure) {
        struct url url;
        int r;

        *ret = (struct git_identity){ .kind = IDENTITY_NONE };
        if (!url_parse(text, &url)) {
                ret->kind = IDENTITY_OTHER;
                return 0;
        }
        r = find_header(git, text, ret, failure);
        if (r < 0 || ret->kind == IDENTITY_HEADER)
                return r;
        if (url.has_password)
                return set_url(git, &url, ret, failure);
        find_netrc(&url, ret);
        if (ret->kind == IDENTITY_NETRC)
                return 0;
        r = find_cookies(git, text, ret, failure);
        if (r < 0 || ret->kind == IDENTITY_COOKIE)
                return r;
        return find_helper(git, text, ret, failure);
}

bool git_identity_is_hijacked(const struct git_identity *identity) {
        return identity->kind == IDENTITY_HEADER || identity->kind == IDENTITY_URL ||
               identity->kind == IDENTITY_NETRC || identity->kind == IDENTITY_HELPER;
}

void git_identity_says(const struct git_identity *identity, char *buffer, size_t size) {
        static const char *const what[] = {
                [IDENTITY_BROKER] = "the broker's helper",
                [IDENTITY_HEADER] = "an Authorization header (http.extraheader)",
                [IDENTITY_URL] = "a credential in the URL",
                [IDENTITY_NETRC] = "a credential in netrc",
                [IDENTITY_COOKIE] = "perhaps the cookies of http.cookieFile",
                [IDENTITY_HELPER] = "another credential helper",
                [IDENTITY_NONE] = "no credential",
                [IDENTITY_OTHER] = "no token at all: this is not http",
        };
        size_t used = 0;

        buffer[0] = '\0';
        (void)text_append(buffer, size, &used, "%s", what[identity->kind]);
        if (identity->who[0] && identity->kind != IDENTITY_BROKER)
                (void)text_append(buffer, size, &used, ": %s", identity->who);
        if (identity->place[0])
                (void)text_append(buffer, size, &used, ", from %s", identity->place);
}
