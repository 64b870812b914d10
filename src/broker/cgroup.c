#include "broker/cgroup.h"

#include <string.h>

#include "broker/cgroup_layout.h"

static bool has_controller(struct span list, const char *name) {
        while (list.length > 0) {
                const char *comma = memchr(list.text, ',', list.length);
                size_t length = comma ? (size_t)(comma - list.text) : list.length;

                if (span_is((struct span){ list.text, length }, name))
                        return true;
                length += comma != NULL;
                list = (struct span){ list.text + length, list.length - length };
        }
        return false;
}

/* The paths in the hierarchies that say something: cgroup2, systemd's own of v1, and one
 * controller's of v1 for hosts without systemd. */
struct lines {
        struct span unified, named, memory;
};

static void read_line(struct span line, struct lines *ret) {
        const char *first = memchr(line.text, ':', line.length), *second;
        struct span id, controllers, path;

        if (!first)
                return;
        id = (struct span){ line.text, (size_t)(first - line.text) };
        second = memchr(first + 1, ':', line.length - id.length - 1);
        if (!second)
                return;
        controllers = (struct span){ first + 1, (size_t)(second - first - 1) };
        path = (struct span){ second + 1, line.length - (size_t)(second + 1 - line.text) };
        if (path.length == 0 || path.text[0] != '/')
                return;
        if (span_is(id, "0") && controllers.length == 0)
                ret->unified = path;
        else if (has_controller(controllers, "name=systemd"))
                ret->named = path;
        else if (has_controller(controllers, "memory"))
                ret->memory = path;
}

static struct lines read_lines(const char *text, size_t length) {
        struct lines lines = { { "", 0 }, { "", 0 }, { "", 0 } };
        const char *end;

        for (; (end = memchr(text, '\n', length));
             length -= (size_t)(end + 1 - text), text = end + 1)
                read_line((struct span){ text, (size_t)(end - text) }, &lines);
        return lines;
}

static void root_set(char root[static CGROUP_PATH_MAX], struct span path) {
        struct span above = span_between(path, "", "/init.scope");

        /* PID 1 of a machine that systemd manages is in init.scope below the root of it. */
        if (span_ends(path, "/init.scope"))
                path = above;
        if (path.length >= CGROUP_PATH_MAX || span_is(path, "/"))
                path.length = 0;
        memcpy(root, path.text, path.length);
        root[path.length] = '\0';
}

void cgroup_root_parse(const char *text, size_t length, struct cgroup_root *ret) {
        struct lines lines = read_lines(text, length);

        root_set(ret->unified, lines.unified);
        root_set(ret->named, lines.named);
}

/* In the root of a hierarchy is what nobody put anywhere there. */
static bool is_placed(const struct cgroup *cgroup) {
        return cgroup->path[0] && strcmp(cgroup->path, "/") != 0;
}

/* Both hierarchies are in use (hybrid).  systemd's units are in both; a container may be in one
 * only. */
static void merge(struct cgroup *ret, const struct cgroup *named) {
        char unit[CGROUP_UNIT_MAX];

        memcpy(unit, ret->unit[0] ? ret->unit : named->unit, sizeof(unit));
        if (!ret->container[0] && named->container[0])
                *ret = *named;
        else if (named->container[0] && strcmp(ret->container, named->container) != 0)
                ret->container[0] = '\0'; /* two opinions are no knowledge */
        memcpy(ret->unit, unit, sizeof(ret->unit));
}

void cgroup_parse(const char *text, size_t length, const struct cgroup_root *root,
                  struct cgroup *ret) {
        struct lines lines = read_lines(text, length);
        struct cgroup other;

        cgroup_layout(lines.unified, root->unified, ret);
        cgroup_layout(lines.named, root->named, &other);
        if (!is_placed(ret) && (is_placed(&other) || !ret->path[0]))
                *ret = other;
        else if (is_placed(&other))
                merge(ret, &other);
        if (is_placed(ret))
                return;
        cgroup_layout(lines.memory, "", &other);
        if (!is_placed(&other))
                return;
        /* No systemd put it there. */
        other.unit[0] = '\0';
        *ret = other;
}
