#include "ctl/audit_entry.h"

#include <string.h>

#include "base/text.h"

#define PREFIX "FORGE_BROKER_"

static const char *const names[AUDIT_FIELD_COUNT] = {
        [FIELD_MESSAGE_ID] = "MESSAGE_ID",
        [FIELD_INSTANCE] = PREFIX "INSTANCE",
        [FIELD_SEQ] = PREFIX "SEQ",
        [FIELD_TOKEN] = PREFIX "TOKEN",
        [FIELD_SOURCE] = PREFIX "SOURCE",
        [FIELD_FRESHNESS] = PREFIX "FRESHNESS",
        [FIELD_CODE] = PREFIX "CODE",
        [FIELD_COUNT] = PREFIX "COUNT",
        [FIELD_VERIFIED] = PREFIX "VERIFIED",
        [FIELD_REPOSITORY] = PREFIX "CLAIM_REPOSITORY",
        [FIELD_RUN_ID] = PREFIX "CLAIM_RUN_ID",
        [FIELD_RUN_ATTEMPT] = PREFIX "CLAIM_RUN_ATTEMPT",
        [FIELD_PROVEN_REPOSITORY] = PREFIX "PROVEN_REPOSITORY",
        [FIELD_PROVEN_RUN_ID] = PREFIX "PROVEN_RUN_ID",
        [FIELD_PROVEN_RUN_ATTEMPT] = PREFIX "PROVEN_RUN_ATTEMPT",
        [FIELD_FROM_UNIT] = "_SYSTEMD_UNIT",
        [FIELD_FROM_USER_UNIT] = "_SYSTEMD_USER_UNIT",
        [FIELD_FROM_UID] = "_UID",
        [FIELD_FROM_EXE] = "_EXE",
        [FIELD_FROM_TRANSPORT] = "_TRANSPORT",
        [FIELD_FROM_HOST] = "_HOSTNAME",
        [FIELD_FROM_MACHINE] = "_MACHINE_ID",
};

static const char *const ids[AUDIT_KIND_COUNT] = {
        [AUDIT_ISSUED] = AUDIT_ID_ISSUED,
        [AUDIT_REFUSED] = AUDIT_ID_REFUSED,
        [AUDIT_UNAVAILABLE] = AUDIT_ID_UNAVAILABLE,
        [AUDIT_SOURCE_CHANGED] = AUDIT_ID_SOURCE_CHANGED,
        [AUDIT_TOKEN_ROTATED] = AUDIT_ID_TOKEN_ROTATED,
        [AUDIT_UPSTREAM_FAILED] = AUDIT_ID_UPSTREAM_FAILED,
        [AUDIT_UPSTREAM_RECOVERED] = AUDIT_ID_UPSTREAM_RECOVERED,
        [AUDIT_CONFIG_LOADED] = AUDIT_ID_CONFIG_LOADED,
        [AUDIT_CONFIG_REJECTED] = AUDIT_ID_CONFIG_REJECTED,
        [AUDIT_FALLBACK_EXPIRED] = AUDIT_ID_FALLBACK_EXPIRED,
};

const char *audit_kind_id(enum audit_kind kind) {
        return ids[kind];
}

void audit_fields_clear(struct audit_fields *fields) {
        for (size_t i = 0; i < AUDIT_FIELD_COUNT; i++) {
                fields->values[i].times = 0;
                fields->values[i].length = 0;
                fields->values[i].text[0] = '\0';
        }
        fields->ours = false;
}

void audit_fields_add(struct audit_fields *fields, const void *data, size_t length) {
        const char *name = data, *equals = length > 0 ? memchr(data, '=', length) : NULL;
        size_t name_length, value_length;

        if (!equals)
                return;
        name_length = (size_t)(equals - name);
        value_length = length - name_length - 1;
        if (name_length > strlen(PREFIX) && memcmp(name, PREFIX, strlen(PREFIX)) == 0)
                fields->ours = true;
        for (size_t i = 0; i < AUDIT_FIELD_COUNT; i++) {
                struct audit_value *value = &fields->values[i];

                if (strlen(names[i]) != name_length || memcmp(names[i], name, name_length) != 0)
                        continue;
                if (value->times++ > 0)
                        return;
                value->length = value_length;
                if (value_length >= AUDIT_VALUE_MAX)
                        value_length = AUDIT_VALUE_MAX - 1;
                memcpy(value->text, equals + 1, value_length);
                value->text[value_length] = '\0';
                return;
        }
}

/* The field is there once, whole, and holds exactly this. */
static bool field_is(const struct audit_fields *fields, enum audit_field field, const char *text) {
        const struct audit_value *value = &fields->values[field];

        return value->times == 1 && value->length == strlen(text) &&
               memcmp(value->text, text, value->length) == 0;
}

static const char *optional(const struct audit_fields *fields, enum audit_field field) {
        return fields->values[field].times > 0 ? fields->values[field].text : NULL;
}

static const char *or_empty(const struct audit_fields *fields, enum audit_field field) {
        return fields->values[field].text;
}

/* A decimal number without sign or blanks that fits 63 bits. */
static bool parse_number(const char *text, uint64_t *ret) {
        uint64_t number = 0;

        if (!*text)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9' || number > (UINT64_C(1) << 59) / 10)
                        return false;
                number = number * 10 + (uint64_t)(*text - '0');
        }
        *ret = number;
        return true;
}

static bool is_instance(const char *text) {
        return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

static enum audit_kind find_kind(const struct audit_fields *fields) {
        for (int kind = 0; kind < AUDIT_KIND_COUNT; kind++)
                if (field_is(fields, FIELD_MESSAGE_ID, ids[kind]))
                        return (enum audit_kind)kind;
        return AUDIT_KIND_COUNT;
}

/* A field that stands twice has one of our MESSAGE_IDs if its first value has: sd-journal gives
 * them in any order. */
static bool looks_like_ours(const struct audit_fields *fields) {
        return fields->ours || find_kind(fields) < AUDIT_KIND_COUNT ||
               fields->values[FIELD_MESSAGE_ID].times > 1;
}

static bool is_from_daemon(const struct audit_fields *fields, const struct audit_trust *trust) {
        uint64_t uid;

        if (!field_is(fields, FIELD_FROM_UNIT, AUDIT_UNIT) ||
            fields->values[FIELD_FROM_USER_UNIT].times > 0 ||
            !field_is(fields, FIELD_FROM_TRANSPORT, "journal") ||
            fields->values[FIELD_FROM_UID].times != 1)
                return false;
        return !trust->check_uid ||
               (parse_number(fields->values[FIELD_FROM_UID].text, &uid) && uid == trust->uid);
}

/* NULL, or why the daemon cannot have written it like this. */
static const char *find_fault(const struct audit_fields *fields) {
        for (int field = 0; field <= FIELD_PROVEN_RUN_ATTEMPT; field++) {
                const struct audit_value *value = &fields->values[field];

                if (value->times > 1)
                        return "a field stands in it twice";
                if (value->length >= AUDIT_VALUE_MAX)
                        return "a value is too long";
                if (memchr(value->text, '\0', value->length))
                        return "a value has a NUL in it";
        }
        return NULL;
}

static const char *read_issuance(const struct audit_fields *fields, struct audit_entry *entry) {
        if (!entry->token || !text_is_name(entry->token))
                return "an issuance without a token's name";
        if (!source_find(or_empty(fields, FIELD_SOURCE), &entry->source))
                return "an issuance from an unknown source";
        entry->stale = field_is(fields, FIELD_FRESHNESS, "stale");
        if (!entry->stale && !field_is(fields, FIELD_FRESHNESS, "fresh"))
                return "an issuance that is neither fresh nor stale";
        return NULL;
}

/* A proof that tells the repository alone leaves the run to the job's own word.  Where it tells
 * the run, a claimed attempt beside it does not count: whoever makes attempts up would make one
 * run many. */
static void read_run(const struct audit_fields *fields, struct audit_entry *entry) {
        const char *verified = or_empty(fields, FIELD_VERIFIED);

        entry->proven = *verified && strcmp(verified, "no") != 0 &&
                        *or_empty(fields, FIELD_PROVEN_REPOSITORY) &&
                        *or_empty(fields, FIELD_PROVEN_RUN_ID);
        entry->repository =
            or_empty(fields, *or_empty(fields, FIELD_PROVEN_REPOSITORY) ? FIELD_PROVEN_REPOSITORY
                                                                        : FIELD_REPOSITORY);
        entry->run_id = or_empty(fields, entry->proven ? FIELD_PROVEN_RUN_ID : FIELD_RUN_ID);
        entry->attempt =
            or_empty(fields, entry->proven ? FIELD_PROVEN_RUN_ATTEMPT : FIELD_RUN_ATTEMPT);
}

/* Return: NULL, or what is wrong with a record of the daemon. */
static const char *read_record(const struct audit_fields *fields, struct audit_entry *entry) {
        const char *fault = find_fault(fields);

        if (fault)
                return fault;
        entry->kind = find_kind(fields);
        entry->instance = or_empty(fields, FIELD_INSTANCE);
        entry->token = optional(fields, FIELD_TOKEN);
        entry->code = optional(fields, FIELD_CODE);
        read_run(fields, entry);
        entry->count = 1;
        if (!is_instance(entry->instance))
                return "no instance";
        if (!parse_number(or_empty(fields, FIELD_SEQ), &entry->sequence) || entry->sequence == 0)
                return "no sequence number";
        if (fields->values[FIELD_COUNT].times > 0 &&
            (!parse_number(or_empty(fields, FIELD_COUNT), &entry->count) || entry->count == 0 ||
             entry->count > UINT32_MAX))
                return "a count that is none";
        return entry->kind == AUDIT_ISSUED ? read_issuance(fields, entry) : NULL;
}

enum audit_verdict audit_entry_judge(const struct audit_fields *fields,
                                     const struct audit_trust *trust, struct audit_entry *ret) {
        *ret = (struct audit_entry){ .kind = AUDIT_KIND_COUNT,
                                     .host = or_empty(fields, FIELD_FROM_HOST),
                                     .machine = or_empty(fields, FIELD_FROM_MACHINE) };
        if (!looks_like_ours(fields))
                return ENTRY_OTHER;
        if (!is_from_daemon(fields, trust))
                return ENTRY_FOREIGN;
        ret->fault = read_record(fields, ret);
        return ret->fault ? ENTRY_BROKEN : ENTRY_OURS;
}
