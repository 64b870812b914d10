/*
 * The audit trail: one record per issuance, before the value leaves, and one per refusal and change
 * of state.
 *
 * A record is written when the journal's socket (or stderr) has accepted it; nothing here ever
 * blocks.  Instance and sequence number prove from the records alone that none is missing.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/error.h"
#include "broker/peer.h"
#include "broker/waiter.h"
#include "config/config.h"
#include "forge/job_facts.h"

/* Fixed for ever: operators search for them (journalctl MESSAGE_ID=...), the journal catalog
 * explains them. */
#define AUDIT_ID_ISSUED             "01903ac0641242c18f4db65e8f7108f7"
#define AUDIT_ID_REFUSED            "1b24b7d652d14bd592e1f0b493b4d4a9"
#define AUDIT_ID_UNAVAILABLE        "a55325ad9aca4bfda3c0c6e9cb618f1c"
#define AUDIT_ID_SOURCE_CHANGED     "2bf591862e7948dda8d12db31a83d057"
#define AUDIT_ID_TOKEN_ROTATED      "fc1228b2951d4f9b8117a64a96734f1c"
#define AUDIT_ID_UPSTREAM_FAILED    "662efc3e2853494dbe380a5acdbe4b05"
#define AUDIT_ID_UPSTREAM_RECOVERED "1931ed8fc11546c696d568601c092da3"
#define AUDIT_ID_CONFIG_LOADED      "d531f8dcdb0e40b399be734e929f5c52"
#define AUDIT_ID_CONFIG_REJECTED    "edb9e4841aef4da2b234cf2af834c06b"
#define AUDIT_ID_FALLBACK_EXPIRED   "db3b5794e99a49d6962655d5f5cdcce1"

/* No record of anything that happened: `forge-brokerctl doctor` writes one and looks for it.  It
 * has no instance, no sequence number and no field that begins as those of records do, so that no
 * count and no proof of completeness knows of it. */
#define AUDIT_ID_SELF_TEST "ada7e721c44a4bc28db758dfe86b7459"

enum audit_kind {
        AUDIT_ISSUED,
        AUDIT_REFUSED,
        AUDIT_UNAVAILABLE,
        AUDIT_SOURCE_CHANGED,
        AUDIT_TOKEN_ROTATED,
        AUDIT_UPSTREAM_FAILED,
        AUDIT_UPSTREAM_RECOVERED,
        AUDIT_CONFIG_LOADED,
        AUDIT_CONFIG_REJECTED,
        AUDIT_FALLBACK_EXPIRED,
        AUDIT_KIND_COUNT
};

/* One record.  Members that are NULL, zero or absent are left out.  All text must be clean
 * (base/text.h). */
struct audit_record {
        enum audit_kind kind;
        const char *token;          /* its name; from outside for an unknown one */
        enum forge_type forge_type; /* decides the marker's key; only with has_value */
        bool has_value;             /* source, stale, version, fingerprint mean something */
        enum source source;
        bool stale;
        int64_t version;
        const char *fingerprint;
        const struct error *error; /* code and detail; also the reason of a fallback */
        const char *text;          /* further detail without a code */
        const char *rule; /* that allowed, or that refused; NULL or "": none is configured */
        const struct peer *peer;
        /* what a forge vouches for; it takes the place of what the job says of the same */
        const struct job_facts *facts;
        const struct claims *claims;
        /* how many equal ones, not recorded one by one, this stands for; 0: only for itself */
        unsigned count;
};

struct audit;

enum { AUDIT_WRITTEN = 0, AUDIT_BUSY = 1 };

/** audit_new() - records go to the journal, or as logfmt to stderr */
int audit_new(sd_event *event, bool use_journal, struct audit **ret, struct error *err);
struct audit *audit_free(struct audit *audit);

/**
 * audit_write() - one record
 *
 * Return: AUDIT_WRITTEN, AUDIT_BUSY (not written: audit_wait() and come again), or
 * -DIAG_AUDIT_UNAVAILABLE.
 */
int audit_write(struct audit *audit, const struct audit_record *record, struct error *err);

#define AUDIT_TEST_ID_MAX 33

/**
 * audit_self_test() - writes a line that is no record, the way that records go
 * @ret_id: random; the journal's field FORGE_DOCTOR_SELF_TEST has it
 *
 * Only where records go to the journal.
 * Return: as audit_write().
 */
int audit_self_test(struct audit *audit, char ret_id[static AUDIT_TEST_ID_MAX], struct error *err);

/** audit_wait() - wakes when a record may fit again, at the latest after AUDIT_WAIT_MAX */
void audit_wait(struct audit *audit, struct waiter *waiter);

#define AUDIT_WAIT_MAX (2 * USEC_PER_SEC)

/**
 * audit_refusal() - a refusal or an unavailability: the first of its kind at once, equal ones once
 * per 10 s with a count
 *
 * Best effort: what is refused stays refused whether or not the record could be written.
 */
void audit_refusal(struct audit *audit, const struct audit_record *record);

/** audit_instance() - random per start, 32 hex digits */
const char *audit_instance(const struct audit *audit);

/** audit_sequence() - number of records written */
uint64_t audit_sequence(const struct audit *audit);

bool audit_uses_journal(const struct audit *audit);
