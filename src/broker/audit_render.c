#include "broker/audit_render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

static const struct {
        const char *name, *id;
        int priority;
} kinds[AUDIT_KIND_COUNT] = {
        [AUDIT_ISSUED] = { "issued", AUDIT_ID_ISSUED, LOG_LEVEL_INFO },
        [AUDIT_REFUSED] = { "refused", AUDIT_ID_REFUSED, LOG_LEVEL_NOTICE },
        [AUDIT_UNAVAILABLE] = { "unavailable", AUDIT_ID_UNAVAILABLE, LOG_LEVEL_ERR },
        [AUDIT_SOURCE_CHANGED] = { "source-changed", AUDIT_ID_SOURCE_CHANGED, LOG_LEVEL_NOTICE },
        [AUDIT_TOKEN_ROTATED] = { "token-rotated", AUDIT_ID_TOKEN_ROTATED, LOG_LEVEL_NOTICE },
        [AUDIT_UPSTREAM_FAILED] = { "upstream-failed", AUDIT_ID_UPSTREAM_FAILED,
                                    LOG_LEVEL_WARNING },
        [AUDIT_UPSTREAM_RECOVERED] = { "upstream-recovered", AUDIT_ID_UPSTREAM_RECOVERED,
                                       LOG_LEVEL_NOTICE },
        [AUDIT_CONFIG_LOADED] = { "config-loaded", AUDIT_ID_CONFIG_LOADED, LOG_LEVEL_INFO },
        [AUDIT_CONFIG_REJECTED] = { "config-rejected", AUDIT_ID_CONFIG_REJECTED, LOG_LEVEL_ERR },
        [AUDIT_FALLBACK_EXPIRED] = { "fallback-expired", AUDIT_ID_FALLBACK_EXPIRED, LOG_LEVEL_ERR },
};

/* A claim's key in the message text, and what its journal field is called; proven, with "proven_"
 * and PROVEN_ in front. */
static const struct {
        const char *key, *field;
} claim_names[CLAIM_COUNT] = {
        [CLAIM_VIA_UID] = { "via_uid", "VIA_UID" },
        [CLAIM_REPOSITORY] = { "repo", "REPOSITORY" },
        [CLAIM_RUN_ID] = { "run", "RUN_ID" },
        [CLAIM_RUN_ATTEMPT] = { "attempt", "RUN_ATTEMPT" },
        [CLAIM_JOB] = { "job", "JOB" },
        [CLAIM_WORKFLOW] = { "workflow", "WORKFLOW" },
        [CLAIM_EVENT] = { "event", "EVENT" },
        [CLAIM_REF] = { "ref", "REF" },
        [CLAIM_ACTOR] = { "actor", "ACTOR" },
};

int audit_priority(const struct audit_record *record) {
        if (record->kind == AUDIT_ISSUED &&
            (record->stale || record->source == SOURCE_DIRECT_ENV_FALLBACK))
                return LOG_LEVEL_WARNING;
        return kinds[record->kind].priority;
}

static const char *freshness(const struct audit_record *record) {
        return record->stale ? "stale" : "fresh";
}

static const char *error_code(const struct audit_record *record) {
        return record->error && record->error->code != DIAG_NONE
                   ? diagnosis_info(record->error->code)->name
                   : NULL;
}

static const char *detail(const struct audit_record *record) {
        return error_code(record) ? record->error->detail : record->text;
}

/* One number as a field's text; the buffer belongs to the statement that uses it. */
#define NUMBER_MAX 24
static const char *number(char buffer[static NUMBER_MAX], int64_t value) {
        (void)snprintf(buffer, NUMBER_MAX, "%" PRId64, value);
        return buffer;
}

static const char *known(const char *text) {
        return text[0] ? text : NULL;
}

/* Said only where it is not so: without SO_PEERPIDFD. */
static const char *unit_pinned(const struct peer *peer) {
        return known(peer->cgroup.unit) && !peer->unit_pinned ? "no" : NULL;
}

/* What the proof tells of it; NULL: it is only claimed, if that. */
static const char *proven(const struct audit_record *record, enum claim claim) {
        const struct job_facts *facts = record->facts;

        if (!facts)
                return NULL;
        switch (claim) {
        case CLAIM_REPOSITORY:
                return known(facts->repository);
        case CLAIM_RUN_ID:
                return known(facts->run_id);
        case CLAIM_RUN_ATTEMPT:
                return known(facts->run_attempt);
        case CLAIM_WORKFLOW:
                return known(facts->workflow);
        case CLAIM_EVENT:
                return facts->event_known ? facts->event : NULL;
        case CLAIM_REF:
                return facts->ref_known ? facts->ref : NULL;
        case CLAIM_ACTOR:
                return known(facts->actor);
        default:
                return NULL;
        }
}

/* Of an issuance it is said that nobody vouched, too. */
static const char *verified(const struct audit_record *record) {
        if (record->facts)
                return vouched_name(record->facts->by);
        return record->kind == AUDIT_ISSUED ? vouched_name(VOUCHED_NO) : NULL;
}

static const char *claimed(const struct audit_record *record, enum claim claim) {
        return record->claims && !proven(record, claim) ? known(record->claims->values[claim])
                                                        : NULL;
}

/* An id of 64 digits as `docker ps` shows it; the field of the journal has all of it. */
#define ID_SHOWN 12
static const char *short_container(const struct peer *peer,
                                   char buffer[static CGROUP_CONTAINER_MAX]) {
        const char *id = strchr(peer->cgroup.container, ':');
        size_t length = strlen(peer->cgroup.container);

        if (!id)
                return NULL;
        if (strlen(id + 1) == 64 && id[1 + strspn(id + 1, "0123456789abcdef")] == '\0')
                length = (size_t)(id + 1 - peer->cgroup.container) + ID_SHOWN;
        memcpy(buffer, peer->cgroup.container, length);
        buffer[length] = '\0';
        return buffer;
}

void audit_render_text(const struct audit_record *record, uint64_t sequence,
                       char text[static AUDIT_TEXT_MAX]) {
        char digits[NUMBER_MAX], container[CGROUP_CONTAINER_MAX], key[24];
        size_t used = 0;

#define FIELD(key, value) (void)text_append_field(text, AUDIT_TEXT_MAX, &used, (key), (value))
        (void)text_append(text, AUDIT_TEXT_MAX, &used, "%s", kinds[record->kind].name);
        FIELD("token", record->token);
        if (record->has_value) {
                FIELD(forge_type_marker(record->forge_type), source_name(record->source));
                FIELD("freshness", freshness(record));
                FIELD("version", number(digits, record->version));
                FIELD("fp", record->fingerprint);
        }
        FIELD("code", error_code(record));
        FIELD("detail", detail(record));
        if (record->count > 0)
                FIELD("count", number(digits, record->count));
        FIELD("seq", number(digits, (int64_t)sequence));
        if (record->peer) {
                FIELD("peer_uid", number(digits, record->peer->uid));
                FIELD("peer_pid", number(digits, record->peer->pid));
                FIELD("peer_unit", known(record->peer->cgroup.unit));
                FIELD("unit_pinned", unit_pinned(record->peer));
                FIELD("peer_container", short_container(record->peer, container));
        }
        FIELD("rule", record->rule ? known(record->rule) : NULL);
        FIELD("verified", verified(record));
        for (enum claim claim = 0; record->facts && claim < CLAIM_COUNT; claim++) {
                (void)snprintf(key, sizeof(key), "proven_%s", claim_names[claim].key);
                FIELD(key, proven(record, claim));
        }
        for (enum claim claim = 0; claim < CLAIM_COUNT; claim++)
                FIELD(claim_names[claim].key, claimed(record, claim));
#undef FIELD
}

/* "NAME=value\n": values hold no line break, for all outside text was cleaned. */
static void journal_field(char *buffer, size_t *used, const char *name, const char *suffix,
                          const char *value) {
        size_t before = *used;

        if (!value)
                return;
        if (!text_append_string(buffer, AUDIT_RECORD_MAX, used, name) ||
            !text_append_string(buffer, AUDIT_RECORD_MAX, used, suffix) ||
            !text_append_string(buffer, AUDIT_RECORD_MAX, used, "=") ||
            !text_append_string(buffer, AUDIT_RECORD_MAX, used, value) ||
            !text_append_string(buffer, AUDIT_RECORD_MAX, used, "\n"))
                *used = before;
}

size_t audit_render_journal(const struct audit_record *record, const char *instance,
                            uint64_t sequence, char buffer[static AUDIT_RECORD_MAX]) {
        char text[AUDIT_TEXT_MAX], digits[NUMBER_MAX];
        size_t used = 0;

#define FIELD(name, value) journal_field(buffer, &used, (name), "", (value))
        audit_render_text(record, sequence, text);
        FIELD("MESSAGE", text);
        FIELD("MESSAGE_ID", kinds[record->kind].id);
        FIELD("PRIORITY", number(digits, audit_priority(record)));
        FIELD("SYSLOG_IDENTIFIER", "forge-brokerd");
        FIELD("FORGE_BROKER_INSTANCE", instance);
        FIELD("FORGE_BROKER_SEQ", number(digits, (int64_t)sequence));
        FIELD("FORGE_BROKER_TOKEN", record->token);
        if (record->has_value) {
                FIELD("FORGE_BROKER_SOURCE", source_name(record->source));
                FIELD("FORGE_BROKER_FRESHNESS", freshness(record));
                FIELD("FORGE_BROKER_VERSION", number(digits, record->version));
                FIELD("FORGE_BROKER_FINGERPRINT", record->fingerprint);
        }
        FIELD("FORGE_BROKER_CODE", error_code(record));
        if (error_code(record))
                FIELD("FORGE_BROKER_REMEDY", error_remedy(record->error));
        if (record->count > 0)
                FIELD("FORGE_BROKER_COUNT", number(digits, record->count));
        if (record->peer) {
                FIELD("FORGE_BROKER_PEER_UID", number(digits, record->peer->uid));
                FIELD("FORGE_BROKER_PEER_PID", number(digits, record->peer->pid));
                FIELD("FORGE_BROKER_PEER_UNIT", known(record->peer->cgroup.unit));
                FIELD("FORGE_BROKER_PEER_UNIT_PINNED", unit_pinned(record->peer));
                FIELD("FORGE_BROKER_PEER_CGROUP", known(record->peer->cgroup.path));
                FIELD("FORGE_BROKER_PEER_CONTAINER", known(record->peer->cgroup.container));
        }
        FIELD("FORGE_BROKER_RULE", record->rule ? known(record->rule) : NULL);
        FIELD("FORGE_BROKER_VERIFIED", verified(record));
        for (enum claim claim = 0; claim < CLAIM_COUNT; claim++)
                journal_field(buffer, &used, "FORGE_BROKER_PROVEN_", claim_names[claim].field,
                              proven(record, claim));
        for (enum claim claim = 0; claim < CLAIM_COUNT; claim++)
                journal_field(buffer, &used, "FORGE_BROKER_CLAIM_", claim_names[claim].field,
                              claimed(record, claim));
#undef FIELD
        return used;
}
