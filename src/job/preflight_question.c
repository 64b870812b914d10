#include "job/preflight_question.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "job/claims.h"
#include "job/environment.h"
#include "job/json_writer.h"

#define TOKEN_MAX_BYTES 4096 /* a forge's longest have less than 1 KiB */

static const char *const names[PREFLIGHT_NEED_COUNT] = { "contents:read", "contents:write",
                                                         "release:write", "packages:write",
                                                         "issues:write",  "pull:write" };

void preflight_question_done(struct preflight_question *question) {
        locked_buffer_done(&question->token);
}

const char *preflight_need_name(enum preflight_need need) {
        return names[need];
}

static int usage(struct failure *failure, int r) {
        failure_remedy_set(failure, "'forge-broker preflight --help' says what it takes.");
        return r;
}

static int unknown_need(const char *need, size_t length, struct failure *failure) {
        char known[128] = "";
        size_t used = 0;
        int r;

        for (enum preflight_need i = 0; i < PREFLIGHT_NEED_COUNT; i++)
                (void)text_append(known, sizeof(known), &used, "%s%s", i > 0 ? ", " : "", names[i]);
        r = failure_set(failure, EXIT_USAGE, "there is no need '%.*s'",
                        length < 80 ? (int)length : 80, need);
        failure_remedy_set(failure, "The needs are %s.", known);
        return r;
}

static int add_need(struct preflight_question *question, const char *need, size_t length,
                    struct failure *failure) {
        for (enum preflight_need i = 0; i < PREFLIGHT_NEED_COUNT; i++)
                if (strlen(names[i]) == length && memcmp(names[i], need, length) == 0) {
                        question->needs |= 1u << i;
                        return 0;
                }
        return unknown_need(need, length, failure);
}

int preflight_needs_add(struct preflight_question *question, const char *list,
                        struct failure *failure) {
        for (;;) {
                size_t length = strcspn(list, ",");
                int r = add_need(question, list, length, failure);

                if (r < 0 || !list[length])
                        return r;
                list += length + 1;
        }
}

/* What fits, is valid UTF-8, and has nothing in it that a terminal or a log would act on. */
static bool set_place(char place[static PREFLIGHT_PLACE_MAX], const char *text) {
        (void)text_clean(place, PREFLIGHT_PLACE_MAX, text, strlen(text));
        return strcmp(place, text) == 0 && text[strcspn(text, " ")] == '\0';
}

/* GitLab's groups nest, so there may be more than one slash. */
static int set_path(char place[static PREFLIGHT_PLACE_MAX], const char *path, const char *what,
                    struct failure *failure) {
        const char *slash = strchr(path, '/');

        if (slash && slash > path && path[strlen(path) - 1] != '/' && !strstr(path, "//") &&
            set_place(place, path))
                return 0;
        return usage(failure,
                     failure_set(failure, EXIT_USAGE, "'%.80s' is no %s: it is written OWNER/NAME",
                                 path, what));
}

int preflight_repository_set(struct preflight_question *question, const char *repository,
                             struct failure *failure) {
        size_t length = strlen(repository);

        /* No forge has one of such a name. */
        if (length > 4 && strcmp(repository + length - 4, ".git") == 0)
                return usage(failure, failure_set(failure, EXIT_USAGE,
                                                  "'%.80s' is no repository: leave the '.git' out",
                                                  repository));
        return set_path(question->repository, repository, "repository", failure);
}

int preflight_image_set(struct preflight_question *question, const char *image,
                        struct failure *failure) {
        return set_path(question->image, image, "image", failure);
}

int preflight_ref_set(struct preflight_question *question, const char *ref,
                      struct failure *failure) {
        char own[PREFLIGHT_PLACE_MAX];
        const char *name;

        /* "v1" is a tag where the job runs for that tag. */
        if (!text_starts_with(ref, "refs/") && claims_ref(own)) {
                name = strchr(own + strlen("refs/"), '/') + 1;
                if (strcmp(name, ref) == 0)
                        ref = own;
        }
        if (*ref && set_place(question->ref, ref))
                return 0;
        return usage(failure, failure_set(failure, EXIT_USAGE,
                                          "'%.80s' is no ref: it is written refs/heads/BRANCH, "
                                          "refs/tags/TAG or BRANCH",
                                          ref));
}

static bool is_token(const char *value, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (value[i] <= 0x20 || value[i] >= 0x7f)
                        return false;
        return length > 0 && length <= TOKEN_MAX_BYTES;
}

int preflight_token_read(struct preflight_question *question, const char *variable,
                         struct failure *failure) {
        const char *value = environment_is_name(variable) ? getenv(variable) : NULL;
        size_t length = value ? strlen(value) : 0;

        if (length == 0)
                return usage(failure, failure_set(failure, EXIT_USAGE,
                                                  "the environment variable '%.80s' is %s",
                                                  variable, value ? "empty" : "not set"));
        if (!is_token(value, length))
                return usage(failure,
                             failure_set(failure, EXIT_USAGE,
                                         "what '%.80s' holds cannot be a token", variable));
        if (!locked_buffer_append(&question->token, value, length))
                return failure_set(failure, EXIT_UNREACHABLE, "out of memory");
        return 0;
}

/* @name begins with what parts it from the member before it. */
static bool append_member(struct locked_buffer *body, const char *name, const char *value,
                          size_t length) {
        return locked_buffer_append(body, name, strlen(name)) &&
               json_append_string(body, value, length);
}

static bool append_needs(struct locked_buffer *body, unsigned needs) {
        bool fits = true;
        const char *before = ",\"needs\":[";

        for (enum preflight_need i = 0; fits && i < PREFLIGHT_NEED_COUNT; i++) {
                if (!(needs & 1u << i))
                        continue;
                fits = append_member(body, before, names[i], strlen(names[i]));
                before = ",";
        }
        return fits && (needs == 0 || locked_buffer_append(body, "]", 1));
}

bool preflight_question_write(const struct preflight_question *question,
                              struct locked_buffer *body) {
        static const char yes[] = "true", no[] = "false";
        const char *probe = question->write_probe ? yes : no;
        bool fits;

        fits = locked_buffer_append(body, "{\"write_probe\":", strlen("{\"write_probe\":")) &&
               locked_buffer_append(body, probe, strlen(probe));
        if (question->repository[0])
                fits = fits && append_member(body, ",\"repository\":", question->repository,
                                             strlen(question->repository));
        if (question->image[0])
                fits = fits &&
                       append_member(body, ",\"image\":", question->image, strlen(question->image));
        if (question->ref[0])
                fits =
                    fits && append_member(body, ",\"ref\":", question->ref, strlen(question->ref));
        fits = fits && append_needs(body, question->needs);
        if (question->token.used > 0)
                fits = fits && append_member(body, ",\"token\":", question->token.bytes,
                                             question->token.used);
        return fits && locked_buffer_append(body, "}", 1);
}
