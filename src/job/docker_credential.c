#include "job/commands.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "job/docker_server.h"
#include "job/issuance.h"
#include "job/json_writer.h"
#include "job/match.h"
#include "job/output.h"
#include "job/registries.h"

/*
 * docker's and podman's protocol for credential helpers: an action as the one word, what it is
 * about on standard input, the answer or the error on standard output, exit status 0 or 1.  The
 * text for "not found" makes docker go on as anonymous: it is said only where the broker has no
 * token for the registry, and never when something is wrong.
 */
#define HELPER         "docker-credential-forge-broker"
#define NOT_FOUND      "credentials not found in native keychain"
#define NO_URL         "no credentials server URL"
#define INPUT_MAX      (64 * 1024) /* of "store", which is read and refused */
#define ERROR_MAX      1536
#define PROTOCOL_ERROR (COMMAND_CHILD + EXIT_UNMET) /* said already, in the protocol's way */

static int say(const char *text) {
        struct failure unused;

        (void)output_line(text, strlen(text), &unused);
        return PROTOCOL_ERROR;
}

/*
 * All of a failure in one line, as the protocol wants it, and once more on standard error: some
 * commands of docker's go on as anonymous after any error of a helper and show nothing of it but
 * what stands there.
 */
static int say_failure(const struct failure *failure) {
        char text[ERROR_MAX] = "", clean[ERROR_MAX];
        size_t used = 0;

        output_failure(failure);
        (void)text_append(text, sizeof(text), &used, "forge-broker: %s%s%s", failure->code,
                          failure->code[0] ? ": " : "", failure->detail);
        for (size_t i = 0; i < failure->line_count; i++)
                (void)text_append(text, sizeof(text), &used, "; %s", failure->lines[i]);
        if (failure->known[0])
                (void)text_append(text, sizeof(text), &used, "; known tokens: %s", failure->known);
        if (failure->remedy[0])
                (void)text_append(text, sizeof(text), &used, "; remedy: %s", failure->remedy);
        return say(text_clean(clean, sizeof(clean), text, strlen(text)));
}

/* Reads to the end; false when there is more than that, or it cannot be read. */
static bool read_input(struct locked_buffer *input) {
        if (!locked_buffer_reserve(input, INPUT_MAX))
                return false;
        for (;;) {
                ssize_t n;

                if (input->used == input->size)
                        return false;
                n = read(STDIN_FILENO, input->bytes + input->used, input->size - input->used);
                if (n == 0)
                        return true;
                if (n < 0 && errno != EINTR)
                        return false;
                input->used += n > 0 ? (size_t)n : 0;
        }
}

/* The registry on standard input, without the white space around it.  Return: 0, or what say()
 * returned. */
static int read_server(char server[static DOCKER_SERVER_MAX]) {
        _cleanup_(locked_buffer_done) struct locked_buffer input = { 0 };
        const char *why;

        if (!read_input(&input))
                return say("forge-broker: standard input cannot be read, or is too long");
        if (!docker_server_read(input.bytes, input.used, server, &why)) {
                char text[128] = "";
                size_t used = 0;

                (void)text_append(text, sizeof(text), &used, "forge-broker: %s", why);
                return say(text);
        }
        return server[0] ? 0 : say(NO_URL);
}

static bool append_member(struct locked_buffer *buffer, const char *before, const char *value,
                          size_t length) {
        return locked_buffer_append(buffer, before, strlen(before)) &&
               json_append_string(buffer, value, length);
}

static int answer(const struct arguments *arguments, const struct issuance *issuance,
                  const char *server, struct failure *failure) {
        _cleanup_(locked_buffer_done) struct locked_buffer reply = { 0 };

        if (!issuance->username[0])
                return failure_set(failure, EXIT_UNREACHABLE,
                                   "the broker's answer has no user name for '%s'", issuance->name);
        if (!append_member(&reply, "{\"ServerURL\":", server, strlen(server)) ||
            !append_member(&reply, ",\"Username\":", issuance->username,
                           strlen(issuance->username)) ||
            !append_member(&reply, ",\"Secret\":", issuance->token.bytes, issuance->token.used) ||
            !locked_buffer_append(&reply, "}", 1))
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        if (!arguments->quiet && strcmp(issuance->marker.freshness, "fresh") != 0)
                issuance_note(issuance);
        return output_line(reply.bytes, reply.used, failure);
}

static int get(const struct arguments *arguments, const struct client *client,
               struct failure *failure) {
        _cleanup_(issuance_done) struct issuance issuance = { 0 };
        char server[DOCKER_SERVER_MAX];
        struct match match;
        int r;

        r = read_server(server);
        if (r != 0)
                return r;
        r = match_registry(client, server, &match, failure);
        if (r == MATCH_NONE)
                return say(NOT_FOUND);
        if (r == MATCH_FOUND)
                r = issuance_get(client, match.name, &issuance, failure);
        if (r == 0)
                r = answer(arguments, &issuance, server, failure);
        return r < 0 ? say_failure(failure) : r;
}

/* Something may be written to us all the same: who writes must not be cut off. */
static int store(void) {
        _cleanup_(locked_buffer_done) struct locked_buffer input = { 0 };

        (void)read_input(&input);
        return say("forge-broker: nothing is stored: tokens of this registry come from the broker, "
                   "as the host's "
                   "configuration says; leave out the login");
}

/* Nothing was stored, so nothing is left of it.  A logout says nothing about the token: it is not
 * doubted for that. */
static int erase(void) {
        char server[DOCKER_SERVER_MAX];

        return read_server(server);
}

static int list(const struct client *client, struct failure *failure) {
        _cleanup_(registries_done) struct registries registries = { 0 };
        _cleanup_(locked_buffer_done) struct locked_buffer reply = { 0 };
        bool good;
        int r;

        r = registries_get(client, &registries, failure);
        if (r < 0)
                return say_failure(failure);
        good = locked_buffer_append(&reply, "{", 1);
        for (size_t i = 0; good && i < registries.count; i++) {
                char url[sizeof(registries.items[0].host) + 8] = "";
                size_t used = 0;

                (void)text_append(url, sizeof(url), &used, "https://%s", registries.items[i].host);
                good = append_member(&reply, i > 0 ? "," : "", url, used) &&
                       append_member(&reply, ":", registries.items[i].username,
                                     strlen(registries.items[i].username));
        }
        if (!good || !locked_buffer_append(&reply, "}", 1))
                return say("forge-broker: out of memory");
        return output_line(reply.bytes, reply.used, failure);
}

static int run(const struct arguments *arguments, const char *action, struct failure *failure) {
        char unknown[128] = "", clean[64];
        struct client client;
        size_t used = 0;

        client_init(&client, arguments->socket, arguments->timeout);
        if (strcmp(action, "get") == 0)
                return get(arguments, &client, failure);
        if (strcmp(action, "store") == 0)
                return store();
        if (strcmp(action, "erase") == 0)
                return erase();
        if (strcmp(action, "list") == 0)
                return list(&client, failure);
        if (strcmp(action, "version") == 0)
                return output_text(HELPER " (forge-broker) " PACKAGE_VERSION "\n", failure);
        (void)text_append(unknown, sizeof(unknown), &used, HELPER ": unknown action: %s",
                          text_clean(clean, sizeof(clean), action, strlen(action)));
        return say(unknown);
}

int command_docker_credential(struct arguments *arguments, char **argv, struct failure *failure) {
        static const struct option options[] = { { 0 } };
        int r;

        r = arguments_parse(arguments, "docker-credential", argv, options,
                            /* only_leading= */ false, failure);
        if (r < 0)
                return r;
        if (arguments->help)
                return COMMAND_HELP;
        if (arguments->count != 1)
                return failure_set(
                    failure, EXIT_USAGE,
                    "which action? docker calls this with get, store, erase, list or "
                    "version");
        return run(arguments, arguments->words[0], failure);
}
