/*
 * What the rules about jobs and their proof need.
 */
#include "config/check.h"

static bool is_asked_for(const struct section *section, enum key_id id) {
        return !setting_is_left(section, id) && setting_is_set(section, id);
}

static bool is_required(const struct section *section) {
        return setting_number(section, TOKEN_PROOF) != 0;
}

/* Without a proof these would be believed of whoever says so: not even read. */
static void check_unproven(const struct draft *draft, const struct section *section) {
        static const enum key_id about_jobs[] = { TOKEN_VOUCHED_BY, TOKEN_JOB_REPOSITORIES,
                                                  TOKEN_JOB_EVENTS, TOKEN_JOB_REFS };

        for (size_t i = 0; i < ELEMENTS(about_jobs); i++)
                if (is_asked_for(section, about_jobs[i]))
                        report_at(draft, section, about_jobs[i],
                                  "'%s' without 'proof = required' would be enforced by nothing; "
                                  "expected both or neither",
                                  key_get(about_jobs[i])->name);
}

static bool is_of_type(const struct section *forge, enum forge_type type) {
        return setting_is_set(forge, FORGE_KEY_TYPE) &&
               setting_number(forge, FORGE_KEY_TYPE) == (uint64_t)type;
}

void check_job_rules(const struct draft *draft, const struct section *section,
                     const struct section *forge) {
        const struct section *voucher =
            check_reference(draft, section, TOKEN_VOUCHED_BY, SECTION_FORGE);
        enum key_id named = voucher ? TOKEN_VOUCHED_BY : TOKEN_PROOF;

        if (section->settings[TOKEN_PROOF].bad)
                return;
        if (!is_required(section)) {
                check_unproven(draft, section);
                return;
        }
        if (!setting_is_written(section, TOKEN_JOB_REPOSITORIES))
                report_at(draft, section, TOKEN_PROOF,
                          "'proof = required' without 'job_repositories'; expected the "
                          "repositories whose jobs get the token");
        if (!voucher && setting_is_written(section, TOKEN_VOUCHED_BY))
                return;
        voucher = voucher ? voucher : forge;
        if (voucher && is_of_type(voucher, FORGE_OTHER))
                report_at(draft, section, named,
                          "[forge %s] is of type other and vouches for no job; expected "
                          "'vouched_by' with a forge of type "
                          "forgejo, gitea, github or gitlab",
                          voucher->name);
}

void check_id_tokens(const struct draft *draft, const struct section *section) {
        static const enum key_id further[] = { FORGE_KEY_OIDC_ISSUER, FORGE_KEY_ID_TOKEN_HOSTS };
        bool accepted = setting_is_written(section, FORGE_KEY_OIDC_AUDIENCE);

        for (size_t i = 0; i < ELEMENTS(further) && !accepted; i++)
                if (is_asked_for(section, further[i]))
                        report_at(draft, section, further[i],
                                  "'%s' without 'oidc_audience', so that no ID token is accepted; "
                                  "expected both or neither",
                                  key_get(further[i])->name);
        if (accepted && (is_of_type(section, FORGE_GITEA) || is_of_type(section, FORGE_OTHER)))
                report_at(
                    draft, section, FORGE_KEY_OIDC_AUDIENCE,
                    "'oidc_audience' for a forge of type %s, which issues no ID tokens to its "
                    "jobs; expected it with "
                    "forgejo, github or gitlab",
                    forge_type_name((enum forge_type)setting_number(section, FORGE_KEY_TYPE)));
}
