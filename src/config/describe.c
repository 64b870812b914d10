/*
 * What is in force and where it was written, for people who wonder.
 */
#include "config/draft.h"

#include "base/cleanup.h"
#include "config/values.h"

/* The one default that depends on another section. */
static const char *default_value(const struct section *section, enum key_id id, const struct config *config) {
        const struct token_config *token = id == TOKEN_USERNAME ? config_find_token(config, section->name) : NULL;

        return token ? token->username : NULL;
}

static void describe_key(const struct section *section, enum key_id id, const struct config *config,
                         config_visitor visit, void *userdata) {
        const struct setting *setting = &section->settings[id];
        struct config_setting shown = { .kind = section_kind_name(section->kind), .name = section->name,
                                        .key = key_get(id)->name };

        if (setting->n_items == 0) {
                shown.value = default_value(section, id, config);
                shown.file = setting->origin.file;      /* an empty value is written too */
                shown.line = setting->origin.line;
                visit(&shown, userdata);
        }
        for (size_t i = 0; i < setting->n_items; i++) {
                char text[VALUE_TEXT_MAX];

                shown.value = value_is_number(key_get(id)) ? value_format(key_get(id), setting->items[i].number, text) :
                                                             setting->items[i].text;
                shown.file = setting->items[i].origin.file;
                shown.line = setting->items[i].origin.line;
                visit(&shown, userdata);
        }
}

void draft_describe(const struct draft *draft, const struct config *config, config_visitor visit, void *userdata) {
        for (size_t i = 0; i < draft->n_sections; i++)
                for (enum key_id id = 0; id < KEY_COUNT; id++)
                        if (key_get(id)->section == draft->sections[i]->kind && key_get(id)->state != KEY_PLANNED)
                                describe_key(draft->sections[i], id, config, visit, userdata);
}
