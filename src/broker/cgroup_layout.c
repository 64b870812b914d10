#include "broker/cgroup_layout.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define ID_DIGITS      64
#define NAME_MAX_BYTES 80
/* Deeper than any layout we know; what follows is a container's or unit's own. */
#define COMPONENTS_MAX 24

struct path {
        struct span whole;
        struct span components[COMPONENTS_MAX];
        size_t count;
};

enum id_kind { ID_HEX, ID_NAME };

/*
 * One directory of the path is PREFIX id SUFFIX, where @parent is NULL or the directory above it.
 * A runtime's monitor (libpod-conmon-ID.scope, lxc.monitor.NAME) has no row: it is a process of the
 * host.
 */
static const struct {
        const char *engine, *parent, *prefix, *suffix;
        enum id_kind kind;
} layouts[] = {
        { "docker", NULL, "docker-", ".scope", ID_HEX }, /* native.cgroupdriver=systemd */
        { "docker", "docker", "", "", ID_HEX },          /* native.cgroupdriver=cgroupfs */
        { "podman", NULL, "libpod-", ".scope", ID_HEX }, /* --cgroup-manager=systemd */
        { "podman", NULL, "libpod-payload-", "",
          ID_HEX }, /* --cgroups=split: in a service of its own */
        { "podman", "libpod_parent", "libpod-", "", ID_HEX }, /* --cgroup-manager=cgroupfs */
        { "lxc", NULL, "lxc.payload.", "", ID_NAME },         /* since LXC 4 */
        { "lxc", "lxc.payload", "", "", ID_NAME },
        { "containerd", NULL, "cri-containerd-", ".scope", ID_HEX },
        { "containerd", NULL, "nerdctl-", ".scope", ID_HEX },
        { "cri-o", NULL, "crio-", ".scope", ID_HEX },
};

bool span_is(struct span span, const char *text) {
        return span.length == strlen(text) && memcmp(span.text, text, span.length) == 0;
}

static bool span_starts(struct span span, const char *text) {
        return span.length >= strlen(text) && memcmp(span.text, text, strlen(text)) == 0;
}

bool span_ends(struct span span, const char *text) {
        size_t length = strlen(text);

        return span.length >= length && memcmp(span.text + span.length - length, text, length) == 0;
}

struct span span_between(struct span span, const char *prefix, const char *suffix) {
        size_t around = strlen(prefix) + strlen(suffix);

        if (span.length <= around || !span_starts(span, prefix) || !span_ends(span, suffix))
                return (struct span){ "", 0 };
        return (struct span){ span.text + strlen(prefix), span.length - around };
}

static bool span_has_only(struct span span, const char *allowed) {
        for (size_t i = 0; i < span.length; i++)
                if (span.text[i] == '\0' || !strchr(allowed, span.text[i]))
                        return false;
        return true;
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static bool is_id(struct span span, enum id_kind kind) {
        if (kind == ID_HEX)
                return span.length == ID_DIGITS && span_has_only(span, "0123456789abcdef");
        return span.length > 0 && span.length <= NAME_MAX_BYTES && span.text[0] != '.' &&
               span_has_only(span, LETTERS "._-");
}

static bool path_split(struct span whole, struct path *ret) {
        ret->whole = whole;
        ret->count = 0;
        if (whole.length == 0 || whole.text[0] != '/')
                return false;
        for (size_t i = 1; i < whole.length && ret->count < COMPONENTS_MAX;) {
                const char *start = whole.text + i, *slash = memchr(start, '/', whole.length - i);
                struct span component = { start,
                                          slash ? (size_t)(slash - start) : whole.length - i };

                /* "/../x": outside of what our cgroup namespace shows. */
                if (component.length == 0 || span_is(component, ".."))
                        return false;
                ret->components[ret->count++] = component;
                i += component.length + 1;
        }
        return true;
}

/* What systemd would not have been able to call "cpu.weight" or "_x" it calls "_cpu.weight" and
 * "__x". */
static struct span unescape(struct span component) {
        if (component.length > 0 && component.text[0] == '_')
                return (struct span){ component.text + 1, component.length - 1 };
        return component;
}

/* A name that a unit with processes can have: not a template without its instance. */
static bool is_unit(struct span name) {
        static const char *const types[] = { ".service", ".scope", ".socket", ".mount", ".swap" };

        if (name.length >= CGROUP_UNIT_MAX || !span_has_only(name, LETTERS ":-_.\\@"))
                return false;
        for (size_t i = 0; i < ELEMENTS(types); i++) {
                struct span stem = span_between(name, "", types[i]);

                if (stem.length > 0)
                        return stem.text[0] != '@' && !span_ends(stem, "@");
        }
        return false;
}

/* The unit is the first directory that is no slice.  Return: its index, or count. */
static size_t find_unit(const struct path *path) {
        size_t i = 0;

        while (i < path->count &&
               span_between(unescape(path->components[i]), "", ".slice").length > 0)
                i++;
        return i < path->count && is_unit(unescape(path->components[i])) ? i : path->count;
}

/* systemd's "\x2d" is the byte 0x2d.  A bare '-' would be a '/', which no machine's name has. */
static bool machine_name(struct span escaped, char name[static NAME_MAX_BYTES + 1]) {
        static const char digits[] = "0123456789abcdef";
        size_t used = 0;

        for (size_t i = 0; i < escaped.length; used++) {
                const char *high, *low;

                if (used == NAME_MAX_BYTES || escaped.text[i] == '-')
                        return false;
                if (escaped.text[i] != '\\') {
                        name[used] = escaped.text[i++];
                        continue;
                }
                if (escaped.length - i < 4 || escaped.text[i + 1] != 'x')
                        return false;
                high = memchr(digits, escaped.text[i + 2], sizeof(digits) - 1);
                low = memchr(digits, escaped.text[i + 3], sizeof(digits) - 1);
                if (!high || !low)
                        return false;
                name[used] = (char)((high - digits) << 4 | (low - digits));
                i += 4;
        }
        name[used] = '\0';
        return is_id((struct span){ name, used }, ID_NAME);
}

static void set_container(struct cgroup *ret, const char *engine, struct span id) {
        size_t used = 0;

        (void)text_append(ret->container, sizeof(ret->container), &used, "%s:%.*s", engine,
                          (int)id.length, id.text);
}

/*
 * systemd-nspawn: the machine's processes are below UNIT/payload, its own are in UNIT/supervisor.
 * Without either (cgroup v1) a scope of machined's is a machine of some kind, but a virtual one's
 * only process is the emulator, which is the host's.
 */
static bool machine_at(const struct path *path, size_t i, struct cgroup *ret) {
        struct span scope = span_between(path->components[i], "machine-", ".scope");
        struct span instance = span_between(path->components[i], "systemd-nspawn@", ".service");
        struct span below = i + 1 < path->count ? path->components[i + 1] : (struct span){ "", 0 };
        char name[NAME_MAX_BYTES + 1];

        if (span_is(below, "supervisor"))
                return false;
        if (instance.length > 0 && below.length > 0 && is_id(instance, ID_NAME)) {
                set_container(ret, "nspawn", instance);
                return true;
        }
        if (scope.length == 0 || !machine_name(scope, name) || text_starts_with(name, "qemu-"))
                return false;
        set_container(ret, span_is(below, "payload") ? "nspawn" : "machine",
                      (struct span){ name, strlen(name) });
        return true;
}

/* kubelet with the cgroupfs driver: /kubepods[/burstable|/besteffort]/podUID/ID, whatever the
 * runtime is. */
static bool pod_at(const struct path *path, size_t i, struct cgroup *ret) {
        if (i < 2 || i > 3 || !span_is(path->components[0], "kubepods") ||
            !span_starts(path->components[i - 1], "pod") || !is_id(path->components[i], ID_HEX))
                return false;
        if (i == 3 && !span_is(path->components[1], "burstable") &&
            !span_is(path->components[1], "besteffort"))
                return false;
        set_container(ret, "kubernetes", path->components[i]);
        return true;
}

static bool layout_at(const struct path *path, size_t i, struct cgroup *ret) {
        for (size_t row = 0; row < ELEMENTS(layouts); row++) {
                struct span id =
                    span_between(path->components[i], layouts[row].prefix, layouts[row].suffix);

                if (!is_id(id, layouts[row].kind) ||
                    (layouts[row].parent &&
                     (i == 0 || !span_is(path->components[i - 1], layouts[row].parent))))
                        continue;
                set_container(ret, layouts[row].engine, id);
                return true;
        }
        /* Before LXC 4, and Proxmox VE: at the top only, for "lxc" is a name that others may
         * use. */
        if (i == 1 && span_is(path->components[0], "lxc") && is_id(path->components[1], ID_NAME)) {
                set_container(ret, "lxc", path->components[1]);
                return true;
        }
        return pod_at(path, i, ret);
}

/* Return: the index of the directory that is the outermost container's, or count. */
static size_t find_container(const struct path *path, size_t unit, struct cgroup *ret) {
        for (size_t i = 0; i < path->count; i++)
                if (layout_at(path, i, ret) || (i == unit && machine_at(path, i, ret)))
                        return i;
        return path->count;
}

/* The path below @root, or an empty text for one that is not below it. */
static struct span below_root(struct span path, const char *root) {
        size_t length = strlen(root);

        if (length == 0)
                return path;
        if (!span_starts(path, root) || (path.length > length && path.text[length] != '/'))
                return (struct span){ "", 0 };
        return path.length == length ? (struct span){ "/", 1 }
                                     : (struct span){ path.text + length, path.length - length };
}

void cgroup_layout(struct span whole, const char *root, struct cgroup *ret) {
        struct path path;
        size_t unit, container, first;

        *ret = (struct cgroup){ 0 };
        if (whole.length == 0)
                return;
        (void)text_clean(ret->path, sizeof(ret->path), whole.text, whole.length);
        ret->own = strlen(ret->path);
        if (!path_split(below_root(whole, root), &path))
                return;
        unit = find_unit(&path);
        container = find_container(&path, unit, ret);
        if (unit < path.count) {
                struct span name = unescape(path.components[unit]);

                memcpy(ret->unit, name.text, name.length);
        }
        first = unit < container ? unit : container;
        if (first < path.count) {
                const struct span *last = &path.components[first];
                char own[CGROUP_PATH_MAX];

                ret->own = strlen(text_clean(own, sizeof(own), whole.text,
                                             (size_t)(last->text + last->length - whole.text)));
        }
}
