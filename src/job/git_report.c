#include "job/git_report.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define PIPE_MAX   1023 /* the highest number that a pipe of ours may have */
#define LINE_BYTES 4096 /* as much as goes into a pipe in one piece */

void git_report_write(const char *name, const char *url, const char *evidence) {
        const char *text = getenv(GIT_REPORT_VARIABLE);
        char line[LINE_BYTES] = "", *end;
        size_t used = 0;
        long fd;

        if (!text || !*text)
                return;
        fd = strtol(text, &end, 10);
        if (*end || fd <= STDERR_FILENO || fd > PIPE_MAX)
                return;
        if (text_append(line, sizeof(line), &used, "%s\t%s\t%s\n", name, url, evidence))
                (void)!write((int)fd, line, used);
}

static bool is_known(const struct git_report *report, const struct git_answer *answer) {
        for (size_t i = 0; i < report->count; i++)
                if (strcmp(report->answers[i].name, answer->name) == 0 &&
                    strcmp(report->answers[i].url, answer->url) == 0 &&
                    strcmp(report->answers[i].evidence, answer->evidence) == 0)
                        return true;
        return false;
}

/* Cuts the text at the next @mark.  Return: what stands behind it; NULL if there is none. */
static char *cut(char *text, char mark) {
        char *at = strchr(text, mark);

        if (at)
                *at++ = '\0';
        return at;
}

static bool is_clean(const char *text) {
        char clean[LINE_BYTES];

        return strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0;
}

void git_report_read(int fd, struct git_report *ret) {
        ssize_t length = read(fd, ret->text, sizeof(ret->text) - 1);
        char *next;

        ret->count = 0;
        ret->text[length > 0 ? length : 0] = '\0';
        for (char *line = ret->text; ret->count < GIT_ANSWERS_MAX && (next = cut(line, '\n'));
             line = next) {
                char *url = cut(line, '\t'), *evidence = url ? cut(url, '\t') : NULL;
                struct git_answer answer = { line, url, evidence };

                if (evidence && text_is_name(line) && is_clean(url) && is_clean(evidence) &&
                    !is_known(ret, &answer))
                        ret->answers[ret->count++] = answer;
        }
}
