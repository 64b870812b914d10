/*
 * The types of values: what is accepted for a key, in which normal form it is kept, and what is
 * said of anything else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/keys.h"

/* A value as read: text for strings, number for durations (usec), numbers, flags (0, 1), days
 * (usec) and names of an enum. */
struct value_read {
        char *text;
        uint64_t number;
};

struct value_type {
        /* Fills @ret and returns true, or says in *ret_why what is wrong: "is longer than 64
         * bytes". */
        bool (*read)(const struct key *key, const char *text, struct value_read *ret,
                     const char **ret_why);
        const char *expected; /* "a duration such as 10s, 5m or 1h" */
        bool quotable; /* a value that is wrong may be quoted: nobody pastes a secret there */
        bool may_be_empty;
        bool commas; /* several values may stand in one line */
};

extern const struct value_type value_duration, value_number, value_flag, value_day,
    value_log_target, value_forge_type, value_source, value_socket, value_socket_or_none,
    value_file, value_credential, value_infisical_url, value_forge_url, value_proxy_url,
    value_registry, value_reference, value_project, value_slug, value_secret_path,
    value_secret_name, value_username, value_variable, value_target, value_unit, value_proof,
    value_event, value_git_ref, value_audience, value_host_pattern;

#define VALUE_WHY_MAX      160
#define VALUE_EXPECTED_MAX 256

/**
 * value_read() - reads one value of a key
 * @ret: filled on success; its text is the caller's to free
 * @why: on failure what is wrong with it, to be put behind the key; quotes the value only where
 *       that is harmless
 */
bool value_read(const struct key *key, const char *text, struct value_read *ret,
                char why[static VALUE_WHY_MAX]);

/** value_expected() - what the key takes, range included */
const char *value_expected(const struct key *key, char text[static VALUE_EXPECTED_MAX]);

#define VALUE_TEXT_MAX 32

/** value_is_number() - true for keys whose value is kept as a number, and not as text */
bool value_is_number(const struct key *key);

/** value_format() - the number of such a key as it could be written; @text or a constant */
const char *value_format(const struct key *key, uint64_t number, char text[static VALUE_TEXT_MAX]);
