#include "config/pasted.h"

#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define WORD_MAX_BYTES 32
/* Forgejo's and Gitea's tokens are 40 hex digits, Infisical's client secrets 64. */
#define HEX_MIN_BYTES 32

/* What the issuers put in front so that scanners find their tokens; "eyJ" begins every JWT. */
static const char *const prefixes[] = {
        "eyJ",         "ghp_",   "gho_",  "ghu_",  "ghs_",   "ghr_",
        "github_pat_", "glpat-", "gldt-", "glrt-", "glcbt-", "st."
};

bool pasted_secret(const char *text) {
        for (size_t i = 0; i < ELEMENTS(prefixes); i++)
                if (text_starts_with(text, prefixes[i]))
                        return true;
        return strlen(text) >= HEX_MIN_BYTES &&
               text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

bool pasted_may_be_quoted(const char *word) {
        return strlen(word) <= WORD_MAX_BYTES &&
               word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-")] == '\0';
}
