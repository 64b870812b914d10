/*
 * What is in force and where it was written, for people who wonder.
 */
#include "config/draft.h"

#include <string.h>

#include "base/cleanup.h"
#include "config/values.h"

static const struct forge_config *find_forge(const struct config *config, const char *name) {
        for (size_t i = 0; i < config->n_forges; i++)
                if (strcmp(config->forges[i]->name, name) == 0)
                        return config->forges[i];
        return NULL;
}

/* The defaults that depend on other keys. */
static const char *default_value(const struct section *section, enum key_id id,
                                 const struct config *config) {
        const struct token_config *token =
            section->kind == SECTION_TOKEN ? config_find_token(config, section->name) : NULL;
        const struct forge_config *forge =
            section->kind == SECTION_FORGE ? find_forge(config, section->name) : NULL;

        if (token && id == TOKEN_USERNAME)
                return token->username;
        if (token && id == TOKEN_VOUCHED_BY && token->proof_required)
                return token->vouched_by->name;
        if (forge && id == FORGE_KEY_OIDC_ISSUER && forge->oidc_audience)
                return forge->oidc_issuer;
        if (forge && id == FORGE_KEY_ID_TOKEN_HOSTS && forge->oidc_audience)
                return forge->id_token_hosts[0];
        return NULL;
}

static void describe_key(const struct section *section, enum key_id id, const struct config *config,
                         config_visitor visit, void *userdata) {
        const struct setting *setting = &section->settings[id];
        struct config_setting shown = { .kind = section_kind_name(section->kind),
                                        .name = section->name,
                                        .key = key_get(id)->name };

        if (setting->n_items == 0) {
                shown.value = default_value(section, id, config);
                shown.file = setting->origin.file; /* an empty value is written too */
                shown.line = setting->origin.line;
                visit(&shown, userdata);
        }
        for (size_t i = 0; i < setting->n_items; i++) {
                char text[VALUE_TEXT_MAX];

                shown.value = value_is_number(key_get(id))
                                  ? value_format(key_get(id), setting->items[i].number, text)
                                  : setting->items[i].text;
                shown.file = setting->items[i].origin.file;
                shown.line = setting->items[i].origin.line;
                visit(&shown, userdata);
        }
}

void draft_describe(const struct draft *draft, const struct config *config, config_visitor visit,
                    void *userdata) {
        for (size_t i = 0; i < draft->n_sections; i++)
                for (enum key_id id = 0; id < KEY_COUNT; id++)
                        if (key_get(id)->section == draft->sections[i]->kind)
                                describe_key(draft->sections[i], id, config, visit, userdata);
}
