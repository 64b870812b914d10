#include "broker/peer.h"

#include <errno.h>
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
                [CLAIM_REPOSITORY] = "Forge-Broker-Repository", [CLAIM_RUN_ID] = "Forge-Broker-Run-Id",
                [CLAIM_RUN_ATTEMPT] = "Forge-Broker-Run-Attempt", [CLAIM_JOB] = "Forge-Broker-Job",
                [CLAIM_WORKFLOW] = "Forge-Broker-Workflow", [CLAIM_EVENT] = "Forge-Broker-Event",
                [CLAIM_REF] = "Forge-Broker-Ref", [CLAIM_ACTOR] = "Forge-Broker-Actor",
        };

        return headers[claim];
}

void claims_set(struct claims *claims, enum claim claim, const char *text, size_t length) {
        (void)text_clean(claims->values[claim], sizeof(claims->values[claim]), text, length);
}
