#include "forge/job_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "forge/gitlab_event.h"

const char *vouched_name(enum vouched vouched) {
        static const char *const names[VOUCHED_COUNT] = { [VOUCHED_NO] = "no",
                                                          [VOUCHED_OIDC] = "oidc",
                                                          [VOUCHED_RUN_API] = "run-api",
                                                          [VOUCHED_REPOSITORY] = "repository" };

        return names[vouched];
}

void job_facts_set_event(struct job_facts *facts, const char *event) {
        facts->event_known = fact_set(facts->event, sizeof(facts->event), event) &&
                             strcmp(facts->event, "workflow_call") != 0;
}

bool job_facts_tell_fork(enum forge_type type, const struct job_facts *facts) {
        /* GitHub's token for a fork's job is for the same repository, and may only read; the
         * others' may not push. */
        if (facts->by == VOUCHED_REPOSITORY)
                return type != FORGE_GITHUB;
        if (!facts->event_known)
                return false;
        if (type == FORGE_GITLAB)
                return gitlab_event_tells_fork(facts->event) ||
                       (facts->by == VOUCHED_OIDC && strcmp(facts->event, "pull_request") == 0);
        if (facts->by == VOUCHED_RUN_API || !text_starts_with(facts->event, "pull_request"))
                return true;
        /* No claim names a pull request's head.  Forgejo gives no ID token to the jobs of a fork's
         * or AGit pull request; GitHub does where an administrator lets such jobs have write
         * tokens.  Of what a pull request's event starts in the base repository nobody says whose
         * it was. */
        return type == FORGE_FORGEJO && strcmp(facts->event, "pull_request_target") != 0;
}

/* Cut or cleaned it would be another text, which might fit a rule. */
bool fact_set(char *buffer, size_t size, const char *text) {
        size_t length = text ? strlen(text) : 0;

        buffer[0] = '\0';
        if (length == 0 || length >= size || size < 4)
                return false;
        (void)text_clean(buffer, size, text, length);
        if (strcmp(buffer, text) == 0)
                return true;
        buffer[0] = '\0';
        return false;
}

bool fact_set_number(char *buffer, size_t size, const json_t *number) {
        const char *text = json_string_value(number);

        buffer[0] = '\0';
        if (json_is_integer(number) && json_integer_value(number) >= 0)
                return snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(number)) <
                       (int)size;
        return text && strspn(text, "0123456789") == strlen(text) && fact_set(buffer, size, text);
}

bool fact_is_repository(const char *name) {
        const char *slash = strchr(name, '/');
        size_t length = strlen(name);

        return slash && slash != name && name[length - 1] != '/' && !strstr(name, "//");
}
