#include "broker/peer.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-login.h>

#include "base/text.h"

int peer_read(int fd, struct peer *ret, struct error *err) {
        struct ucred credentials;
        socklen_t length = sizeof(credentials);
        _cleanup_(freep) char *unit = NULL;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0 || length != sizeof(credentials))
                return error_set(err, DIAG_INTERNAL_ERROR, "the kernel does not say who is asking: %s", strerror(errno));
        *ret = (struct peer){ .uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid };
        /* Fails for peers outside our view (another pid namespace, already gone): then the unit is unknown. */
        if (credentials.pid > 0 && sd_peer_get_unit(fd, &unit) >= 0)
                (void)text_clean(ret->unit, sizeof(ret->unit), unit, strlen(unit));
        return 0;
}

bool peer_is_root(const struct peer *peer) {
        return peer->uid == 0;
}

const char *claim_header(enum claim claim) {
        static const char *const headers[CLAIM_COUNT] = {
                [CLAIM_VIA_UID] = "Forge-Broker-Via-Uid",
                [CLAIM_REPOSITORY] = "Forge-Broker-Repository", [CLAIM_RUN_ID] = "Forge-Broker-Run-Id",
                [CLAIM_RUN_ATTEMPT] = "Forge-Broker-Run-Attempt", [CLAIM_JOB] = "Forge-Broker-Job",
                [CLAIM_WORKFLOW] = "Forge-Broker-Workflow", [CLAIM_EVENT] = "Forge-Broker-Event",
                [CLAIM_REF] = "Forge-Broker-Ref", [CLAIM_ACTOR] = "Forge-Broker-Actor",
        };

        return headers[claim];
}

/* As sudo and the kernel write it: no sign, no leading zero, and not the -1 that means nobody. */
static bool is_uid(const char *text, size_t length) {
        uint64_t value = 0;

        if (length == 0 || length > sizeof("4294967294") - 1 || (text[0] == '0' && length > 1))
                return false;
        for (size_t i = 0; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                value = value * 10 + (uint64_t)(text[i] - '0');
        }
        return value < UINT32_MAX;
}

void claims_set(struct claims *claims, enum claim claim, const char *text, size_t length) {
        if (claim == CLAIM_VIA_UID && !is_uid(text, length))
                return;
        (void)text_clean(claims->values[claim], sizeof(claims->values[claim]), text, length);
}
