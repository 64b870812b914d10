#include "base/confine.h"

#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* linux/landlock.h and linux/capability.h, which musl's compiler does not find; the numbers are
 * those of every architecture. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

/* The accesses of the first version, which each kernel with Landlock has, but for reading files
 * (4) and directories (8). */
#define EXECUTE_AND_CHANGES UINT64_C(0x1ff3)

#define CAPABILITY_VERSION_3 0x20080522

void confine_to_asking(void) {
        const struct { uint64_t handled_access_fs; } attributes = { EXECUTE_AND_CHANGES };
        _cleanup_(closep) int rules = -1;

        /* A set of rules without a rule: what it handles is forbidden everywhere. */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return;
        rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
        if (rules >= 0)
                (void)syscall(SYS_landlock_restrict_self, rules, 0);
}

void confine_drop_capabilities(void) {
        const struct {
                uint32_t version;
                int pid;
        } header = { CAPABILITY_VERSION_3, 0 };
        const uint32_t none[6] = { 0 }; /* effective, permitted, inheritable, for 32 each */

        (void)syscall(SYS_capset, &header, none);
}
