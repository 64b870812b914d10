/*
 * The one idiom for failure: a function returns 0 (or a documented positive outcome), else the
 * negated diagnosis, and fills the caller's struct error.  The table behind it (error.c) is the
 * only place that knows a diagnosis' wire name, title, HTTP status, exit code and remedy; the API,
 * the journal, the command lines and the documentation print from it.
 */
#pragma once

#include <stddef.h>

#include "base/cleanup.h"

/* design: "Diagnosis codes"; the order here is the order of the table in the documentation. */
enum diagnosis {
        DIAG_NONE = 0,

        DIAG_MALFORMED_REQUEST,
        DIAG_PEER_REFUSED,
        DIAG_PROOF_REQUIRED,
        DIAG_PROOF_REJECTED,
        DIAG_PROOF_INSUFFICIENT,
        DIAG_UNKNOWN_TOKEN,
        DIAG_METHOD_NOT_ALLOWED,
        DIAG_REQUEST_TOO_LARGE,
        DIAG_TOO_MANY_REQUESTS,
        DIAG_NO_USABLE_VALUE,
        DIAG_AUDIT_UNAVAILABLE,
        DIAG_INTERNAL_ERROR,

        DIAG_CREDENTIAL_MISSING,
        DIAG_CREDENTIAL_PERMISSIONS,
        DIAG_CREDENTIAL_EXPIRED,
        DIAG_CREDENTIAL_REJECTED,
        DIAG_CREDENTIAL_LOCKED_OUT,
        DIAG_CREDENTIAL_USES_EXHAUSTED,
        DIAG_ADDRESS_NOT_ALLOWED,

        DIAG_PERMISSION_DENIED,
        DIAG_PROJECT_NOT_FOUND,
        DIAG_NOT_PROJECT_MEMBER,
        DIAG_FOLDER_NOT_FOUND,
        DIAG_SECRET_NOT_FOUND,
        DIAG_SECRET_HIDDEN,
        DIAG_SECRET_EMPTY,
        DIAG_SECRET_MALFORMED,

        DIAG_UPSTREAM_BLOCKED,
        DIAG_UPSTREAM_UNREACHABLE,
        DIAG_UPSTREAM_TLS,
        DIAG_UPSTREAM_TIMEOUT,
        DIAG_UPSTREAM_ERROR,
        DIAG_UPSTREAM_RATE_LIMITED,
        DIAG_UPSTREAM_MALFORMED,

        DIAG_FALLBACK_DISABLED,
        DIAG_FALLBACK_EXPIRED,

        DIAG_FORGE_TOKEN_REJECTED,
        DIAG_FORGE_SCOPE_MISSING,
        DIAG_FORGE_PERMISSION_MISSING,
        DIAG_FORGE_BRANCH_PROTECTED,
        DIAG_FORGE_REPOSITORY_INVISIBLE,
        DIAG_FORGE_READ_ONLY,
        DIAG_FORGE_IDENTITY_HIJACKED,
        DIAG_FORGE_CANNOT_TELL,

        DIAG_COUNT
};

/* Exit codes of the command line programs. */
enum {
        EXIT_DONE = 0,
        EXIT_UNMET = 1, /* the gate or a need is not met */
        EXIT_USAGE = 2,
        EXIT_UNKNOWN_TOKEN = 3,
        EXIT_REFUSED = 4,
        EXIT_NO_VALUE = 5,
        EXIT_UNREACHABLE = 6, /* the broker itself */
        EXIT_CANNOT_TELL = 7,
};

struct diagnosis_info {
        const char *name;  /* on the wire and in records: "secret-not-found" */
        const char *title; /* a few words, without the case's details */
        int http_status;
        int exit_code;
        /* one sentence; what a case knows better it says with error_remedy_set() */
        const char *remedy;
};

#define ERROR_DETAIL_MAX 256
#define ERROR_REMEDY_MAX 384

struct error {
        enum diagnosis code;
        /* what happened: names, statuses, the setting; never a secret or a body */
        char detail[ERROR_DETAIL_MAX];
        char remedy[ERROR_REMEDY_MAX]; /* empty: the table's */
};

/** diagnosis_info() - the table's row; DIAG_NONE and anything out of range give the row of
 * internal-error */
const struct diagnosis_info *diagnosis_info(enum diagnosis code);

/** diagnosis_find() - the code of a wire name, or DIAG_NONE */
enum diagnosis diagnosis_find(const char *name);

/**
 * error_set() - fills @err, which may be NULL; a text too long is cut
 *
 * Return: -@code, to be returned by the caller.
 */
int error_set(struct error *err, enum diagnosis code, const char *format, ...) _printf_(3, 4);

/** error_remedy_set() - a remedy that names this case's setting and values; replaces the table's */
void error_remedy_set(struct error *err, const char *format, ...) _printf_(2, 3);

/**
 * error_prefix() - puts context in front of the detail: "token 'deploy': ..."
 *
 * Return: -err->code.
 */
int error_prefix(struct error *err, const char *format, ...) _printf_(2, 3);

/** error_remedy() - the case's own remedy, else the table's */
const char *error_remedy(const struct error *err);

/**
 * error_keep() - remembers an error for long: seldom there is one, and none takes no memory
 * @kept: what was kept in its place, or NULL; released
 *
 * Return: a copy for error_release(), or NULL where @err is NULL or has code DIAG_NONE.  Without
 * memory for it the one that says just that.
 */
struct error *error_keep(struct error *kept, const struct error *err);

/** error_release() - NULL is fine.  Return: NULL. */
struct error *error_release(struct error *kept);

/** error_kept() - what was kept, to be looked at; with code DIAG_NONE for NULL */
const struct error *error_kept(const struct error *kept);

/** error_oom() - internal-error for lack of memory; returns its negated code */
int error_oom(struct error *err);
