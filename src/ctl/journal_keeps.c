#include "ctl/journal_keeps.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/audit.h"

/* journald writes within a moment; on a host that is busy, within some seconds. */
#define PATIENCE (10 * USEC_PER_SEC)

static json_t *find(json_t *steps, const char *step) {
        json_t *finding;
        size_t i;

        json_array_foreach(steps, i, finding) {
                const char *own = json_member_string(finding, "step");

                if (own && strcmp(own, step) == 0)
                        return finding;
        }
        return NULL;
}

static int open_journal(sd_journal **ret, const char *id) {
        char match[sizeof("FORGE_DOCTOR_SELF_TEST=") + AUDIT_TEST_ID_MAX];
        int r = sd_journal_open(ret, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        if (r < 0)
                return r;
        (void)snprintf(match, sizeof(match), "FORGE_DOCTOR_SELF_TEST=%.32s", id);
        r = sd_journal_add_match(*ret, "MESSAGE_ID=" AUDIT_ID_SELF_TEST, 0);
        if (r >= 0)
                r = sd_journal_add_match(*ret, match, 0);
        return r;
}

/* Return: 1 with the journal at the line, 0 if it did not come, or a negative errno. */
static int await_line(sd_journal *journal) {
        usec_t deadline = clock_monotonic() + PATIENCE, now;
        int r;

        while ((now = clock_monotonic()) < deadline) {
                r = sd_journal_seek_head(journal);
                if (r >= 0)
                        r = sd_journal_next(journal);
                if (r != 0)
                        return r;
                r = sd_journal_wait(journal,
                                    deadline - now < USEC_PER_SEC ? deadline - now : USEC_PER_SEC);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A trusted field, which only the journal itself can set. */
static const char *trusted(sd_journal *journal, const char *field, char *buffer, size_t size) {
        const void *data;
        size_t length, name = strlen(field) + 1;

        if (sd_journal_get_data(journal, field, &data, &length) < 0 || length < name)
                return text_clean(buffer, size, "?", 1);
        return text_clean(buffer, size, (const char *)data + name, length - name);
}

static void judge(json_t *kept, sd_journal *journal, const char *unit) {
        char writer[128], uid[16];
        struct error err = { 0 };

        (void)trusted(journal, "_SYSTEMD_UNIT", writer, sizeof(writer));
        (void)trusted(journal, "_UID", uid, sizeof(uid));
        if (!unit || strcmp(writer, unit) == 0) {
                finding_ok(kept, "read back, written by %s as uid %s", writer, uid);
                return;
        }
        (void)error_set(&err, DIAG_AUDIT_UNAVAILABLE,
                        "the journal says that %s wrote it, and not %s", writer, unit);
        error_remedy_set(
            &err, "Records count only as the unit's own: see that %s is what runs the daemon.",
            unit);
        finding_broken(kept, &err);
}

static void check_persistent(struct findings *findings, json_t *parent) {
        json_t *finding = finding_add(findings, parent, "persistent", "over a restart of the host");

        if (access("/var/log/journal", F_OK) == 0) {
                finding_ok(finding, NULL);
                return;
        }
        finding_note(finding,
                     "there is no /var/log/journal: records are lost when the host restarts");
        finding_remedy(
            finding,
            "Set Storage=persistent in journald.conf(5), or make the directory and restart "
            "systemd-journald.");
}

void journal_keeps(struct findings *findings, json_t *steps, const char *unit) {
        json_t *branch = find(steps, "journal"),
               *written = find(json_object_get(branch, "steps"), "written"), *kept;
        const char *id = json_member_string(written, "self_test");
        sd_journal *journal = NULL;
        struct error err = { 0 };
        int r;

        if (!branch || !written || finding_is(written, "note"))
                return;
        kept = finding_add(findings, branch, "kept", "keeps it");
        if (!id) {
                finding_unchecked(kept, "nothing was written");
                return;
        }
        r = open_journal(&journal, id);
        if (r >= 0)
                r = await_line(journal);
        if (r > 0) {
                judge(kept, journal, unit);
                check_persistent(findings, branch);
        } else if (r == 0 && geteuid() == 0) {
                (void)error_set(&err, DIAG_AUDIT_UNAVAILABLE,
                                "what was written was not found within %u s",
                                (unsigned)(PATIENCE / USEC_PER_SEC));
                error_remedy_set(
                    &err,
                    "See 'systemctl status systemd-journald', and Storage= and the rate limit in "
                    "journald.conf(5).");
                finding_broken(kept, &err);
        } else {
                finding_unchecked(kept, "this user cannot read the journal%s%s", r < 0 ? ": " : "",
                                  r < 0 ? strerror(-r) : "");
        }
        sd_journal_close(journal);
}
