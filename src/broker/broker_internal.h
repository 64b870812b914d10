/*
 * What a running broker owns; for its own files: broker.c has its life, ask.c what a request gets, view.c what others see of it.
 */
#pragma once

#include "broker/audit.h"
#include "broker/broker.h"
#include "broker/doctor_desk.h"
#include "broker/generation.h"

struct broker {
        sd_event *event;
        struct audit *audit;
        struct counters counters;
        struct fingerprint_key *key;
        struct direct_env *direct_env;
        char *state_directory;
        struct generation *generation;
        struct doctor_desk doctor;
        size_t revocations;             /* in flight, at the stop */
        broker_changed stopped;
        void *stopped_userdata;
        broker_changed changed;
        void *userdata;
        usec_t started_at, loaded_at;   /* wall clock */
        bool reload_failed;
};
