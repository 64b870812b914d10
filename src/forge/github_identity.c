/*
 * Who a token of GitHub's is: a person's classic one shows its scopes, a person's fine-grained one
 * does not, and that of an App or a job has no person.
 */
#include "forge/github_probes.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

bool github_is_installation(const struct forge_inquiry *inquiry) {
        return inquiry_status(inquiry, USER) == 403 &&
               strcmp(inquiry->replies[USER].text, "Resource not accessible by integration") == 0;
}

/* Of scopes, in the header. */
#define SEPARATORS ", \t"

const char *github_scopes(const struct forge_inquiry *inquiry) {
        return http_header(&inquiry->replies[USER].response, "x-oauth-scopes");
}

bool github_has_scope(const char *scopes, const char *name) {
        size_t length = strlen(name);

        for (const char *p = scopes; *p;) {
                size_t n = strcspn(p, SEPARATORS);

                if (n == length && strncmp(p, name, n) == 0)
                        return true;
                p += n;
                p += strspn(p, SEPARATORS);
        }
        return false;
}

/* Git calls an installation by its name when it refuses it: "Permission to O/R.git denied to
 * github-actions[bot]." */
static const char *refused_name(const struct forge_inquiry *inquiry,
                                char made[static FORGE_MADE_MAX]) {
        static const char before[] = " denied to ";
        const char *name = strstr(inquiry->replies[PUSH].text, before);

        if (!name || inquiry_status(inquiry, PUSH) != 403)
                return "the App or job whose token it is";
        name += sizeof(before) - 1;
        (void)snprintf(made, FORGE_MADE_MAX, "%.*s", (int)strcspn(name, "."), name);
        return made;
}

const char *github_value(const struct forge_inquiry *inquiry, const char *name,
                         char made[static FORGE_MADE_MAX]) {
        static const char *const rulesets[GITHUB_RULESETS_MAX] = { "ruleset_a", "ruleset_b",
                                                                   "ruleset_c", "ruleset_d" };
        const char *login = json_member_string(inquiry->replies[USER].root, "login");

        for (size_t n = 0; n < ELEMENTS(rulesets); n++) {
                if (strcmp(name, rulesets[n]) != 0)
                        continue;
                (void)snprintf(made, FORGE_MADE_MAX, "%" JSON_INTEGER_FORMAT,
                               github_ruleset(inquiry, n));
                return made;
        }
        if (strcmp(name, "who") == 0 && github_is_installation(inquiry))
                return refused_name(inquiry, made);
        if (strcmp(name, "who") == 0)
                return login && *login ? login : NULL;
        if (strcmp(name, "draft") == 0)
                return draft_number(inquiry, CREATE, made);
        return strcmp(name, "service") == 0 ? upload_service(inquiry, CHALLENGE, made) : NULL;
}

/* "2026-12-31 00:00:00 UTC", or with an offset. */
static usec_t read_expiry(const char *text) {
        struct tm tm = { 0 };
        const char *end = text ? strptime(text, "%Y-%m-%d %H:%M:%S ", &tm) : NULL;
        long offset = 0;
        time_t at;

        if (end && strcmp(end, "UTC") != 0) {
                end = strptime(end, "%z", &tm);
                offset = tm.tm_gmtoff;
        }
        if (!end || (*end && strcmp(end, "UTC") != 0))
                return 0;
        at = timegm(&tm) - offset;
        return at > 0 ? (usec_t)at * USEC_PER_SEC : 0;
}

void github_identify(const struct forge_inquiry *inquiry, struct forge_report *report) {
        const char *login = json_member_string(inquiry->replies[USER].root, "login"),
                   *scopes = github_scopes(inquiry);
        json_int_t count;

        forge_report_login(inquiry, report, login);
        report->expires_at = read_expiry(http_header(&inquiry->replies[USER].response,
                                                     "github-authentication-token-expiration"));
        forge_finding_yes(inquiry, &report->identity, "the forge knows the token");
        if (github_is_installation(inquiry)) {
                report->kind = "installation";
                if (json_member_int(inquiry_object(inquiry, INSTALLATION, 200), "total_count",
                                    &count) &&
                    count == 1)
                        forge_finding_yes(inquiry, &report->identity,
                                          "it is a job's own token, or an App's for one "
                                          "repository: it has no user");
                else
                        forge_finding_yes(inquiry, &report->identity,
                                          "it is an App's or a job's own token: it has no user");
        } else {
                report->kind = scopes ? "personal-access-token" : "fine-grained-token";
        }
        report->scopes_known = scopes != NULL;
        for (size_t length; scopes && *scopes;
             scopes += length + strspn(scopes + length, SEPARATORS)) {
                length = strcspn(scopes, SEPARATORS);
                forge_report_scope(report, scopes, length);
        }
}
