#include "forge/adapter.h"

#include <openssl/evp.h>
#include <string.h>

const struct forge_adapter *forge_adapter_find(enum forge_type type) {
        switch (type) {
        case FORGE_FORGEJO:
        case FORGE_GITEA:
                return &forge_adapter_forgejo;
        case FORGE_GITHUB:
                return &forge_adapter_github;
        case FORGE_GITLAB:
                return &forge_adapter_gitlab;
        default:
                return NULL;
        }
}

int forge_cannot_be_asked(const struct forge_config *forge, struct error *err) {
        (void)error_set(err, DIAG_FORGE_CANNOT_TELL,
                        "forge '%s' is of type 'other', which cannot be asked about a token",
                        forge->name);
        error_remedy_set(
            err, "If it is a Forgejo, Gitea, GitHub or GitLab, set type of [forge %s] to that.",
            forge->name);
        return -(int)DIAG_FORGE_CANNOT_TELL;
}

struct secret *forge_authorization(const char *scheme, const struct secret *token) {
        size_t length = strlen(scheme);
        _cleanup_(secret_unrefp) struct secret *value =
            secret_new(length + 1 + secret_length(token));

        if (!value || !secret_append(value, scheme, length) || !secret_append(value, " ", 1) ||
            !secret_append(value, secret_bytes(token), secret_length(token)))
                return NULL;
        return take(value);
}

struct secret *forge_authorization_basic(const char *username, const struct secret *token) {
        size_t length = strlen(username), pair_length = length + 1 + secret_length(token);
        _cleanup_(secret_unrefp) struct secret *pair = secret_new(pair_length), *value = NULL;
        /* EVP_EncodeBlock writes a NUL behind its four characters for three bytes. */
        size_t encoded = 4 * ((pair_length + 2) / 3), scheme = strlen("Basic ");
        char zero[64] = "";

        if (!pair || !secret_append(pair, username, length) || !secret_append(pair, ":", 1) ||
            !secret_append(pair, secret_bytes(token), secret_length(token)))
                return NULL;
        value = secret_new(scheme + encoded + 1);
        if (!value || !secret_append(value, "Basic ", scheme))
                return NULL;
        while (secret_length(value) < scheme + encoded + 1) {
                size_t left = scheme + encoded + 1 - secret_length(value);

                if (!secret_append(value, zero, left < sizeof(zero) ? left : sizeof(zero)))
                        return NULL;
        }
        (void)EVP_EncodeBlock((unsigned char *)secret_buffer(value) + scheme,
                              (const unsigned char *)secret_bytes(pair), (int)pair_length);
        secret_truncate(value, scheme + encoded);
        return take(value);
}
