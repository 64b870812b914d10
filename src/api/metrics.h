/*
 * The state of tokens, identities and configuration as gauges, and what was counted, in Prometheus'
 * text format.
 *
 * Label values come from the configuration, never from peers.
 */
#pragma once

#include "broker/broker.h"

/** metrics_render() - a new string, to be freed, or NULL for lack of memory */
char *metrics_render(const struct broker *broker);
