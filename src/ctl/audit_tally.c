#include "ctl/audit_tally.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

/* A key of a run that is longer than this is kept as its hash, so that claims cannot make us hold
 * much. */
#define RUN_KEY_PLAIN 96

int audit_tally_init(struct audit_tally *tally, struct audit_report *report, struct error *err) {
        static const usec_t widths[] = {
                USEC_PER_MIN,       5 * USEC_PER_MIN,   10 * USEC_PER_MIN, 15 * USEC_PER_MIN,
                30 * USEC_PER_MIN,  USEC_PER_HOUR,      2 * USEC_PER_HOUR, 3 * USEC_PER_HOUR,
                6 * USEC_PER_HOUR,  12 * USEC_PER_HOUR, USEC_PER_DAY,      2 * USEC_PER_DAY,
                7 * USEC_PER_DAY,   14 * USEC_PER_DAY,  30 * USEC_PER_DAY, 90 * USEC_PER_DAY,
                365 * USEC_PER_DAY,
        };
        usec_t width = 0;

        *tally = (struct audit_tally){ .report = report };
        for (size_t i = 0; i < ELEMENTS(widths); i++) {
                width = widths[i];
                if ((report->until - report->since) / width < AUDIT_BUCKETS_MAX - 1)
                        break;
        }
        report->bucket_width = width;
        report->buckets_start = report->since / width * width;
        report->bucket_count = (size_t)((report->until - report->buckets_start) / width) + 1;
        if (report->bucket_count > AUDIT_BUCKETS_MAX)
                report->bucket_count = AUDIT_BUCKETS_MAX;
        report->tokens = calloc(AUDIT_TOKENS_MAX, sizeof(*report->tokens));
        report->hosts = calloc(AUDIT_HOSTS_MAX, sizeof(*report->hosts));
        tally->run_proven = calloc(AUDIT_RUN_KEYS_MAX, sizeof(*tally->run_proven));
        if (!report->tokens || !report->hosts || !tally->run_proven ||
            audit_sequences_init(&tally->sequences) < 0 ||
            audit_set_init(&tally->tokens, AUDIT_TOKENS_MAX) < 0 ||
            audit_set_init(&tally->hosts, AUDIT_HOSTS_MAX) < 0 ||
            audit_set_init(&tally->refusals, AUDIT_CODES_MAX) < 0 ||
            audit_set_init(&tally->failures, AUDIT_CODES_MAX) < 0 ||
            audit_set_init(&tally->runs, AUDIT_RUN_KEYS_MAX) < 0)
                return error_oom(err);
        return 0;
}

void audit_tally_done(struct audit_tally *tally) {
        if (tally->report) {
                free(tally->report->tokens);
                free(tally->report->hosts);
        }
        free(tally->run_proven);
        audit_sequences_done(&tally->sequences);
        audit_set_done(&tally->tokens);
        audit_set_done(&tally->hosts);
        audit_set_done(&tally->refusals);
        audit_set_done(&tally->failures);
        audit_set_done(&tally->runs);
}

bool audit_tally_wants(const struct audit_report *report, const char *token) {
        if (!report->only || !*report->only)
                return true;
        for (const char *const *name = report->only; token && *name; name++)
                if (strcmp(*name, token) == 0)
                        return true;
        return false;
}

/* The member's number, or SIZE_MAX above the bound. */
static size_t number_of(struct audit_tally *tally, struct audit_set *set, const char *text,
                        uint64_t *lost, bool *added) {
        size_t index;
        int r = audit_set_add(set, text, strlen(text), &index);

        *added = r == SET_ADDED;
        if (r < 0)
                tally->out_of_memory = true;
        if (r == SET_FULL)
                (*lost)++;
        return r == SET_KNOWN || r == SET_ADDED ? index : SIZE_MAX;
}

static struct audit_token *find_token(struct audit_tally *tally, const char *name) {
        struct audit_report *report = tally->report;
        bool added;
        size_t index = number_of(tally, &tally->tokens, name, &report->tokens_lost, &added);

        if (index == SIZE_MAX)
                return NULL;
        if (added) {
                report->tokens[index].name = tally->tokens.members[index];
                report->token_count = tally->tokens.count;
        }
        return &report->tokens[index];
}

/* A host is its machine id; its name is what it was called last. */
static size_t find_host(struct audit_tally *tally, const struct audit_entry *entry) {
        struct audit_report *report = tally->report;
        char machine[65];
        bool added;
        size_t index;

        (void)text_clean(machine, sizeof(machine), entry->machine, strlen(entry->machine));
        index = number_of(tally, &tally->hosts, machine, &report->hosts_lost, &added);
        if (index == SIZE_MAX)
                return index;
        if (added) {
                report->hosts[index].machine = tally->hosts.members[index];
                report->host_count = tally->hosts.count;
        }
        (void)text_clean(report->hosts[index].name, sizeof(report->hosts[index].name), entry->host,
                         strlen(entry->host));
        return index;
}

static void count_code(struct audit_tally *tally, struct audit_set *set, struct audit_code *codes,
                       size_t *ret_count, const struct audit_entry *entry) {
        char name[64];
        bool added;
        size_t index;

        (void)text_clean(name, sizeof(name), entry->code ? entry->code : "none",
                         entry->code ? strlen(entry->code) : 4);
        index = number_of(tally, set, name, &tally->report->codes_lost, &added);
        if (index == SIZE_MAX)
                return;
        codes[index].name = set->members[index];
        codes[index].count += entry->count;
        if (entry->at > codes[index].last_at)
                codes[index].last_at = entry->at;
        *ret_count = set->count;
}

static void count_use(struct audit_use *use, const struct audit_entry *entry) {
        if (use->issued == 0 || entry->at < use->first_at)
                use->first_at = entry->at;
        if (entry->at > use->last_at)
                use->last_at = entry->at;
        use->issued++;
        if (entry->stale)
                use->stale++;
        if (!*entry->run_id)
                use->without_run++;
}

/* "TOKEN/source\0repository\0run\0attempt"; a long one becomes "#" and its hash, which no token's
 * name begins with. */
static size_t run_key(const char *token, const struct audit_entry *entry, char key[static 1200]) {
        const char *const parts[] = { token, source_name(entry->source), entry->repository,
                                      entry->run_id, entry->attempt };
        unsigned char hash[EVP_MAX_MD_SIZE];
        unsigned hash_length = 0;
        size_t used = 0;

        for (size_t i = 0; i < ELEMENTS(parts); i++) {
                size_t length = strlen(parts[i]) + 1;

                memcpy(key + used, parts[i], length);
                used += length;
        }
        if (used <= RUN_KEY_PLAIN ||
            EVP_Digest(key, used, hash, &hash_length, EVP_sha256(), NULL) != 1)
                return used;
        key[0] = '#';
        memcpy(key + 1, hash, 16);
        return 17;
}

static void count_run(struct audit_tally *tally, struct audit_use *use, const char *token,
                      const struct audit_entry *entry) {
        char key[1200];
        size_t length, index;
        int r;

        if (!*entry->run_id)
                return;
        length = run_key(token, entry, key);
        r = audit_set_add(&tally->runs, key, length, &index);
        if (r < 0)
                tally->out_of_memory = true;
        if (r == SET_FULL)
                tally->report->runs_lost++;
        if (r == SET_ADDED) {
                tally->run_proven[index] = entry->proven;
                if (entry->proven)
                        use->runs_proven++;
                else
                        use->runs_claimed++;
        }
        if (r == SET_KNOWN && entry->proven && !tally->run_proven[index]) {
                tally->run_proven[index] = true;
                use->runs_proven++;
                use->runs_claimed--;
        }
}

static void count_bucket(struct audit_report *report, const struct audit_entry *entry) {
        size_t bucket = (size_t)(usec_sub(entry->at, report->buckets_start) / report->bucket_width);

        report->buckets[bucket < report->bucket_count ? bucket : report->bucket_count - 1]
            .issued[entry->source]++;
}

static void count_issuance(struct audit_tally *tally, const struct audit_entry *entry,
                           size_t host) {
        struct audit_report *report = tally->report;
        struct audit_token *token = find_token(tally, entry->token);

        count_use(&report->sources[entry->source], entry);
        count_run(tally, &report->sources[entry->source], "*", entry);
        if (token) {
                count_use(&token->uses[entry->source], entry);
                count_run(tally, &token->uses[entry->source], entry->token, entry);
        }
        if (host != SIZE_MAX)
                count_use(&report->hosts[host].uses[entry->source], entry);
        count_bucket(report, entry);
}

static void count_repeated(struct audit_tally *tally, const struct audit_entry *entry) {
        struct audit_token *token;

        tally->repeated++;
        if (entry->kind != AUDIT_ISSUED || !audit_tally_wants(tally->report, entry->token))
                return;
        token = find_token(tally, entry->token);
        tally->report->sources[entry->source].repeated++;
        if (token)
                token->uses[entry->source].repeated++;
}

/* What concerns a token; entries without one concern all. */
static void count_record(struct audit_tally *tally, const struct audit_entry *entry, size_t host) {
        struct audit_report *report = tally->report;
        struct audit_token *token;

        switch (entry->kind) {
        case AUDIT_ISSUED:
                count_issuance(tally, entry, host);
                break;
        case AUDIT_REFUSED:
                count_code(tally, &tally->refusals, report->refusals, &report->refusal_count,
                           entry);
                break;
        case AUDIT_UNAVAILABLE:
        case AUDIT_UPSTREAM_FAILED:
        case AUDIT_FALLBACK_EXPIRED:
                count_code(tally, &tally->failures, report->failures, &report->failure_count,
                           entry);
                break;
        case AUDIT_TOKEN_ROTATED:
                report->rotations++;
                token = entry->token && text_is_name(entry->token) ? find_token(tally, entry->token)
                                                                   : NULL;
                if (token)
                        token->rotations++;
                break;
        case AUDIT_UPSTREAM_RECOVERED:
                report->recoveries++;
                break;
        case AUDIT_SOURCE_CHANGED:
                report->source_changes++;
                break;
        case AUDIT_CONFIG_LOADED:
                report->reloads++;
                break;
        case AUDIT_CONFIG_REJECTED:
                report->reloads_rejected++;
                break;
        case AUDIT_KIND_COUNT:
                break;
        }
}

static void count_ours(struct audit_tally *tally, const struct audit_entry *entry) {
        struct audit_report *report = tally->report;
        size_t host = find_host(tally, entry);
        int r = audit_sequences_add(&tally->sequences, entry->instance, entry->sequence, entry->at,
                                    host);

        if (r < 0)
                tally->out_of_memory = true;
        if (r == SEQUENCE_REPEATED) {
                count_repeated(tally, entry);
                return;
        }
        report->records++;
        if (host != SIZE_MAX)
                report->hosts[host].records++;
        if (!entry->token || audit_tally_wants(report, entry->token))
                count_record(tally, entry, host);
}

static void set_writer(char *text, size_t size, const struct audit_value *value) {
        size_t length = value->length < AUDIT_VALUE_MAX ? value->length : AUDIT_VALUE_MAX - 1;

        if (value->times > 0)
                (void)text_clean(text, size, value->text, length);
        else
                (void)text_clean(text, size, "unknown", strlen("unknown"));
}

static void count_foreign(struct audit_report *report, const struct audit_entry *entry,
                          const struct audit_fields *fields) {
        struct audit_writer writer = { .count = 0, .first_at = entry->at, .last_at = entry->at };
        size_t i;

        set_writer(writer.uid, sizeof(writer.uid), &fields->values[FIELD_FROM_UID]);
        set_writer(writer.exe, sizeof(writer.exe), &fields->values[FIELD_FROM_EXE]);
        set_writer(writer.unit, sizeof(writer.unit), &fields->values[FIELD_FROM_UNIT]);
        report->foreign++;
        for (i = 0; i < report->writer_count; i++)
                if (strcmp(report->writers[i].uid, writer.uid) == 0 &&
                    strcmp(report->writers[i].exe, writer.exe) == 0 &&
                    strcmp(report->writers[i].unit, writer.unit) == 0)
                        break;
        if (i == AUDIT_WRITERS_MAX) {
                report->foreign_unlisted++;
                return;
        }
        if (i == report->writer_count)
                report->writers[report->writer_count++] = writer;
        report->writers[i].count++;
        if (entry->at < report->writers[i].first_at)
                report->writers[i].first_at = entry->at;
        if (entry->at > report->writers[i].last_at)
                report->writers[i].last_at = entry->at;
}

void audit_tally_add(struct audit_tally *tally, enum audit_verdict verdict,
                     const struct audit_entry *entry, const struct audit_fields *fields) {
        switch (verdict) {
        case ENTRY_OURS:
                count_ours(tally, entry);
                break;
        case ENTRY_FOREIGN:
                count_foreign(tally->report, entry, fields);
                break;
        case ENTRY_BROKEN:
                if (tally->broken++ == 0)
                        (void)snprintf(tally->fault, sizeof(tally->fault), "%s", entry->fault);
                break;
        case ENTRY_OTHER:
                break;
        }
}
