/* /proc/PID/cgroup: what stands before the first NUL is PID 1's, the rest the peer's.  Names in it
 * are others' choice. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "broker/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(const char *text, size_t max) {
        char clean[CGROUP_PATH_MAX];

        assert(strlen(text) < max);
        assert(strcmp(text_clean(clean, sizeof(clean), text, strlen(text)), text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *text = (const char *)data, *nul = size > 0 ? memchr(text, '\0', size) : NULL;
        size_t before = nul ? (size_t)(nul - text) : 0, skip = nul ? before + 1 : 0;
        struct cgroup_root root;
        struct cgroup cgroup;

        cgroup_root_parse(text, before, &root);
        cgroup_parse(text + skip, size - skip, &root, &cgroup);
        check_clean(cgroup.path, sizeof(cgroup.path));
        check_clean(cgroup.unit, sizeof(cgroup.unit));
        check_clean(cgroup.container, sizeof(cgroup.container));
        assert(cgroup.path[0] == '\0' || cgroup.path[0] == '/');
        assert(cgroup.own <= strlen(cgroup.path));
        /* A name is in the path, or systemd's escaping of it is. */
        assert(cgroup.path[0] || (!cgroup.unit[0] && !cgroup.container[0]));
        assert(!cgroup.container[0] || strchr(cgroup.container, ':'));
        assert(cgroup.unit[strspn(
                   cgroup.unit,
                   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@")] ==
               '\0');
        return 0;
}
