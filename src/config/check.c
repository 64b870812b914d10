/*
 * What is wrong between keys and between sections; what is wrong with one value alone was reported
 * where it was read.
 */
#include "config/check.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/problems.h"
#include "config/suggest.h"
#include "config/url.h"
#include "config/values.h"

#define LABEL_MAX 96

static const char *section_label(const struct section *section, char label[static LABEL_MAX]) {
        (void)snprintf(label, LABEL_MAX, "[%s%s%s]", section_kind_name(section->kind),
                       section->name ? " " : "", section->name ? section->name : "");
        return label;
}

static void check_required(const struct draft *draft, const struct section *section) {
        char label[LABEL_MAX], expected[VALUE_EXPECTED_MAX];

        for (size_t i = 0; i < KEY_COUNT; i++) {
                const struct key *key = key_get((enum key_id)i);

                if (key->section != section->kind || !key->required ||
                    setting_is_written(section, (enum key_id)i))
                        continue;
                config_problem_add(draft->problems, section->origin.file, section->origin.line,
                                   "%s has no '%s', %s; expected %s", section_label(section, label),
                                   key->name, key->help, value_expected(key, expected));
        }
}

/* Two keys of which one means nothing without the other. */
static void check_pair(const struct draft *draft, const struct section *section, enum key_id one,
                       enum key_id other) {
        bool has_one = setting_is_written(section, one),
             has_other = setting_is_written(section, other);
        enum key_id written = has_one ? one : other, missing = has_one ? other : one;

        if (has_one == has_other)
                return;
        report_at(draft, section, written, "'%s' without '%s'; expected both or neither",
                  key_get(written)->name, key_get(missing)->name);
}

static void check_broker(const struct draft *draft, const struct section *section) {
        const char *control = setting_text(section, BROKER_CONTROL_SOCKET),
                   *jobs = setting_text(section, BROKER_SOCKET);
        const char *credential = setting_text(section, BROKER_CREDENTIAL_SOCKET);

        if (control && jobs && strcmp(control, jobs) == 0)
                report_at(draft, section, BROKER_CONTROL_SOCKET,
                          "'control_socket' is the same path as 'socket'; expected another one, or "
                          "nothing for "
                          "everything on the one socket");
        if (credential && ((control && strcmp(credential, control) == 0) ||
                           (jobs && strcmp(credential, jobs) == 0)))
                report_at(draft, section, BROKER_CREDENTIAL_SOCKET,
                          "'credential_socket' is the same path as another socket's, and speaks "
                          "another protocol; expected "
                          "a path of its own, or nothing for no such socket");
}

static void check_plaintext(const struct draft *draft, const struct section *section) {
        const struct setting *urls = &section->settings[IDENTITY_URL];

        if (setting_number(section, IDENTITY_ALLOW_PLAINTEXT))
                return;
        for (size_t i = 0; i < urls->n_items; i++) {
                const struct setting_item *url = &urls->items[i];

                if (url_is_plaintext(url->text) && !url_is_loopback(url->text))
                        config_problem_add(
                            draft->problems, url->origin.file, url->origin.line,
                            "'url' is http:// to another host, which would show tokens to the "
                            "network; "
                            "expected https://, or 'allow_plaintext = yes' in this section");
        }
}

static void check_identity(const struct draft *draft, const struct section *section) {
        char label[LABEL_MAX];

        check_plaintext(draft, section);
        check_pair(draft, section, IDENTITY_CLIENT_ID_FILE, IDENTITY_CLIENT_SECRET_FILE);
        if (!setting_is_written(section, IDENTITY_TOKEN_FILE) &&
            !setting_is_written(section, IDENTITY_CLIENT_ID_FILE) &&
            !setting_is_written(section, IDENTITY_CLIENT_SECRET_FILE))
                config_problem_add(draft->problems, section->origin.file, section->origin.line,
                                   "%s has no credential; expected 'token_file', %s",
                                   section_label(section, label), value_credential.expected);
        if (setting_number(section, IDENTITY_CONNECT_TIMEOUT) >
                setting_number(section, IDENTITY_TIMEOUT) &&
            setting_is_set(section, IDENTITY_TIMEOUT))
                report_at(draft, section, IDENTITY_CONNECT_TIMEOUT,
                          "'connect_timeout' is longer than 'timeout', which covers it; expected "
                          "at most as long");
}

/* The sections a reference can name; what was not found may be a misspelling of one. */
static void report_unknown_reference(const struct draft *draft, const struct section *section,
                                     enum key_id id, enum section_kind kind) {
        const char *kind_name = section_kind_name(kind), *wanted = setting_text(section, id);
        struct suggestion nearest = { 0 };
        char label[LABEL_MAX];

        if (!section->settings[id].origin.file) {
                report_at(
                    draft, section, id,
                    "%s has no '%s', and there is no [%s %s], the default; expected one of them",
                    section_label(section, label), key_get(id)->name, kind_name, wanted);
                return;
        }
        for (size_t i = 0; i < draft->n_sections; i++)
                if (draft->sections[i]->kind == kind && draft->sections[i]->name)
                        suggestion_consider(&nearest, wanted, draft->sections[i]->name);
        if (nearest.word)
                report_at(draft, section, id, "'%s' names no section; did you mean [%s %s]?",
                          key_get(id)->name, kind_name, nearest.word);
        else
                report_at(draft, section, id,
                          "'%s' names no section; expected the NAME of a [%s NAME]",
                          key_get(id)->name, kind_name);
}

const struct section *check_reference(const struct draft *draft, const struct section *section,
                                      enum key_id id, enum section_kind kind) {
        const struct section *found;

        if (!setting_is_set(section, id))
                return NULL;
        found = draft_find(draft, kind, setting_text(section, id));
        if (!found)
                report_unknown_reference(draft, section, id, kind);
        return found;
}

/* A source that is asked for by name must have what it needs. */
static void check_sources(const struct draft *draft, const struct section *section,
                          const struct section *identity) {
        const struct setting *sources = &section->settings[TOKEN_SOURCES];

        for (size_t i = 0; i < sources->n_items; i++) {
                const struct setting_item *item = &sources->items[i];
                const struct section *owner = identity;
                enum key_id needed;

                switch ((enum source)item->number) {
                case SOURCE_INFISICAL_TOKEN_AUTH:
                        needed = IDENTITY_TOKEN_FILE;
                        break;
                case SOURCE_INFISICAL_UNIVERSAL_AUTH:
                        needed = IDENTITY_CLIENT_ID_FILE;
                        break;
                default:
                        needed = TOKEN_DIRECT_ENV;
                        owner = section;
                        break;
                }
                if (owner && !setting_is_written(owner, needed))
                        config_problem_add(
                            draft->problems, item->origin.file, item->origin.line,
                            "'sources' lists %s, which needs '%s' in [%s]; expected it there",
                            source_name((enum source)item->number), key_get(needed)->name,
                            section_kind_name(owner->kind));
        }
}

static void check_max_stale(const struct draft *draft, const struct section *section) {
        usec_t refresh = setting_number(section, TOKEN_REFRESH),
               max_stale = setting_number(section, TOKEN_MAX_STALE);
        char refresh_text[CLOCK_TEXT_MAX], stale_text[CLOCK_TEXT_MAX];

        if (!setting_is_set(section, TOKEN_MAX_STALE) || max_stale == 0 || max_stale >= refresh)
                return;
        report_at(draft, section,
                  section->settings[TOKEN_MAX_STALE].origin.file ? TOKEN_MAX_STALE : TOKEN_REFRESH,
                  "'max_stale' (%s) is shorter than 'refresh' (%s); expected at least as long, or "
                  "0s so that only fresh "
                  "values are served",
                  clock_format_span(max_stale, stale_text),
                  clock_format_span(refresh, refresh_text));
}

static void check_token(const struct draft *draft, const struct section *section) {
        const struct section *forge, *identity;

        forge = check_reference(draft, section, TOKEN_FORGE, SECTION_FORGE);
        identity = check_reference(draft, section, TOKEN_IDENTITY, SECTION_IDENTITY);
        check_pair(draft, section, TOKEN_DIRECT_ENV, TOKEN_DIRECT_ENV_UNTIL);
        check_sources(draft, section, identity);
        check_max_stale(draft, section);
        check_job_rules(draft, section, forge);
}

/* Names are compared exactly; two that differ in case only are one name with a typo. */
static void check_names(const struct draft *draft) {
        for (size_t i = 1; i < draft->n_sections; i++) {
                const struct section *section = draft->sections[i];

                for (size_t k = 0; k < i; k++) {
                        const struct section *earlier = draft->sections[k];

                        if (!section->name || !earlier->name || earlier->kind != section->kind ||
                            strcasecmp(earlier->name, section->name) != 0)
                                continue;
                        config_problem_add(draft->problems, section->origin.file,
                                           section->origin.line,
                                           "[%s %s] differs from [%s %s] in %s:%u in case only; "
                                           "expected one spelling",
                                           section_kind_name(section->kind), section->name,
                                           section_kind_name(earlier->kind), earlier->name,
                                           earlier->origin.file, earlier->origin.line);
                        break;
                }
        }
}

static bool same_text(const char *a, const char *b) {
        return a && b && strcmp(a, b) == 0;
}

static const char *find_target(const struct section *section, const char *wanted) {
        const struct setting *targets = &section->settings[TOKEN_FOR];

        for (size_t i = 0; i < targets->n_items; i++)
                if (strcasecmp(targets->items[i].text, wanted) == 0)
                        return targets->items[i].text;
        return NULL;
}

/* One pattern in two tokens of one forge decides nothing: every place that it fits would be a
 * tie. */
static void check_targets(const struct draft *draft, const struct section *section, size_t before) {
        const struct setting *targets = &section->settings[TOKEN_FOR];

        for (size_t i = 0; i < targets->n_items; i++) {
                for (size_t k = 0; k < before; k++) {
                        const struct section *earlier = draft->sections[k];

                        if (earlier->kind != SECTION_TOKEN ||
                            !find_target(earlier, targets->items[i].text) ||
                            !same_text(setting_text(section, TOKEN_FORGE),
                                       setting_text(earlier, TOKEN_FORGE)))
                                continue;
                        config_problem_add(draft->problems, targets->items[i].origin.file,
                                           targets->items[i].origin.line,
                                           "'for' has the pattern '%s', which [token %s] of the "
                                           "same forge has as well; "
                                           "expected one token for it",
                                           targets->items[i].text, earlier->name);
                }
        }
}

void draft_check(const struct draft *draft) {
        static void (*const checks[SECTION_KIND_COUNT])(const struct draft *,
                                                        const struct section *) = {
                [SECTION_BROKER] = check_broker,
                [SECTION_IDENTITY] = check_identity,
                [SECTION_FORGE] = check_id_tokens,
                [SECTION_TOKEN] = check_token,
        };
        bool any_token = false;

        for (size_t i = 0; i < draft->n_sections; i++) {
                const struct section *section = draft->sections[i];

                any_token = any_token || section->kind == SECTION_TOKEN;
                check_required(draft, section);
                if (checks[section->kind])
                        checks[section->kind](draft, section);
                if (section->kind == SECTION_TOKEN)
                        check_targets(draft, section, i);
        }
        check_names(draft);
        if (!any_token && !draft->skipped_section)
                config_problem_add(
                    draft->problems, draft->n_files > 0 ? draft->files[0] : "", 0,
                    "no [token NAME] section; expected one for each token that jobs may ask for");
}
