/*
 * The types of values that rules are made of: patterns of repositories, units, refs and hosts,
 * events, an audience.
 */
#include "config/values.h"

#include "base/text.h"
#include "config/url.h"
#include "config/value_text.h"

#define TARGET_MAX_BYTES   255
#define UNIT_MAX_BYTES     255 /* systemd's own limit of a unit's name */
#define EVENT_MAX_BYTES    63
#define REF_MAX_BYTES      255
#define AUDIENCE_MAX_BYTES 255

static bool read_target(const struct key *key, const char *text, struct value_read *ret,
                        const char **ret_why) {
        size_t length = strlen(text);

        (void)key;
        if (length > TARGET_MAX_BYTES)
                return wrong(ret_why, "is longer than 255 bytes");
        if (strstr(text, "://"))
                return wrong(ret_why, "is a URL");
        if (!consists_of(text, LETTERS_DIGITS "._-+~/*?"))
                return wrong(ret_why, "has characters in it that no repository has");
        if (*text == '/' || text[length - 1] == '/' || strstr(text, "//"))
                return wrong(ret_why, "begins or ends with a '/', or has an empty element in it");
        if (length > 4 && strcmp(text + length - 4, ".git") == 0)
                return wrong(ret_why, "ends in .git, which a repository's name does not");
        return keep(text, ret, ret_why);
}

const struct value_type value_target = {
        .read = read_target,
        .expected = "repositories or images such as platform/* or platform/site",
        .commas = true
};

static bool read_unit(const struct key *key, const char *text, struct value_read *ret,
                      const char **ret_why) {
        (void)key;
        if (strlen(text) > UNIT_MAX_BYTES)
                return wrong(ret_why, "is longer than 255 bytes");
        if (!consists_of(text, LETTERS_DIGITS ":-_.\\@*?"))
                return wrong(ret_why, "has characters in it that no unit has");
        if (!strchr(text, '.') && text[strlen(text) - 1] != '*')
                return wrong(ret_why, "is a unit without its type, which fits none");
        return keep(text, ret, ret_why);
}

const struct value_type value_unit = { .read = read_unit,
                                       .expected =
                                           "units such as forgejo-runner.service or docker-*.scope",
                                       .commas = true };

/* No patterns: what a later version of a forge calls an event must not be in a rule that was
 * written before. */
static bool read_event(const struct key *key, const char *text, struct value_read *ret,
                       const char **ret_why) {
        (void)key;
        if (strpbrk(text, "*?"))
                return wrong(ret_why, "has a pattern in it");
        if (strlen(text) > EVENT_MAX_BYTES ||
            !consists_of(text, "abcdefghijklmnopqrstuvwxyz0123456789_"))
                return wrong(ret_why, "is not the name of an event");
        return keep(text, ret, ret_why);
}

const struct value_type value_event = {
        .read = read_event,
        .expected = "names of events such as push, schedule or workflow_dispatch",
        .commas = true
};

static bool read_ref(const struct key *key, const char *text, struct value_read *ret,
                     const char **ret_why) {
        (void)key;
        if (strlen(text) > REF_MAX_BYTES)
                return wrong(ret_why, "is longer than 255 bytes");
        if (!text_starts_with(text, "refs/"))
                return wrong(ret_why, "does not begin with refs/");
        /* git-check-ref-format(1), but for '*' and '?', which are wildcards here. */
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("~^:\\[", *p))
                        return wrong(ret_why, "has characters in it that no ref has");
        if (text[strlen(text) - 1] == '/' || strstr(text, "//") || strstr(text, ".."))
                return wrong(ret_why, "ends with a '/', or has an empty element or '..' in it");
        return keep(text, ret, ret_why);
}

const struct value_type value_git_ref = { .read = read_ref,
                                          .expected =
                                              "whole refs such as refs/heads/main or refs/tags/v*",
                                          .commas = true };

static bool read_audience(const struct key *key, const char *text, struct value_read *ret,
                          const char **ret_why) {
        (void)key;
        if (strlen(text) > AUDIENCE_MAX_BYTES)
                return wrong(ret_why, "is longer than 255 bytes");
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\')
                        return wrong(ret_why,
                                     "has blanks, quotes or characters outside ASCII in it");
        return keep(text, ret, ret_why);
}

const struct value_type value_audience = {
        .read = read_audience, .expected = "a name such as forge-broker, or a URL of one's own"
};

/* "*." stands for any names below a domain; "*.org" would hand the jobs' credentials to anyone who
 * buys a name. */
static bool read_host_pattern(const struct key *key, const char *text, struct value_read *ret,
                              const char **ret_why) {
        bool below = text_starts_with(text, "*.");
        const char *host = below ? text + 2 : text;
        char *normal = NULL;

        (void)key;
        if (!host_port_normalise(host, &normal, ret_why))
                return false;
        if (below && !strchr(normal, '.')) {
                free(normal);
                return wrong(ret_why, "has a '*' for the name of a whole domain in it");
        }
        if (below && asprintf(&ret->text, "*.%s", normal) < 0)
                ret->text = NULL;
        else if (!below)
                ret->text = take(normal);
        free(normal);
        return ret->text ? true : wrong(ret_why, "could not be kept for lack of memory");
}

const struct value_type value_host_pattern = {
        .read = read_host_pattern,
        .expected = "hosts such as id.example.org, or *.id.example.org for all names below it",
        .commas = true
};
