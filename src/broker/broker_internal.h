/*
 * What a running broker owns; for its own files: broker.c has its life, ask.c and preflight.c what
 * a request gets, view.c what others see of it.
 */
#pragma once

#include "broker/audit.h"
#include "broker/broker.h"
#include "broker/doctor_desk.h"
#include "broker/generation.h"
#include "broker/preflight_desk.h"

struct broker {
        sd_event *event;
        struct audit *audit;
        struct counters counters;
        struct fingerprint_key *key;
        struct direct_env *direct_env;
        char *state_directory;
        struct generation *generation;
        struct doctor_desk doctor;
        struct preflight_desk preflights;
        sd_event_source *expiry_timer; /* broker_learn_expiry() */
        size_t ending; /* at the stop: revocations and write probes that are still under way */
        broker_changed stopped;
        void *stopped_userdata;
        broker_changed changed;
        void *userdata;
        usec_t started_at, loaded_at; /* wall clock */
        bool reload_failed;
};

/** broker_await_value() - no value is held: waits for one, if one may come in time */
int broker_await_value(struct ask *ask, struct refresh *refresh, struct error *err);

/** broker_learn_expiry() - begins to ask the forges that say when a token ends, about the values
 * that they were not asked about yet */
void broker_learn_expiry(struct broker *broker);

/** broker_learn_next_expiry() - about one of them; false: there is none left */
bool broker_learn_next_expiry(struct broker *broker);

/** broker_ended() - one of those has ended; @userdata: the broker */
void broker_ended(void *userdata);

/** broker_preflight_ended() - of the desk of preflights */
void broker_preflight_ended(void *userdata, const struct inspection *inspection);
