/*
 * One entry of the journal: is it a record of the daemon, and what does it say.  Pure, no journal
 * needed.
 *
 * What a process sends to the journal may carry any field, ours included, more than once and with
 * any bytes; only names that begin with "_" are journald's own.  So those alone decide who wrote an
 * entry, and what does not come from the daemon is foreign and never counted.  An entry that does
 * come from the daemon but is not as the daemon writes them is broken: it cannot be counted and
 * cannot be passed over either.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "broker/audit.h"

#define AUDIT_UNIT "forge-brokerd.service"

/* The fields that are read; everything else in an entry is passed over, whatever a newer daemon
 * adds. */
enum audit_field {
        FIELD_MESSAGE_ID,
        FIELD_INSTANCE,
        FIELD_SEQ,
        FIELD_TOKEN,
        FIELD_SOURCE,
        FIELD_FRESHNESS,
        FIELD_CODE,
        FIELD_COUNT,
        FIELD_VERIFIED,
        FIELD_REPOSITORY,
        FIELD_RUN_ID,
        FIELD_RUN_ATTEMPT,
        FIELD_PROVEN_REPOSITORY,
        FIELD_PROVEN_RUN_ID,
        FIELD_PROVEN_RUN_ATTEMPT,
        FIELD_FROM_UNIT,
        FIELD_FROM_USER_UNIT,
        FIELD_FROM_UID,
        FIELD_FROM_EXE,
        FIELD_FROM_TRANSPORT,
        FIELD_FROM_HOST,
        FIELD_FROM_MACHINE,
        AUDIT_FIELD_COUNT
};

/* Claims are at most 255 bytes, unit names at most 255: what is longer is not the daemon's. */
#define AUDIT_VALUE_MAX 260

struct audit_value {
        char text[AUDIT_VALUE_MAX]; /* as it stands in the journal, cut; NUL-terminated */
        size_t length;              /* of the whole value; above AUDIT_VALUE_MAX - 1 it was cut */
        unsigned times;             /* 0: absent */
};

struct audit_fields {
        struct audit_value values[AUDIT_FIELD_COUNT];
        bool ours; /* some field begins with FORGE_BROKER_ */
};

/** audit_fields_clear() - begins an entry */
void audit_fields_clear(struct audit_fields *fields);

/** audit_fields_add() - one "NAME=value" of the entry */
void audit_fields_add(struct audit_fields *fields, const void *data, size_t length);

/* Whom to believe.  In a journal of another machine the daemon's uid is not known. */
struct audit_trust {
        bool check_uid;
        uid_t uid;
};

enum audit_verdict {
        ENTRY_OTHER, /* nothing to do with us */
        ENTRY_OURS,
        ENTRY_FOREIGN, /* our fields or our MESSAGE_ID, written by somebody else */
        ENTRY_BROKEN,  /* the daemon's, and not as the daemon writes them */
};

struct audit_entry {
        usec_t at;            /* realtime, set by the reader */
        enum audit_kind kind; /* AUDIT_KIND_COUNT: of a kind that a newer daemon has */
        const char *instance; /* 32 hex digits */
        uint64_t sequence;
        const char *token;  /* NULL: none */
        enum source source; /* for AUDIT_ISSUED */
        bool stale;
        const char *code; /* NULL: none */
        uint64_t count;   /* how many this record stands for, at least 1 */
        bool proven;      /* the forge vouched for the run, and these three are its own words */
        const char *repository, *run_id, *attempt; /* "" where neither proven nor claimed */
        const char *host, *machine;                /* "" where the journal does not say */
        const char *fault;                         /* for ENTRY_BROKEN: what is wrong */
};

/**
 * audit_entry_judge() - what the entry is
 * @ret: borrows from @fields; for ENTRY_OURS all of it, for ENTRY_BROKEN only host, machine and
 *       fault mean something
 */
enum audit_verdict audit_entry_judge(const struct audit_fields *fields,
                                     const struct audit_trust *trust, struct audit_entry *ret);

/** audit_kind_id() - the kind's MESSAGE_ID */
const char *audit_kind_id(enum audit_kind kind);
