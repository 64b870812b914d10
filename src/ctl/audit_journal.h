/*
 * The journal, through sd-journal: which files, which entries, and what lies before and behind a
 * window.
 */
#pragma once

#include "base/error.h"
#include "ctl/audit_entry.h"

/* Which journal.  With none of the three: the one of this machine. */
struct audit_place {
        const char *directory;
        const char **files; /* NULL-terminated, or NULL */
        bool merge;         /* this machine's, and those that were collected from others */
};

struct audit_journal;

/**
 * audit_journal_open() - opens it; that it can be read is checked
 *
 * sd-journal passes over files that this user may not read, so a report of nothing would look like
 * a journal without records.  Return: 0, or a negated diagnosis with the remedy.
 */
int audit_journal_open(const struct audit_place *place, const struct audit_trust *trust,
                       struct audit_journal **ret, struct error *err);
struct audit_journal *audit_journal_close(struct audit_journal *journal);
DEFINE_CLEANUP(struct audit_journal *, audit_journal_close);

typedef void (*audit_journal_entry)(void *userdata, enum audit_verdict verdict,
                                    const struct audit_entry *entry,
                                    const struct audit_fields *fields);

/** audit_journal_read() - every entry from @since to before @until that has to do with us, roughly
 * in order */
int audit_journal_read(struct audit_journal *journal, usec_t since, usec_t until,
                       audit_journal_entry done, void *userdata, struct error *err);

/**
 * audit_journal_oldest() - when the journal of one machine begins; "" for that of all
 *
 * Of what root's processes wrote: the users' own files may go back further than the system's, in
 * which the records are.
 * Return: realtime, or 0 if it is empty.
 */
usec_t audit_journal_oldest(struct audit_journal *journal, const char *machine);

/**
 * audit_journal_before(), audit_journal_behind() - the daemon's last record of an instance before a
 * time, and its first one from a time on
 *
 * Return: the sequence number, or 0 if there is none.
 */
uint64_t audit_journal_before(struct audit_journal *journal, const char *instance, usec_t time);
uint64_t audit_journal_behind(struct audit_journal *journal, const char *instance, usec_t time);

/** audit_journal_last_use() - when a source was last used before a time, for the tokens that @wants
 * accepts; 0: never */
usec_t audit_journal_last_use(struct audit_journal *journal, enum source source, usec_t before,
                              bool (*wants)(const void *userdata, const char *token),
                              const void *userdata);
