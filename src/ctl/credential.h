/*
 * A new credential of an identity: typed in, proven upstream, put in place of the old one.
 *
 *      credential_input -> credential_proof -> credential_store_put -> restart, wait -> [not usable:] credential_store_undo
 *
 * Until the proof is done nothing has changed, and what comes after can be taken back.
 */
#pragma once

#include "base/secret.h"
#include "config/config.h"

struct new_credential {
        bool universal; /* client id and secret, and not an access token */
        struct secret *token;
        struct secret *client_id, *client_secret;
};

/**
 * credential_input() - reads it from standard input, a line each; a terminal is asked, without an
 * echo
 *
 * Return: 0, or -DIAG_CREDENTIAL_MISSING with what is wrong with it, and never what stands there.
 */
int credential_input(struct new_credential *credential, struct error *err);

void new_credential_done(struct new_credential *credential);

/**
 * credential_proof() - reads every token of the identity with it, and prints a line for each
 *
 * One login for Universal Auth, whose session is ended again.  Return: 0, or the first token's
 * negated diagnosis.
 */
int credential_proof(const struct new_credential *credential, const struct config *config,
                     const struct identity_config *identity, struct error *err);

/* Where one value goes. */
struct credential_place {
        const char *setting, *name; /* "token_file" and its value, borrowed */
        char file[512];             /* the file to write */
        char backup[528]; /* the old one, while it may be needed again; "" if there was none */
        bool encrypted;   /* by systemd-creds, for a name of systemd's credentials */
        bool replaced;
};

/**
 * credential_place_find() - decides where
 *
 * A relative name is a credential of the unit: /etc/credstore.encrypted/NAME, or
 * /etc/credstore/NAME where a plain one is in use.
 * Return: 0, or -DIAG_CREDENTIAL_MISSING.
 */
int credential_place_find(const char *setting, const char *name, struct credential_place *ret,
                          struct error *err);

/** credential_store_put() - writes it beside and renames; the old file is kept as the backup */
int credential_store_put(struct credential_place *place, const struct secret *value,
                         struct error *err);

/**
 * credential_store_check() - that the running unit was given this value
 *
 * A drop-in may load the credential from somewhere else, and then the file that was written is
 * nobody's.
 * Return: 0, or -DIAG_CREDENTIAL_MISSING.
 */
int credential_store_check(const struct credential_place *place, const struct secret *value,
                           struct error *err);

/** credential_store_undo() - the old file again, or none */
void credential_store_undo(struct credential_place *place);

/** credential_store_keep() - the new one stays: the backup is removed */
void credential_store_keep(struct credential_place *place);
