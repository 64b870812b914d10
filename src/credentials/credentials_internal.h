/*
 * What all connections of the credentials' socket share; for its own files.
 */
#pragma once

#include "broker/rate.h"
#include "credentials/consumer.h"
#include "credentials/credentials.h"

struct credentials {
        sd_event *event;
        struct broker *broker;
        int fd;
        struct cgroup_root cgroup_root;
        struct rate *rate;
        sd_event_source *acceptable, *again;
        struct consumer *first; /* the newest */
        size_t count;
};

void credentials_add(struct credentials *credentials, struct consumer *consumer);
void credentials_remove(struct credentials *credentials, struct consumer *consumer);
