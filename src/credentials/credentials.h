/*
 * The socket of systemd's LoadCredential=: a unit of this host gets a token as a credential,
 * without a client.
 *
 *      LoadCredential=deploy:/run/forge-broker-credentials.sock
 *
 * The same rules and the same record as for any issuance, and one rule before: who asks must be a
 * process of the unit that it asks for.  The child of PID 1 that connects is in that unit's control
 * group already.  docs/upstream/systemd.md.
 */
#pragma once

#include <systemd/sd-event.h>

#include "base/error.h"
#include "broker/broker.h"

struct credentials;

/**
 * credentials_new() - serves from now on
 * @fd: a listening stream socket, taken over on success and closed at the end
 */
int credentials_new(sd_event *event, struct broker *broker, int fd, struct credentials **ret,
                    struct error *err);

/**
 * credentials_free() - stops accepting; who waits for a value gets the refusal still, within a
 * second; NULL is fine
 *
 * The listening socket is closed, not shut down: systemd's copy goes on queueing.
 * Return: NULL.
 */
struct credentials *credentials_free(struct credentials *credentials);
DEFINE_CLEANUP(struct credentials *, credentials_free);
