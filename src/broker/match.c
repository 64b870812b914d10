#include "broker/match.h"

#include <string.h>
#include <strings.h>

#include "base/glob.h"
#include "base/text.h"
#include "config/url.h"

/* A repository's path, groups of groups included; GitLab allows 20 levels. */
#define PATH_MAX_BYTES 1024

#define PLACE_SHOWN_MAX 96

/* A place in the forms that are compared: the origin as url_normalise() has it, without a port
 * that goes without saying. */
struct place {
        char *origin;     /* "https://git.example.org:8443" */
        const char *path; /* without slashes at its ends; "" if it is not known */
        size_t path_length;
        bool is_registry;
};

/* How well a token fits; the best one wins. */
enum { FITS_NOT = -1, FITS_UNKNOWN_PATH = 0, FITS_WHOLE_FORGE = 1, FITS_PATTERN = 2 };

static const char *shown(char buffer[static PLACE_SHOWN_MAX], const char *text) {
        return text_clean(buffer, PLACE_SHOWN_MAX, text, strlen(text));
}

static int set_path(struct place *place, const char *path, struct error *err) {
        size_t length;

        while (*path == '/')
                path++;
        length = strlen(path);
        while (length > 0 && path[length - 1] == '/')
                length--;
        if (length > PATH_MAX_BYTES)
                return error_set(err, DIAG_MALFORMED_REQUEST, "the path is longer than %d bytes",
                                 PATH_MAX_BYTES);
        for (size_t i = 0; i < length; i++) {
                size_t segment = strcspn(path + i, "/");

                if (segment == 0 ||
                    (path[i] == '.' && (segment == 1 || (segment == 2 && path[i + 1] == '.'))))
                        return error_set(err, DIAG_MALFORMED_REQUEST,
                                         "the path has empty, '.' or '..' segments");
                i += segment;
        }
        place->path = path;
        place->path_length = length;
        return 0;
}

/* Return: 0, or the negated diagnosis; the origin is the caller's to free either way. */
static int set_origin(struct place *place, const char *scheme, const char *host, size_t host_bytes,
                      struct error *err) {
        _cleanup_(freep) char *url = NULL;
        const char *why = NULL;

        if (asprintf(&url, "%s://%.*s", scheme, (int)host_bytes, host) < 0) {
                url = NULL;
                return error_oom(err);
        }
        if (!url_normalise(url, /* with_path= */ false, &place->origin, &why))
                return error_set(err, DIAG_MALFORMED_REQUEST, "what is asked for %s", why);
        place->origin[url_origin_length(place->origin)] = '\0';
        return 0;
}

static int no_such_place(const struct config *config, const char *place, struct error *err) {
        char text[PLACE_SHOWN_MAX];
        size_t used;

        (void)error_set(err, DIAG_UNKNOWN_TOKEN,
                        "no token is for %s; there are some for:", shown(text, place));
        used = strlen(err->detail);
        for (size_t i = 0; i < config->n_forges; i++) {
                const struct forge_config *forge = config->forges[i];
                size_t room =
                    strlen(forge->url) + (forge->registry ? strlen(forge->registry) + 12 : 0) + 24;

                if (used + room > sizeof(err->detail)) {
                        (void)text_append(err->detail, sizeof(err->detail), &used,
                                          " ... (%zu in all)", config->n_forges);
                        break;
                }
                (void)text_append(err->detail, sizeof(err->detail), &used, " %s", forge->url);
                if (forge->registry)
                        (void)text_append(err->detail, sizeof(err->detail), &used, ", registry %s",
                                          forge->registry);
                if (i + 1 < config->n_forges)
                        (void)text_append(err->detail, sizeof(err->detail), &used, ";");
        }
        error_remedy_set(err,
                         "Use the address that a [forge NAME] section has as its url or registry, "
                         "or let the host's "
                         "operator add one for %s.",
                         text);
        return -(int)DIAG_UNKNOWN_TOKEN;
}

static int read_url(const struct config *config, const struct match_query *query, struct place *ret,
                    struct error *err) {
        char where[PLACE_SHOWN_MAX];
        size_t used = 0;
        int r;

        /* What is neither is no mistake: git asks the helper for smtp://, too. */
        if (strcasecmp(query->protocol, "https") != 0 && strcasecmp(query->protocol, "http") != 0) {
                (void)text_append(where, sizeof(where), &used, "%s://%s", query->protocol,
                                  query->host);
                return no_such_place(config, where, err);
        }
        r = set_origin(ret, query->protocol, query->host, strlen(query->host), err);
        return r < 0 ? r : set_path(ret, query->path ? query->path : "", err);
}

/* "https://host/v2/", "host:port", "host/owner/image:tag". */
static int read_registry(const struct config *config, const char *text, struct place *ret,
                         struct error *err) {
        bool plaintext = strncasecmp(text, "http://", 7) == 0;
        const char *host = plaintext                               ? text + 7
                           : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                                   : text;
        size_t host_bytes = strcspn(host, "/");
        const char *path = host + host_bytes;
        int r;

        ret->is_registry = true;
        r = set_origin(ret, plaintext ? "http" : "https", host, host_bytes, err);
        if (r < 0)
                return r;
        if (plaintext && !url_is_loopback(ret->origin))
                return no_such_place(config, text, err);
        if ((text_starts_with(path, "/v1") || text_starts_with(path, "/v2")) &&
            (path[3] == '/' || path[3] == '\0'))
                path += 3;
        r = set_path(ret, path, err);
        if (r < 0)
                return r;
        /* A tag or a digest says nothing of who may push. */
        for (size_t i = 0; i < ret->path_length; i++)
                if (ret->path[i] == '@' ||
                    (ret->path[i] == ':' && !memchr(ret->path + i, '/', ret->path_length - i)))
                        ret->path_length = i;
        return 0;
}

static bool is_registry_of(const struct forge_config *forge, const struct place *place) {
        size_t scheme = url_is_plaintext(place->origin) ? 7 : 8, length;

        if (!forge->registry)
                return false;
        length = strlen(forge->registry);
        if (length > 4 && strcmp(forge->registry + length - 4, ":443") == 0 && scheme == 8)
                length -= 4;
        return strlen(place->origin + scheme) == length &&
               memcmp(place->origin + scheme, forge->registry, length) == 0;
}

/*
 * True if the place is this forge's.  *ret_prefix is how much of the path is the forge's own; a
 * place whose path is not known may be any forge's on that host.
 */
static bool is_at(const struct forge_config *forge, const struct place *place, size_t *ret_prefix) {
        size_t origin = url_origin_length(forge->url), prefix_bytes;
        const char *prefix = forge->url + origin + strcspn(forge->url + origin, "/");

        *ret_prefix = 0;
        if (place->is_registry)
                return is_registry_of(forge, place);
        if (strlen(place->origin) != origin || memcmp(place->origin, forge->url, origin) != 0)
                return false;
        if (*prefix == '\0' || place->path_length == 0)
                return true;
        prefix_bytes = strlen(++prefix);
        if (place->path_length < prefix_bytes || memcmp(place->path, prefix, prefix_bytes) != 0 ||
            (place->path_length > prefix_bytes && place->path[prefix_bytes] != '/'))
                return false;
        *ret_prefix = prefix_bytes;
        return true;
}

/* What patterns are compared with: "owner/repository" or "owner/image". */
static const char *target_of(const struct place *place, size_t prefix, size_t *ret_length) {
        const char *target = place->path + prefix, *end = place->path + place->path_length;

        while (target < end && *target == '/')
                target++;
        *ret_length = (size_t)(end - target);
        for (const char *p = target; !place->is_registry && end - p >= 4; p++) {
                if (memcmp(p, ".git", 4) == 0 && (p + 4 == end || p[4] == '/')) {
                        *ret_length = (size_t)(p - target);
                        break;
                }
        }
        return target;
}

static int fit(const struct token_config *token, const char *target, size_t length) {
        int best = FITS_NOT;

        if (!token->targets[0])
                return FITS_WHOLE_FORGE;
        if (length == 0)
                return FITS_UNKNOWN_PATH;
        for (char *const *pattern = token->targets; *pattern; pattern++) {
                int fits = FITS_PATTERN + (int)glob_weight(*pattern);

                if (glob_matches(*pattern, target, length) && fits > best)
                        best = fits;
        }
        return best;
}

static int tied(const struct token_config *a, const struct token_config *b, const char *target,
                size_t length, struct error *err) {
        char text[PLACE_SHOWN_MAX];

        (void)text_clean(text, sizeof(text), length > 0 ? target : "any repository",
                         length > 0 ? length : 14);
        (void)error_set(err, DIAG_NO_USABLE_VALUE,
                        "tokens '%s' and '%s' are both for %s at forge '%s', and nothing decides "
                        "between them",
                        a->name, b->name, text, a->forge->name);
        error_remedy_set(err,
                         "Set for = in [token %s] or [token %s] to the repositories and images "
                         "that it is for, or ask for "
                         "one by its name.",
                         a->name, b->name);
        return -(int)DIAG_NO_USABLE_VALUE;
}

static int not_for_target(const struct forge_config *forge, const char *target, size_t length,
                          struct error *err) {
        char text[PLACE_SHOWN_MAX];

        if (length == 0) {
                (void)error_set(err, DIAG_UNKNOWN_TOKEN, "forge '%s' (%.96s) has no token",
                                forge->name, forge->url);
                return -(int)DIAG_UNKNOWN_TOKEN;
        }
        (void)text_clean(text, sizeof(text), target, length);
        (void)error_set(err, DIAG_UNKNOWN_TOKEN, "no token of forge '%s' (%.96s) is for '%s'",
                        forge->name, forge->url, text);
        error_remedy_set(err,
                         "Let the host's operator add '%.96s' to for = of a token of forge '%s'.",
                         text, forge->name);
        return -(int)DIAG_UNKNOWN_TOKEN;
}

/* The one mistake that has a better answer than "unknown": the forge is there, but over TLS. */
static int over_the_other_scheme(const struct config *config, const struct place *place,
                                 struct error *err) {
        for (size_t i = 0; i < config->n_forges && !place->is_registry; i++) {
                const struct forge_config *forge = config->forges[i];
                const char *host = strstr(forge->url, "://"), *asked = strstr(place->origin, "://");
                size_t length = strcspn(host + 3, ":/");

                if (url_is_plaintext(forge->url) == url_is_plaintext(place->origin) ||
                    strcspn(asked + 3, ":/") != length || memcmp(host, asked, length + 3) != 0)
                        continue;
                (void)error_set(err, DIAG_UNKNOWN_TOKEN,
                                "the tokens of forge '%s' are for %.96s and not for %.96s",
                                forge->name, forge->url, place->origin);
                error_remedy_set(err, "Use %.128s.", forge->url);
                return -(int)DIAG_UNKNOWN_TOKEN;
        }
        return no_such_place(config, place->origin, err);
}

static int choose(const struct config *config, const struct place *place,
                  const struct token_config **ret, struct error *err) {
        const struct token_config *best = NULL, *other = NULL;
        const struct forge_config *forge = NULL;
        size_t longest = 0, prefix, length = 0;
        const char *target = "";
        int best_fit = FITS_NOT;

        for (size_t i = 0; i < config->n_forges; i++) {
                if (!is_at(config->forges[i], place, &prefix) || (forge && prefix <= longest))
                        continue;
                forge = config->forges[i];
                longest = prefix;
        }
        if (!forge)
                return place->is_registry
                           ? no_such_place(config, strstr(place->origin, "://") + 3, err)
                           : over_the_other_scheme(config, place, err);
        target = target_of(place, longest, &length);
        for (size_t i = 0; i < config->n_tokens; i++) {
                int fits;

                if (!is_at(config->tokens[i]->forge, place, &prefix) || prefix != longest)
                        continue;
                fits = fit(config->tokens[i], target, length);
                if (fits > best_fit) {
                        best = config->tokens[i];
                        best_fit = fits;
                        other = NULL;
                } else if (fits == best_fit && fits != FITS_NOT) {
                        other = config->tokens[i];
                }
        }
        if (!best)
                return not_for_target(forge, target, length, err);
        if (other)
                return tied(best, other, target, length, err);
        *ret = best;
        return 0;
}

int match_token(const struct config *config, const struct match_query *query,
                const struct token_config **ret, struct error *err) {
        struct place place = { .path = "" };
        int r;

        if (query->registry)
                r = read_registry(config, query->registry, &place, err);
        else
                r = read_url(config, query, &place, err);
        if (r >= 0)
                r = choose(config, &place, ret, err);
        free(place.origin);
        return r;
}
