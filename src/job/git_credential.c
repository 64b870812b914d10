#include "job/commands.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "job/base64.h"
#include "job/credential_request.h"
#include "job/git_report.h"
#include "job/issuance.h"
#include "job/match.h"
#include "job/output.h"
#include "job/rejection.h"
#include "job/token_list.h"
#include "job/url.h"

/* Shorter than this, a value's next refresh says nothing about the value. */
#define EXPIRY_LEAST 30

/* A token that was named is for its own forge alone: whatever else git asks for gets nothing. */
static int check_named(const struct client *client, const char *name,
                       const struct credential_request *request, struct match *ret,
                       struct failure *failure) {
        _cleanup_(token_list_done) struct token_list list = { 0 };
        struct token_item item;
        struct json position;
        int r;

        r = token_list_get(client, &list, failure);
        if (r == 0)
                r = token_list_find(&list, name, &position, &item, failure);
        if (r < 0)
                return r;
        if (!url_is_on(item.forge_url, request->protocol, request->host, request->path))
                return MATCH_NONE;
        (void)text_clean(ret->name, sizeof(ret->name), name, strlen(name));
        return MATCH_FOUND;
}

static int find_token(const struct client *client, const char *named,
                      const struct credential_request *request, struct match *ret,
                      struct failure *failure) {
        if (strcmp(request->protocol, "https") != 0 && strcmp(request->protocol, "http") != 0)
                return MATCH_NONE;
        if (!request->host[0])
                return MATCH_NONE;
        if (named)
                return check_named(client, named, request, ret, failure);
        return match_url(client, request->protocol, request->host, request->path, ret, failure);
}

static bool append(struct locked_buffer *buffer, const char *text) {
        return locked_buffer_append(buffer, text, strlen(text));
}

/* "user:value" in base64; never stored by another helper, which a password would be. */
static bool append_credential(struct locked_buffer *reply, const struct issuance *issuance) {
        _cleanup_(locked_buffer_done) struct locked_buffer pair = { 0 };

        return append(&pair, issuance->username) && append(&pair, ":") &&
               locked_buffer_append(&pair, issuance->token.bytes, issuance->token.used) &&
               append(reply, "capability[]=authtype\nauthtype=Basic\nephemeral=1\ncredential=") &&
               base64_append(reply, pair.bytes, pair.used);
}

static bool append_password(struct locked_buffer *reply, const struct issuance *issuance) {
        return append(reply, "username=") && append(reply, issuance->username) &&
               append(reply, "\npassword=") &&
               locked_buffer_append(reply, issuance->token.bytes, issuance->token.used);
}

/* Until the broker looks for a newer value: other helpers that keep passwords then ask again.
 * Older gits ignore it. */
static bool append_expiry(struct locked_buffer *reply, const struct issuance *issuance) {
        char at[32], line[64] = "";
        struct tm tm = { 0 };
        size_t used = 0;
        time_t expiry;

        if (!json_text(issuance->json, "refresh_at", at, sizeof(at)) ||
            !strptime(at, "%Y-%m-%dT%H:%M:%SZ", &tm))
                return true;
        expiry = timegm(&tm);
        if (expiry < time(NULL) + EXPIRY_LEAST)
                return true;
        (void)text_append(line, sizeof(line), &used, "\npassword_expiry_utc=%lld",
                          (long long)expiry);
        return append(reply, line);
}

/* For `forge-broker git`, which says it when git is done. */
static void report(const struct issuance *issuance, const struct credential_request *request) {
        char line[MARKER_LINE_MAX] = "", url[URL_MAX];

        marker_line(&issuance->marker, issuance->name, line);
        (void)snprintf(url, sizeof(url), "%s://%s/%s", request->protocol, request->host,
                       request->path);
        git_report_write(issuance->name, url, line);
}

static int give(const struct arguments *arguments, const struct client *client,
                const struct credential_request *request, const char *name,
                struct failure *failure) {
        _cleanup_(issuance_done) struct issuance issuance = { 0 };
        _cleanup_(locked_buffer_done) struct locked_buffer reply = { 0 };
        bool good;
        int r;

        r = issuance_get(client, name, &issuance, failure);
        if (r < 0)
                return r;
        if (!issuance.username[0])
                return failure_set(failure, EXIT_UNREACHABLE,
                                   "the broker's answer has no user name for '%s'", name);
        good = request->knows_authtype ? append_credential(&reply, &issuance)
                                       : append_password(&reply, &issuance);
        if (!good || !append_expiry(&reply, &issuance))
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        if (!arguments->quiet && strcmp(issuance.marker.freshness, "fresh") != 0)
                issuance_note(&issuance);
        report(&issuance, request);
        return output_line(reply.bytes, reply.used, failure);
}

/* git would go on to the next helper and then prompt: a job is better told at once. */
static int quit(int r) {
        struct failure unused;

        (void)output_text("quit=1\n", &unused);
        return r;
}

static int get(const struct arguments *arguments, const struct client *client,
               const struct credential_request *request, const char *named,
               struct failure *failure) {
        struct match match;
        int r;

        r = find_token(client, named, request, &match, failure);
        if (r == MATCH_NONE)
                return 0;
        if (r == MATCH_FOUND)
                r = give(arguments, client, request, match.name, failure);
        return r < 0 ? quit(r) : 0;
}

/* In a time that does not depend on where they differ. */
static bool is_equal(const char *a, size_t a_length, const char *b, size_t b_length) {
        unsigned char difference = 0;

        if (a_length != b_length)
                return false;
        for (size_t i = 0; i < a_length; i++)
                difference |= (unsigned char)(a[i] ^ b[i]);
        return difference == 0;
}

static bool is_issued(const struct credential_request *request, const struct issuance *issuance) {
        _cleanup_(locked_buffer_done) struct locked_buffer reply = { 0 };
        const char *credential;

        if (request->password)
                return is_equal(request->password, request->password_length, issuance->token.bytes,
                                issuance->token.used);
        if (!append_credential(&reply, issuance) || !locked_buffer_append(&reply, "", 1))
                return false;
        credential = strrchr(reply.bytes, '\n') + strlen("\ncredential=");
        return is_equal(request->credential, request->credential_length, credential,
                        strlen(credential));
}

/*
 * git says that a credential was rejected.  That may be one which it never sent: with
 * http.extraheader in force, or with a credential in the remote's URL, the helper's is named all
 * the same.  So it is compared, and then the broker asks the forge.
 */
static int erase(const struct client *client, const struct credential_request *request,
                 const char *named, struct failure *failure) {
        _cleanup_(issuance_done) struct issuance issuance = { 0 };
        struct rejection rejection;
        struct match match;
        int r;

        if (!request->password && !request->credential)
                return 0;
        r = find_token(client, named, request, &match, failure);
        if (r != MATCH_FOUND)
                return r == MATCH_NONE ? 0 : r;
        r = issuance_get(client, match.name, &issuance, failure);
        if (r < 0)
                return r;
        if (!is_issued(request, &issuance)) {
                output_note("%s: %s refused a credential that is not the broker's: 'forge-broker "
                            "git-check' says which is "
                            "sent, for example from the remote's URL",
                            match.name, request->host);
                return 0;
        }
        r = rejection_report(client, match.name, issuance.marker.fingerprint, &rejection, failure);
        if (r == 0)
                rejection_note(&rejection, match.name);
        return r;
}

/* The action is the last word; those that this helper does not know are none of its business. */
static int run(const struct arguments *arguments, const char *named, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer input = { 0 };
        const char *action = arguments->words[arguments->count - 1];
        struct credential_request request;
        struct client client;
        int r;

        if (strcmp(action, "capability") == 0)
                return output_text("version 0\ncapability authtype\n", failure);
        if (strcmp(action, "get") != 0 && strcmp(action, "erase") != 0)
                return 0;
        r = credential_request_read(&input, &request, failure);
        if (r < 0)
                return r;
        client_init(&client, arguments->socket, arguments->timeout);
        if (strcmp(action, "erase") == 0)
                return erase(&client, &request, named, failure);
        return get(arguments, &client, &request, named, failure);
}

int command_git_credential(struct arguments *arguments, char **argv, struct failure *failure) {
        const char *named = NULL;
        const struct option options[] = { { .name = "--token", .text = &named }, { 0 } };
        int r;

        r = arguments_parse(arguments, "git-credential", argv, options, /* only_leading= */ false,
                            failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        if (arguments->count == 0)
                return failure_set(failure, EXIT_USAGE,
                                   "which action? git calls this with get, store or erase");
        if (named && !text_is_name(named))
                return failure_set(failure, EXIT_USAGE, "'%.80s' cannot be a token's name", named);
        return run(arguments, named, failure);
}
