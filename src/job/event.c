#include "job/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "job/json_reader.h"

#define REPOSITORY_MAX 160

static void judge(struct event *event, enum event_trust trust, const char *format, ...)
    _printf_(3, 4);

static void judge(struct event *event, enum event_trust trust, const char *format, ...) {
        char text[512];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        event->trust = trust;
        (void)text_clean(event->reason, sizeof(event->reason), text, strlen(text));
}

static bool is_null(struct json object, const char *name) {
        struct json value;

        return json_member(object, name, &value) && json_type(value) == JSON_NULL;
}

/* AGit: pushed to refs/for/..., which readers may do; head and base are the same repository
 * then. */
static bool is_agit(struct json pull, bool *ret_senseless) {
        struct json flow;

        *ret_senseless = false;
        if (!json_member(pull, "flow", &flow) || (flow.length == 1 && *flow.text == '0'))
                return false;
        if (flow.length == 1 && *flow.text == '1')
                return true;
        *ret_senseless = true;
        return false;
}

static bool repository_name(struct json side, char name[static REPOSITORY_MAX]) {
        struct json repository;

        return json_member(side, "repo", &repository) &&
               json_text(repository, "full_name", name, REPOSITORY_MAX) && name[0] != '\0';
}

static void judge_pull(struct event *event, struct json pull) {
        char head_name[REPOSITORY_MAX], base_name[REPOSITORY_MAX];
        struct json head, base;
        bool senseless;

        if (json_type(pull) != JSON_OBJECT || !json_member(pull, "head", &head) ||
            !json_member(pull, "base", &base) || !repository_name(base, base_name)) {
                judge(event, EVENT_UNRESOLVED,
                      "the event does not say which repositories its pull request is between");
                return;
        }
        if (is_null(head, "repo")) {
                judge(event, EVENT_UNTRUSTED, "a pull request to %s from a repository that is gone",
                      base_name);
                return;
        }
        if (!repository_name(head, head_name)) {
                judge(event, EVENT_UNRESOLVED,
                      "the event does not say where the pull request to %s comes from", base_name);
                return;
        }
        if (strcasecmp(head_name, base_name) != 0) {
                judge(event, EVENT_UNTRUSTED, "a pull request from the fork %s of %s", head_name,
                      base_name);
                return;
        }
        if (is_agit(pull, &senseless)) {
                judge(event, EVENT_UNTRUSTED,
                      "an AGit pull request to %s, which who may only read can make", base_name);
                return;
        }
        if (senseless)
                judge(event, EVENT_UNRESOLVED,
                      "a pull request to %s of a kind that is not known (flow)", base_name);
        else
                judge(event, EVENT_TRUSTED, "a pull request from a branch of %s itself", base_name);
}

static const struct {
        const char *name;
        enum event_trust trust;
} known_events[] = {
        { "push", EVENT_TRUSTED },
        { "schedule", EVENT_TRUSTED },
        { "workflow_dispatch", EVENT_TRUSTED },
        { "create", EVENT_TRUSTED },
        { "release", EVENT_TRUSTED },
        { "delete", EVENT_TRUSTED },
        { "pull_request_target", EVENT_OUTSIDER },
        { "workflow_run", EVENT_OUTSIDER },
        { "issue_comment", EVENT_OUTSIDER },
        { "issues", EVENT_OUTSIDER },
};

static bool judge_known(struct event *event, const char *name) {
        for (size_t i = 0; i < ELEMENTS(known_events); i++) {
                if (strcmp(known_events[i].name, name) != 0)
                        continue;
                if (known_events[i].trust == EVENT_TRUSTED)
                        judge(event, EVENT_TRUSTED, "only who may write sets off '%s'", name);
                else
                        judge(event, EVENT_OUTSIDER,
                              "'%s' has the repository's secrets, but an outsider may have set it "
                              "off",
                              name);
                return true;
        }
        return false;
}

static bool has(struct json object, const char *name, enum json_type type) {
        struct json value;

        return json_member(object, name, &value) && json_type(value) == type;
}

/* NULL if no event of known_events looks like this. */
static const char *name_of_shape(struct json payload) {
        if (has(payload, "comment", JSON_OBJECT))
                return "issue_comment";
        if (has(payload, "issue", JSON_OBJECT))
                return "issues";
        if (has(payload, "workflow_run", JSON_OBJECT))
                return "workflow_run";
        if (has(payload, "release", JSON_OBJECT))
                return "release";
        if (has(payload, "ref", JSON_STRING) && has(payload, "before", JSON_STRING) &&
            has(payload, "after", JSON_STRING))
                return "push";
        if (has(payload, "ref", JSON_STRING) && has(payload, "ref_type", JSON_STRING))
                return "create"; /* or delete: the same to us */
        if (has(payload, "ref", JSON_STRING) && has(payload, "workflow", JSON_STRING))
                return "workflow_dispatch";
        return has(payload, "schedule", JSON_STRING) ? "schedule" : NULL;
}

static void judge_call(struct event *event, struct json payload) {
        const char *shape = name_of_shape(payload);
        struct json pull;

        /* Comments on a pull request carry it as well, and are anyone's. */
        if ((!shape || strcmp(shape, "issue_comment") != 0) &&
            json_member(payload, "pull_request", &pull) && json_type(pull) != JSON_NULL)
                judge_pull(event, pull);
        else if (!shape || !judge_known(event, shape))
                judge(event, EVENT_UNRESOLVED,
                      "the event of the workflow that called this one cannot be told from its "
                      "payload");
}

static bool parse(struct event *event, const char *payload, size_t length, const char *why,
                  struct json *ret) {
        size_t at;

        if (!payload) {
                judge(event, EVENT_UNRESOLVED, "the event cannot be read: %s", why);
                return false;
        }
        if (!json_read(payload, length, ret, &why, &at)) {
                judge(event, EVENT_UNRESOLVED,
                      "the event cannot be read: its file has %s at byte %zu", why, at);
                return false;
        }
        if (json_type(*ret) != JSON_OBJECT) {
                judge(event, EVENT_UNRESOLVED, "the event cannot be read: its file has no object");
                return false;
        }
        return true;
}

void event_judge(const char *name, const char *payload, size_t length, const char *why,
                 struct event *ret) {
        struct json object, pull;

        (void)text_clean(ret->name, sizeof(ret->name), name ? name : "", name ? strlen(name) : 0);
        if (!ret->name[0])
                judge(ret, EVENT_UNRESOLVED, "the job's environment names no event");
        else if (judge_known(ret, name))
                return;
        else if (strcmp(name, "pull_request") != 0 && strcmp(name, "workflow_call") != 0)
                judge(ret, EVENT_UNRESOLVED, "'%s' is no event that is known here", ret->name);
        else if (!parse(ret, payload, length, why, &object))
                return;
        else if (strcmp(name, "workflow_call") == 0)
                judge_call(ret, object);
        else if (json_member(object, "pull_request", &pull))
                judge_pull(ret, pull);
        else
                judge(ret, EVENT_UNRESOLVED, "the event's file has no pull request");
}
