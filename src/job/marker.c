#include "job/marker.h"

#include <string.h>

#include "base/text.h"
#include "job/output.h"

static int read_member(struct json answer, const char *name, char *buffer, size_t size,
                       struct failure *failure) {
        if (json_text(answer, name, buffer, size))
                return 0;
        return failure_set(failure, EXIT_UNREACHABLE, "the broker's answer has no proper '%s'",
                           name);
}

int marker_read(struct json answer, struct marker *ret, struct failure *failure) {
        int r;

        r = read_member(answer, "source", ret->source, sizeof(ret->source), failure);
        if (r == 0)
                r = read_member(answer, "freshness", ret->freshness, sizeof(ret->freshness),
                                failure);
        if (r == 0)
                r = read_member(answer, "fingerprint", ret->fingerprint, sizeof(ret->fingerprint),
                                failure);
        if (r == 0)
                r = read_member(answer, "forge_type", ret->forge_type, sizeof(ret->forge_type),
                                failure);
        return r;
}

static const char *marker_key(const char *forge_type) {
        static const struct {
                const char *type, *key;
        } keys[] = {
                { "forgejo", "forgejo_token_source" },
                { "gitea", "gitea_token_source" },
                { "github", "github_token_source" },
                { "gitlab", "gitlab_token_source" },
        };

        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if (strcmp(keys[i].type, forge_type) == 0)
                        return keys[i].key;
        return "forge_token_source";
}

void marker_line(const struct marker *marker, const char *name, char line[static MARKER_LINE_MAX]) {
        size_t used = 0;

        (void)text_append(line, MARKER_LINE_MAX, &used, "%s", name);
        (void)text_append_field(line, MARKER_LINE_MAX, &used, marker_key(marker->forge_type),
                                marker->source);
        (void)text_append_field(line, MARKER_LINE_MAX, &used, "freshness", marker->freshness);
        (void)text_append_field(line, MARKER_LINE_MAX, &used, "fp", marker->fingerprint);
}

void marker_note(const struct marker *marker, const char *name) {
        char line[MARKER_LINE_MAX] = "";

        marker_line(marker, name, line);
        output_note("%s", line);
}
