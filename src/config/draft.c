#include "config/draft.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/ini.h"
#include "config/pasted.h"
#include "config/problems.h"
#include "config/suggest.h"
#include "config/values.h"

static void out_of_memory(const struct draft *draft) {
        config_problem_add(draft->problems,
                           draft->n_files > 0 ? draft->files[draft->n_files - 1] : "", 0,
                           "not enough memory to read the configuration");
}

static struct origin here(const struct draft *draft, unsigned line) {
        return (struct origin){ .file = draft->files[draft->n_files - 1], .line = line };
}

#define report(draft, line, ...)                                                                   \
        config_problem_add((draft)->problems, here(draft, line).file, line, __VA_ARGS__)

static void setting_clear(struct setting *setting) {
        for (size_t i = 0; i < setting->n_items; i++)
                free(setting->items[i].text);
        free(setting->items);
        setting->items = NULL;
        setting->n_items = 0;
}

static struct section *section_free(struct section *section) {
        if (!section)
                return NULL;
        for (size_t i = 0; i < KEY_COUNT; i++)
                setting_clear(&section->settings[i]);
        free(section->name);
        free(section);
        return NULL;
}

/* Takes over @value's text.  A list keeps one of two equal items: a drop-in may repeat what the
 * main file says. */
static bool setting_add(struct setting *setting, struct value_read value, struct origin origin) {
        struct setting_item *items;

        for (size_t i = 0; i < setting->n_items; i++) {
                const struct setting_item *item = &setting->items[i];

                if (item->number != value.number ||
                    (value.text && strcmp(item->text, value.text) != 0))
                        continue;
                free(value.text);
                return true;
        }
        items = reallocarray(setting->items, setting->n_items + 1, sizeof(*items));
        if (!items) {
                free(value.text);
                return false;
        }
        items[setting->n_items] =
            (struct setting_item){ .text = value.text, .number = value.number, .origin = origin };
        setting->items = items;
        setting->n_items++;
        return true;
}

static struct section *add_section(struct draft *draft, enum section_kind kind, const char *name,
                                   struct origin origin) {
        struct section *section, **sections;

        if (draft->n_sections >= DRAFT_SECTIONS_MAX) {
                if (!draft->too_many_sections)
                        config_problem_add(draft->problems, origin.file, origin.line,
                                           "too many sections; expected at most %d",
                                           DRAFT_SECTIONS_MAX);
                draft->too_many_sections = true;
                return NULL;
        }
        section = calloc(1, sizeof(*section));
        sections = reallocarray(draft->sections, draft->n_sections + 1, sizeof(struct section *));
        if (sections)
                draft->sections = sections;
        if (section && name)
                section->name = strdup(name);
        if (!section || !sections || (name && !section->name)) {
                out_of_memory(draft);
                return section_free(section);
        }
        section->kind = kind;
        section->origin = origin;
        draft->sections[draft->n_sections++] = section;
        return section;
}

struct section *draft_find(const struct draft *draft, enum section_kind kind, const char *name) {
        for (size_t i = 0; i < draft->n_sections; i++) {
                struct section *section = draft->sections[i];

                if (section->kind == kind && section->name && strcmp(section->name, name) == 0)
                        return section;
        }
        return NULL;
}

static void report_unknown_section(const struct draft *draft, unsigned line, const char *kind) {
        static const char expected[] =
            "expected [broker], [identity NAME], [forge NAME] or [token NAME]";
        struct suggestion nearest = { 0 };

        for (size_t i = 0; i < SECTION_KIND_COUNT; i++)
                suggestion_consider(&nearest, kind, section_kind_name((enum section_kind)i));
        if (!pasted_may_be_quoted(kind))
                report(draft, line, "an unknown kind of section; %s", expected);
        else if (nearest.word)
                report(draft, line, "unknown kind of section '%s'; did you mean '%s'?", kind,
                       nearest.word);
        else
                report(draft, line, "unknown kind of section '%s'; %s", kind, expected);
}

/* A section whose name is no name keeps its own place, so that what is in it is checked all the
 * same. */
static void on_section(void *context, unsigned line, const char *kind_name, const char *name) {
        struct draft *draft = context;
        enum section_kind kind;

        draft->occurrence++;
        draft->current = NULL;
        if (!kind_name || !section_kind_find(kind_name, &kind)) {
                if (kind_name)
                        report_unknown_section(draft, line, kind_name);
                draft->skipped_section = true;
                return;
        }
        if (!section_kind_has_name(kind)) {
                if (name)
                        report(draft, line, "[%s] with a name; expected [%s]", kind_name,
                               kind_name);
                draft->current = draft->sections[kind];
                if (!draft->current->origin.file)
                        draft->current->origin = here(draft, line);
                return;
        }
        if (!name) {
                report(draft, line, "[%s] without a name; expected [%s NAME]", kind_name,
                       kind_name);
        } else if (!text_is_name(name)) {
                report(draft, line, "[%s] with a name that is none; expected %s", kind_name,
                       value_reference.expected);
                name = NULL;
        }
        if (name)
                draft->current = draft_find(draft, kind, name);
        if (!draft->current)
                draft->current = add_section(draft, kind, name, here(draft, line));
}

static void report_unknown_key(const struct draft *draft, unsigned line, const char *name) {
        const char *kind = section_kind_name(draft->current->kind);
        struct suggestion nearest = { 0 };

        if (!pasted_may_be_quoted(name)) {
                report(draft, line, "an unknown key; expected a key of [%s]", kind);
                return;
        }
        for (size_t i = 0; i < KEY_COUNT; i++) {
                const struct key *key = key_get((enum key_id)i);

                if (key->section == draft->current->kind)
                        suggestion_consider(&nearest, name, key->name);
        }
        if (nearest.word) {
                report(draft, line, "unknown key '%s' in [%s]; did you mean '%s'?", name, kind,
                       nearest.word);
                return;
        }
        for (size_t i = 0; i < SECTION_KIND_COUNT; i++) {
                if (!key_find((enum section_kind)i, name))
                        continue;
                report(draft, line, "unknown key '%s' in [%s]; it belongs into [%s]", name, kind,
                       section_kind_name((enum section_kind)i));
                return;
        }
        report(draft, line, "unknown key '%s' in [%s]; expected a key of that section", name, kind);
}

/* One value of a line: read, refused or kept. */
static void take_value(struct draft *draft, unsigned line, const struct key *key,
                       struct setting *setting, const char *text) {
        char why[VALUE_WHY_MAX], expected[VALUE_EXPECTED_MAX];
        struct value_read value = { 0 };
        bool good = value_read(key, text, &value, why);

        if (!good) {
                report(draft, line, "'%s' %s; expected %s", key->name, why,
                       value_expected(key, expected));
                setting->bad = true;
        } else if (setting->n_items >= DRAFT_LIST_MAX) {
                report(draft, line, "too many values of '%s'; expected at most %d", key->name,
                       DRAFT_LIST_MAX);
                free(value.text);
        } else if (!setting_add(setting, value, here(draft, line))) {
                out_of_memory(draft);
        }
}

/* The next of the values that stand in one line, without blanks around it; NULL behind the last
 * one. */
static const char *next_item(const char **rest, char item[static INI_LINE_MAX_BYTES + 1]) {
        size_t length;
        char *stripped;

        if (!*rest)
                return NULL;
        length = strcspn(*rest, ",");
        memcpy(item, *rest, length);
        *rest = (*rest)[length] == '\0' ? NULL : *rest + length + 1;
        stripped = text_strip(item, &length);
        stripped[length] = '\0';
        return stripped;
}

static void on_setting(void *context, unsigned line, const char *name, const char *text) {
        struct draft *draft = context;
        char item[INI_LINE_MAX_BYTES + 1];
        const struct key *key;
        struct setting *setting;

        if (!draft->current)
                return;
        key = key_find(draft->current->kind, name);
        if (!key) {
                report_unknown_key(draft, line, name);
                return;
        }
        setting = &draft->current->settings[key_id(key)];
        if (!key->list && setting->origin.file && setting->occurrence == draft->occurrence)
                report(draft, line,
                       "'%s' is written twice in this section, first in line %u; expected it once",
                       key->name, setting->origin.line);
        if (!key->list || *text == '\0')
                setting_clear(setting);
        setting->origin = here(draft, line);
        setting->occurrence = draft->occurrence;
        if (key->list && *text == '\0')
                return;
        if (!key->type->commas) {
                take_value(draft, line, key, setting, text);
                return;
        }
        for (const char *rest = text, *one; (one = next_item(&rest, item));)
                take_value(draft, line, key, setting, one);
}

static void on_mistake(void *context, unsigned line, const char *text) {
        const struct draft *draft = context;

        report(draft, line, "%s", text);
}

void draft_read(struct draft *draft, const char *file, const char *bytes, size_t length) {
        static const struct ini_handler handler = { on_section, on_setting, on_mistake };
        char **files = reallocarray(draft->files, draft->n_files + 1, sizeof(char *));
        char *name = strdup(file);

        if (files)
                draft->files = files;
        if (!files || !name) {
                free(name);
                out_of_memory(draft);
                return;
        }
        draft->files[draft->n_files++] = name;
        draft->current = NULL;
        ini_parse(bytes, length, &handler, draft);
}

static bool add_fallback(const struct key *key, struct setting *setting) {
        char item[INI_LINE_MAX_BYTES + 1], why[VALUE_WHY_MAX];

        for (const char *rest = key->fallback, *one; (one = next_item(&rest, item));) {
                struct value_read value = { 0 };

                if (!value_read(key, one, &value, why) ||
                    !setting_add(setting, value, (struct origin){ 0 }))
                        return false;
        }
        return true;
}

/* Rules about jobs mean nothing without a proof: there a default would be one more that nothing
 * enforces. */
static bool has_fallback(const struct section *section, enum key_id id) {
        return key_get(id)->fallback &&
               (id != TOKEN_JOB_EVENTS || setting_number(section, TOKEN_PROOF) != 0);
}

void draft_finish(struct draft *draft) {
        for (size_t i = 0; i < draft->n_sections; i++) {
                struct section *section = draft->sections[i];

                for (size_t k = 0; k < KEY_COUNT; k++) {
                        const struct key *key = key_get((enum key_id)k);

                        if (key->section == section->kind &&
                            setting_is_left(section, (enum key_id)k) &&
                            has_fallback(section, (enum key_id)k) &&
                            !add_fallback(key, &section->settings[k]))
                                out_of_memory(draft);
                }
        }
}

struct draft *draft_new(struct config_problems *problems) {
        _cleanup_(draft_freep) struct draft *draft = calloc(1, sizeof(*draft));

        if (!draft)
                return NULL;
        draft->problems = problems;
        /* Kinds without names have one section each, written or not, at the index of the kind. */
        if (!add_section(draft, SECTION_BROKER, NULL, (struct origin){ 0 }))
                return NULL;
        return take(draft);
}

struct draft *draft_free(struct draft *draft) {
        if (!draft)
                return NULL;
        for (size_t i = 0; i < draft->n_sections; i++)
                (void)section_free(draft->sections[i]);
        free(draft->sections);
        for (size_t i = 0; i < draft->n_files; i++)
                free(draft->files[i]);
        free(draft->files);
        free(draft);
        return NULL;
}

bool setting_is_set(const struct section *section, enum key_id id) {
        return section->settings[id].n_items > 0;
}

bool setting_is_written(const struct section *section, enum key_id id) {
        return section->settings[id].n_items > 0 || section->settings[id].bad;
}

bool setting_is_left(const struct section *section, enum key_id id) {
        return !section->settings[id].origin.file;
}

const char *setting_text(const struct section *section, enum key_id id) {
        return setting_is_set(section, id) ? section->settings[id].items[0].text : NULL;
}

uint64_t setting_number(const struct section *section, enum key_id id) {
        return setting_is_set(section, id) ? section->settings[id].items[0].number : 0;
}
