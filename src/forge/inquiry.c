#include "forge/inquiry.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "config/url.h"

static const char *const need_names[NEED_COUNT] = {
        [NEED_CONTENTS_READ] = "contents:read",
        [NEED_CONTENTS_WRITE] = "contents:write",
        [NEED_RELEASE_WRITE] = "release:write",
        [NEED_PACKAGES_WRITE] = "packages:write",
        [NEED_ISSUES_WRITE] = "issues:write",
        [NEED_PULL_WRITE] = "pull:write",
        [NEED_REF] = "ref",
};

const char *forge_need_name(enum forge_need need) {
        return need_names[need];
}

bool forge_need_find(const char *name, enum forge_need *ret) {
        for (enum forge_need need = 0; need < NEED_REF; need++) {
                if (strcmp(name, need_names[need]) != 0)
                        continue;
                *ret = need;
                return true;
        }
        return false;
}

const char *forge_verdict_name(enum forge_verdict verdict) {
        return verdict == FORGE_YES ? "yes" : verdict == FORGE_NO ? "no" : "cannot-tell";
}

/* The registry's address: its own host, or the forge's where nothing is said and it is the same
 * (Forgejo, Gitea). */
static void set_registry(struct forge_inquiry *inquiry) {
        const struct forge_config *forge = inquiry->question.forge;
        const char *host = strstr(forge->url, "://") + 3;
        bool is_gitea = forge->type == FORGE_FORGEJO || forge->type == FORGE_GITEA;

        if (forge->registry)
                (void)snprintf(inquiry->registry, sizeof(inquiry->registry), "%s://%s",
                               url_is_plaintext(forge->url) ? "http" : "https", forge->registry);
        else if (is_gitea)
                (void)snprintf(inquiry->registry, sizeof(inquiry->registry), "%.*s",
                               (int)(host - forge->url + (ptrdiff_t)strcspn(host, "/")),
                               forge->url);
}

/* A protected pattern of tags holds for what begins like the tag that is meant. */
static int set_tag(struct forge_inquiry *inquiry, struct error *err) {
        const char *tag = inquiry_tag(inquiry);
        unsigned char random[8];

        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return error_set(err, DIAG_INTERNAL_ERROR, "no random bytes for a name");
        (void)snprintf(inquiry->tag, sizeof(inquiry->tag), "%s%sforge-broker-preflight-",
                       tag ? tag : "", tag ? "-" : "");
        for (size_t i = 0, used = strlen(inquiry->tag); i < sizeof(random); i++)
                (void)text_append(inquiry->tag, sizeof(inquiry->tag), &used, "%02x", random[i]);
        return 0;
}

int inquiry_new(const struct forge_question *question, struct secret *token,
                struct forge_inquiry **ret, struct error *err) {
        const struct forge_adapter *adapter = forge_adapter_find(question->forge->type);
        _cleanup_(inquiry_freep) struct forge_inquiry *inquiry = NULL;
        int r;

        if (!adapter || !adapter->evidence)
                return forge_cannot_be_asked(question->forge, err);
        inquiry = calloc(1, sizeof(*inquiry));
        if (!inquiry)
                return error_oom(err);
        inquiry->question = *question;
        inquiry->adapter = adapter;
        inquiry->evidence = adapter->evidence;
        inquiry->token = secret_ref(token);
        inquiry->life = FORGE_TOKEN_UNKNOWN;
        inquiry->api = adapter->api_url(question->forge->url);
        if (!inquiry->api)
                return error_oom(err);
        set_registry(inquiry);
        r = set_tag(inquiry, err);
        if (r < 0)
                return r;
        *ret = take(inquiry);
        return 0;
}

struct forge_inquiry *inquiry_free(struct forge_inquiry *inquiry) {
        if (!inquiry)
                return NULL;
        for (size_t i = 0; i < FORGE_PROBES_MAX; i++) {
                json_decref(inquiry->replies[i].root);
                free(inquiry->replies[i].url);
        }
        (void)secret_unref(inquiry->token);
        free(inquiry->api);
        free(inquiry);
        return NULL;
}

static const char *behind(const char *text, const char *prefix) {
        return text_starts_with(text, prefix) ? text + strlen(prefix) : NULL;
}

const json_t *inquiry_object(const struct forge_inquiry *inquiry, size_t probe, int status) {
        const json_t *root = inquiry->replies[probe].root;

        return inquiry_status(inquiry, probe) == status && json_is_object(root) ? root : NULL;
}

const json_t *inquiry_list(const struct forge_inquiry *inquiry, size_t probe, bool *ret_whole) {
        const json_t *root = inquiry->replies[probe].root;

        *ret_whole = json_array_size(root) < FORGE_PAGE_MAX;
        return inquiry_status(inquiry, probe) == 200 && json_is_array(root) ? root : NULL;
}

const char *inquiry_branch(const struct forge_inquiry *inquiry) {
        return behind(inquiry->question.ref, "refs/heads/");
}

const char *inquiry_tag(const struct forge_inquiry *inquiry) {
        return behind(inquiry->question.ref, "refs/tags/");
}

bool inquiry_wants_branch(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return inquiry_branch(inquiry) != NULL;
}

bool inquiry_wants_tag(const struct forge_inquiry *inquiry, size_t of) {
        (void)of;
        return inquiry_tag(inquiry) != NULL;
}

bool inquiry_delete_failed(const struct forge_inquiry *inquiry, size_t probe) {
        return inquiry_is_over(inquiry, probe) && !inquiry_is_gone(inquiry, probe);
}

static bool is_wanted(const struct forge_inquiry *inquiry, const struct forge_probe *row) {
        return (!row->needs || row->needs & inquiry->question.needs) &&
               (!row->wanted || row->wanted(inquiry, row->of));
}

int inquiry_next(struct forge_inquiry *inquiry) {
        for (size_t i = 0; i < inquiry->evidence->n_probes; i++) {
                struct forge_reply *reply = &inquiry->replies[i];

                if (reply->state != REPLY_NOT_ASKED)
                        continue;
                if (i > 0 && i != inquiry->evidence->second && inquiry->life != FORGE_TOKEN_ALIVE)
                        continue;
                if (is_wanted(inquiry, &inquiry->evidence->probes[i])) {
                        reply->state = REPLY_AWAITED;
                        return (int)i;
                }
        }
        return -1;
}

/* A shorter one stands in too many texts that are not about it. */
#define TOKEN_MIN_BYTES 8

bool inquiry_repeats_token(const struct forge_inquiry *inquiry, const char *text) {
        return secret_length(inquiry->token) >= TOKEN_MIN_BYTES &&
               strstr(text, secret_bytes(inquiry->token));
}

void inquiry_quote(const struct forge_inquiry *inquiry, char *buffer, size_t size,
                   const char *text) {
        size_t used = 0;

        buffer[0] = '\0';
        for (; inquiry_repeats_token(inquiry, text); text += secret_length(inquiry->token)) {
                size_t before = (size_t)(strstr(text, secret_bytes(inquiry->token)) - text);

                if (!text_append(buffer, size, &used, "%.*s?", (int)before, text))
                        return;
                text += before;
        }
        (void)text_append(buffer, size, &used, "%s", text);
}

/* A registry says what it means in a list: {"errors":[{"code":"DENIED","message":"..."}]}. */
static void registry_text(const json_t *root, char *text, size_t size) {
        const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
        const char *code = json_member_string(first, "code"),
                   *message = json_member_string(first, "message");

        if (code)
                (void)snprintf(text, size, "%s%s%s", code, message && *message ? ": " : "",
                               message ? message : "");
}

/* The first line; what is no text at all ends at its first NUL. */
static void plain_text(const struct forge_inquiry *inquiry, const struct http_response *response,
                       char *text, size_t size) {
        inquiry_quote(inquiry, text, size, secret_bytes(response->body));
        text[strcspn(text, "\r\n")] = '\0';
}

static void read_reply(const struct forge_inquiry *inquiry, struct forge_reply *reply,
                       enum forge_step step, const struct http_response *response) {
        reply->state = REPLY_THERE;
        reply->response = *response;
        reply->response.body = NULL;
        if (strcmp(response->content_type, "application/json") == 0) {
                reply->root =
                    json_parse(secret_bytes(response->body), secret_length(response->body));
                inquiry_quote(inquiry, reply->text, sizeof(reply->text),
                              forge_answer_text(reply->root));
                if (step == STEP_REGISTRY && reply->text[0] == '\0')
                        registry_text(reply->root, reply->text, sizeof(reply->text));
        } else if (step != STEP_API && strcmp(response->content_type, "text/html") != 0) {
                plain_text(inquiry, response, reply->text, sizeof(reply->text));
        }
}

void inquiry_answered(struct forge_inquiry *inquiry, size_t probe,
                      const struct http_response *response, const struct error *err) {
        struct forge_reply *reply = &inquiry->replies[probe];

        if (response) {
                read_reply(inquiry, reply, inquiry->evidence->probes[probe].step, response);
        } else {
                reply->state = REPLY_NONE;
                reply->error = *err;
                (void)error_prefix(&reply->error, "forge '%s'", inquiry->question.forge->name);
                if (err->code != DIAG_INTERNAL_ERROR)
                        error_remedy_set(
                            &reply->error,
                            "Check url and ca_file of [forge %s], and that this host reaches it.",
                            inquiry->question.forge->name);
        }
        if (probe > 0 && probe == inquiry->evidence->second)
                inquiry->life = inquiry->evidence->second_life(inquiry, &inquiry->life_error);
        if (probe > 0)
                return;
        inquiry->life = FORGE_TOKEN_UNKNOWN;
        if (response)
                inquiry->life =
                    forge_classify_life(inquiry->question.forge, response, &inquiry->life_error);
        else
                inquiry->life_error = reply->error;
}

bool inquiry_advertised(const struct forge_inquiry *inquiry, size_t probe, const char *service) {
        char type[HTTP_CONTENT_TYPE_MAX], line[64];

        (void)snprintf(type, sizeof(type), "application/x-%s-advertisement", service);
        (void)snprintf(line, sizeof(line), "%04zx# service=%s",
                       strlen(service) + strlen("# service=") + 5, service);
        return inquiry_status(inquiry, probe) == 200 &&
               strcmp(inquiry->replies[probe].response.content_type, type) == 0 &&
               text_starts_with(inquiry->replies[probe].text, line);
}

/* A forge that says our token back to us, as a login or wherever, does not get it into anything
 * that is shown or logged. */
static void hide_token(const struct forge_inquiry *inquiry, char *text) {
        if (inquiry_repeats_token(inquiry, text))
                memcpy(text, "?", sizeof("?"));
}

static void hide_token_everywhere(const struct forge_inquiry *inquiry,
                                  struct forge_report *report) {
        hide_token(inquiry, report->login);
        hide_token(inquiry, report->scopes);
        hide_token(inquiry, report->identity.error.detail);
        hide_token(inquiry, report->identity.error.remedy);
        for (size_t i = 0; i < NEED_COUNT; i++) {
                hide_token(inquiry, report->findings[i].error.detail);
                hide_token(inquiry, report->findings[i].error.remedy);
        }
        for (size_t i = 0; i < report->n_warnings; i++)
                hide_token(inquiry, report->warnings[i]);
}

static unsigned count_refusals(const struct forge_inquiry *inquiry) {
        size_t second = inquiry->evidence->second;

        if (inquiry->life == FORGE_TOKEN_UNKNOWN)
                return 0;
        return (inquiry_status(inquiry, 0) == 401 ? 1u : 0) +
               (second && inquiry_status(inquiry, second) == 401 ? 1u : 0);
}

void inquiry_judge(const struct forge_inquiry *inquiry, struct forge_report *ret) {
        *ret = (struct forge_report){ .needs = inquiry->question.needs,
                                      .dead = inquiry->life == FORGE_TOKEN_DEAD,
                                      .refusals = count_refusals(inquiry) };
        if (inquiry->life == FORGE_TOKEN_ALIVE) {
                ret->identity.verdict = FORGE_YES;
                inquiry->evidence->identify(inquiry, ret);
        } else {
                forge_finding_error(&ret->identity, &inquiry->life_error);
                if (ret->dead && inquiry->question.kept[0] == '\0')
                        error_remedy_set(&ret->identity.error, FORGE_DEAD_OF_JOB);
                else if (ret->dead)
                        forge_finding_remedy(
                            inquiry, &ret->identity,
                            "Rotate it: create a new token at {forge}, store it {kept}, and "
                            "let the broker fetch it with 'forge-brokerctl refresh'.");
        }
        for (enum forge_need need = 0; need < NEED_COUNT; need++) {
                if (!inquiry_needs(inquiry, need))
                        continue;
                if (inquiry->life == FORGE_TOKEN_ALIVE)
                        inquiry->evidence->judge[need](inquiry, &ret->findings[need]);
                else
                        ret->findings[need] = ret->identity;
                if (ret->findings[need].error.code == DIAG_UPSTREAM_RATE_LIMITED)
                        ret->asked_too_often = true;
        }
        if (ret->identity.error.code == DIAG_UPSTREAM_RATE_LIMITED)
                ret->asked_too_often = true;
        inquiry->evidence->warn(inquiry, ret);
        hide_token_everywhere(inquiry, ret);
}
