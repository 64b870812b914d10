/*
 * Which token is for a place that a client names.  The input is "PROTOCOL\nHOST\nPATH" or
 * "\nREGISTRY": whatever it is, the token that is found is one of the place's forge, never one of
 * https for http, and messages are clean.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "broker/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The configuration's strings are its own, so their type is not const. */
#define TEXT(literal) ((char[]){ literal })

static struct forge_config home = { .name = TEXT("home"),
                                    .type = FORGE_FORGEJO,
                                    .url = TEXT("https://git.example.org"),
                                    .registry = TEXT("git.example.org") };
static struct forge_config sub = { .name = TEXT("sub"),
                                   .type = FORGE_GITEA,
                                   .url = TEXT("https://a.example/git"),
                                   .registry = TEXT("r.example:5000") };
static struct forge_config lab = { .name = TEXT("lab"),
                                   .type = FORGE_GITLAB,
                                   .url = TEXT("http://127.0.0.1:80"),
                                   .registry = TEXT("127.0.0.1:443") };
static char *all[] = { NULL }, *some[] = { TEXT("platform/*"), TEXT("a?b*c/*d"), NULL },
            *one[] = { TEXT("platform/site"), NULL };
static struct token_config tokens[] = {
        { .name = TEXT("deploy"), .forge = &home, .targets = all },
        { .name = TEXT("platform"), .forge = &home, .targets = some },
        { .name = TEXT("site"), .forge = &home, .targets = one },
        { .name = TEXT("sub"), .forge = &sub, .targets = some },
        { .name = TEXT("lab"), .forge = &lab, .targets = all },
};

static void check_text(const char *text, size_t size) {
        char clean[512];

        assert(strlen(text) < size);
        assert(strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static struct forge_config *forges[] = { &home, &sub, &lab };
        static struct token_config *list[] = { &tokens[0], &tokens[1], &tokens[2], &tokens[3],
                                               &tokens[4] };
        const struct config config = { .forges = forges,
                                       .n_forges = ELEMENTS(forges),
                                       .tokens = list,
                                       .n_tokens = ELEMENTS(list) };
        struct match_query query = { 0 };
        const struct token_config *token = NULL;
        char text[4096], *host, *path;
        struct error err = { 0 };
        int r;

        if (size >= sizeof(text) || memchr(data, '\0', size))
                return 0;
        memcpy(text, data, size);
        text[size] = '\0';
        host = strchr(text, '\n');
        if (!host)
                return 0;
        *host++ = '\0';
        path = strchr(host, '\n');
        if (path)
                *path++ = '\0';
        if (*text)
                query = (struct match_query){ .protocol = text, .host = host, .path = path };
        else
                query.registry = host;

        r = match_token(&config, &query, &token, &err);
        assert((r == 0) == (token != NULL));
        if (r == 0) {
                bool plaintext = query.registry ? strncasecmp(query.registry, "http://", 7) == 0
                                                : strcasecmp(query.protocol, "http") == 0;

                assert(query.registry || plaintext == (token->forge == &lab));
                assert(!plaintext || token->forge == &lab);
                return 0;
        }
        assert(r == -(int)err.code);
        assert(err.code == DIAG_UNKNOWN_TOKEN || err.code == DIAG_MALFORMED_REQUEST ||
               err.code == DIAG_NO_USABLE_VALUE);
        check_text(err.detail, sizeof(err.detail));
        check_text(error_remedy(&err), sizeof(err.remedy));
        return 0;
}
