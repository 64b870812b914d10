#include "job/git_pushed.h"

#include <string.h>

#include "base/text.h"

/* git-push(1): options whose value is the next word. */
static const char *const with_value[] = { "-o",     "--push-option", "--receive-pack",
                                          "--exec", "--repo",        "--recurse-submodules" };
/* Those with which the refspecs are not all. */
static const char *const of_many[] = { "--all", "--branches", "--mirror", "--tags", "--prune" };

static bool is_one_of(const char *word, const char *const *list, size_t count) {
        for (size_t i = 0; i < count; i++)
                if (strcmp(word, list[i]) == 0)
                        return true;
        return false;
}

/* The words that are no options: the remote and two more.  Return: how many, or -1 if options say
 * more than they do. */
static int positional(char *const words[], const char *ret[static 3]) {
        int count = 0;

        for (size_t i = 1; words[i] && count < 3; i++) {
                if (words[i][0] != '-')
                        ret[count++] = words[i];
                else if (is_one_of(words[i], of_many, ELEMENTS(of_many)))
                        return -1;
                else if (is_one_of(words[i], with_value, ELEMENTS(with_value)) && words[i + 1])
                        i++;
        }
        return count;
}

/* What git makes of a name of this side: "main" is refs/heads/main. */
static bool full_name(const struct git *git, const char *name, char *ref, size_t size) {
        const char *const words[] = { "rev-parse", "--symbolic-full-name", name, NULL };
        _cleanup_(locked_buffer_done) struct locked_buffer answer = { 0 };
        struct failure unused;
        size_t used = 0;

        if (name[0] == '-' || git_ask(git, words, &answer, &unused) != 0)
                return false;
        answer.bytes[strcspn(answer.bytes, "\n")] = '\0';
        return text_append(ref, size, &used, "%s", answer.bytes) && used > 0;
}

/* A bare name on the other side is a tag if it is one here, and else a branch. */
static bool other_side(const struct git *git, const char *from, const char *to, char *ref,
                       size_t size) {
        bool is_tag = full_name(git, from, ref, size) && text_starts_with(ref, "refs/tags/");
        size_t used = 0;

        return text_append(ref, size, &used, "%s%s",
                           text_starts_with(to, "refs/") ? ""
                           : is_tag                      ? "refs/tags/"
                                                         : "refs/heads/",
                           to);
}

static bool named_ref(const struct git *git, const char *refspec, char *ref, size_t size) {
        char from[256] = "";
        const char *colon;
        size_t used = 0;

        refspec += *refspec == '+';
        colon = strrchr(refspec, ':');
        if (!colon)
                return full_name(git, refspec, ref, size);
        return colon[1] != '\0' &&
               text_append(from, sizeof(from), &used, "%.*s", (int)(colon - refspec), refspec) &&
               other_side(git, from, colon + 1, ref, size);
}

bool git_pushed_ref(const struct git *git, char *const words[], char *ref, size_t size) {
        const char *words_left[3];
        int count = positional(words, words_left);
        size_t used = 0;
        bool found;

        if (count < 0)
                return false;
        if (count == 3 && strcmp(words_left[1], "tag") == 0)
                found = text_append(ref, size, &used, "refs/tags/%s", words_left[2]);
        else
                found = named_ref(git, count > 1 ? words_left[1] : "HEAD", ref, size);
        return found &&
               (text_starts_with(ref, "refs/heads/") || text_starts_with(ref, "refs/tags/"));
}
