#include "ctl/audit_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "ctl/audit_access.h"

/* Of a compressed value no more than this is unpacked; what the daemon writes is shorter by far. */
#define VALUE_BYTES 8192

struct audit_journal {
        sd_journal *handle;
        struct audit_trust trust;
        struct audit_fields fields;
};

struct audit_journal *audit_journal_close(struct audit_journal *journal) {
        if (!journal)
                return NULL;
        sd_journal_close(journal->handle);
        free(journal);
        return NULL;
}

static int open_handle(const struct audit_place *place, sd_journal **ret) {
        if (place->files)
                return sd_journal_open_files(ret, place->files, 0);
        if (place->directory)
                return sd_journal_open_directory(ret, place->directory, 0);
        return sd_journal_open(ret, place->merge ? 0 : SD_JOURNAL_LOCAL_ONLY);
}

int audit_journal_open(const struct audit_place *place, const struct audit_trust *trust,
                       struct audit_journal **ret, struct error *err) {
        _cleanup_(audit_journal_closep) struct audit_journal *journal = calloc(1, sizeof(*journal));
        int r = audit_access_check(place, err);

        if (r < 0)
                return r;
        if (!journal)
                return error_oom(err);
        journal->trust = *trust;
        r = open_handle(place, &journal->handle);
        if (r < 0) {
                (void)error_set(err, DIAG_INTERNAL_ERROR, "the journal cannot be opened: %s",
                                strerror(-r));
                error_remedy_set(
                    err,
                    "Name a directory or files that a journald or systemd-journal-remote wrote; "
                    "'journalctl --verify' says more about damaged ones.");
                return -DIAG_INTERNAL_ERROR;
        }
        (void)sd_journal_set_data_threshold(journal->handle, VALUE_BYTES);
        *ret = take(journal);
        return 0;
}

static int match(sd_journal *handle, const char *name, const char *value) {
        char text[512];
        int length = snprintf(text, sizeof(text), "%s=%s", name, value);

        return length < 0 || (size_t)length >= sizeof(text)
                   ? -EINVAL
                   : sd_journal_add_match(handle, text, (size_t)length);
}

/* Our kinds, or whatever the daemon's unit wrote (a newer one may have other kinds), or an
 * issuance's source. */
static int match_all(sd_journal *handle) {
        int r = 0;

        sd_journal_flush_matches(handle);
        for (int kind = 0; kind < AUDIT_KIND_COUNT && r >= 0; kind++)
                r = match(handle, "MESSAGE_ID", audit_kind_id((enum audit_kind)kind));
        if (r >= 0)
                r = sd_journal_add_disjunction(handle);
        if (r >= 0)
                r = match(handle, "_SYSTEMD_UNIT", AUDIT_UNIT);
        if (r >= 0)
                r = sd_journal_add_disjunction(handle);
        for (int source = 0; source < SOURCE_COUNT && r >= 0; source++)
                r = match(handle, "FORGE_BROKER_SOURCE", source_name((enum source)source));
        return r;
}

/* The entry that the handle stands on.  A field that cannot be unpacked makes the whole entry
 * unreadable. */
static int read_entry(struct audit_journal *journal, enum audit_verdict *ret_verdict,
                      struct audit_entry *ret) {
        uint64_t at = 0;
        const void *data;
        size_t length;
        int r;

        audit_fields_clear(&journal->fields);
        sd_journal_restart_data(journal->handle);
        while ((r = sd_journal_enumerate_data(journal->handle, &data, &length)) > 0)
                audit_fields_add(&journal->fields, data, length);
        if (r >= 0)
                r = sd_journal_get_realtime_usec(journal->handle, &at);
        *ret_verdict = audit_entry_judge(&journal->fields, &journal->trust, ret);
        if (r < 0) {
                *ret_verdict = ENTRY_BROKEN;
                ret->fault = "it cannot be read, the journal's file is damaged";
        }
        ret->at = at;
        return r;
}

int audit_journal_read(struct audit_journal *journal, usec_t since, usec_t until,
                       audit_journal_entry done, void *userdata, struct error *err) {
        enum audit_verdict verdict;
        struct audit_entry entry;
        int r = match_all(journal->handle);

        if (r >= 0)
                r = sd_journal_seek_realtime_usec(journal->handle, since);
        while (r >= 0 && (r = sd_journal_next(journal->handle)) > 0) {
                bool readable = read_entry(journal, &verdict, &entry) >= 0;

                /* A clock that was set back lets later entries look earlier; what is missed then
                 * shows as a gap. */
                if (readable && entry.at >= until)
                        break;
                if (!readable || entry.at >= since)
                        done(userdata, verdict, &entry, &journal->fields);
        }
        if (r < 0) {
                (void)error_set(err, DIAG_INTERNAL_ERROR, "the journal cannot be read: %s",
                                strerror(-r));
                error_remedy_set(err, "'journalctl --verify' says which of its files are damaged.");
                return -DIAG_INTERNAL_ERROR;
        }
        return 0;
}

usec_t audit_journal_oldest(struct audit_journal *journal, const char *machine) {
        sd_journal *handle = journal->handle;
        uint64_t at = 0;

        for (int attempt = 0; attempt < 2; attempt++) {
                sd_journal_flush_matches(handle);
                if ((*machine && match(handle, "_MACHINE_ID", machine) < 0) ||
                    (attempt == 0 && match(handle, "_UID", "0") < 0) ||
                    sd_journal_seek_head(handle) < 0)
                        return 0;
                if (sd_journal_next(handle) > 0 && sd_journal_get_realtime_usec(handle, &at) >= 0)
                        return at;
        }
        return 0;
}

static int match_instance(sd_journal *handle, const char *instance, usec_t time) {
        sd_journal_flush_matches(handle);
        if (match(handle, "_SYSTEMD_UNIT", AUDIT_UNIT) < 0 ||
            match(handle, "FORGE_BROKER_INSTANCE", instance) < 0)
                return -1;
        return sd_journal_seek_realtime_usec(handle, time);
}

uint64_t audit_journal_before(struct audit_journal *journal, const char *instance, usec_t time) {
        enum audit_verdict verdict;
        struct audit_entry entry;

        if (match_instance(journal->handle, instance, time) < 0)
                return 0;
        while (sd_journal_previous(journal->handle) > 0)
                if (read_entry(journal, &verdict, &entry) >= 0 && verdict == ENTRY_OURS &&
                    entry.at < time)
                        return entry.sequence;
        return 0;
}

uint64_t audit_journal_behind(struct audit_journal *journal, const char *instance, usec_t time) {
        enum audit_verdict verdict;
        struct audit_entry entry;

        if (match_instance(journal->handle, instance, time) < 0)
                return 0;
        while (sd_journal_next(journal->handle) > 0)
                if (read_entry(journal, &verdict, &entry) >= 0 && verdict == ENTRY_OURS &&
                    entry.at >= time)
                        return entry.sequence;
        return 0;
}

usec_t audit_journal_last_use(struct audit_journal *journal, enum source source, usec_t before,
                              bool (*wants)(const void *userdata, const char *token),
                              const void *userdata) {
        sd_journal *handle = journal->handle;
        enum audit_verdict verdict;
        struct audit_entry entry;

        sd_journal_flush_matches(handle);
        if (match(handle, "_SYSTEMD_UNIT", AUDIT_UNIT) < 0 ||
            match(handle, "MESSAGE_ID", AUDIT_ID_ISSUED) < 0 ||
            match(handle, "FORGE_BROKER_SOURCE", source_name(source)) < 0 ||
            sd_journal_seek_realtime_usec(handle, before) < 0)
                return 0;
        while (sd_journal_previous(handle) > 0)
                if (read_entry(journal, &verdict, &entry) >= 0 && verdict == ENTRY_OURS &&
                    entry.kind == AUDIT_ISSUED && entry.at < before && wants(userdata, entry.token))
                        return entry.at;
        return 0;
}
