/*
 * What set off this job, and what that means to the gate: is a missing token an error here, or is
 * it as it should be?
 *
 *      event name -> trusted | outsider's | pull request: its payload says | unknown
 *
 * All of this is the job's own word: it decides about a step's success, never about what is
 * issued.  Whether the gate takes a job for trusted and whether the broker may give it a token are
 * two questions.
 */
#pragma once

#include <stddef.h>

#include "job/forge_env.h"

/* GitHub's own limit for an event; larger is not read. */
#define EVENT_BYTES_MAX (25 * 1024 * 1024)

enum event_trust {
        EVENT_TRUSTED,    /* set off by someone who may write */
        EVENT_OUTSIDER,   /* has the repository's secrets, and anyone may have set it off */
        EVENT_UNRESOLVED, /* cannot be told */
        EVENT_UNTRUSTED,  /* somebody else's code: no token is as it should be */
};

struct event {
        char name[64]; /* clean; "" if none is named */
        enum event_trust trust;
        char reason[256]; /* clean: "a pull request from the fork a/b of c/b" */
};

/** event_read() - judges what this job's environment and event file say */
void event_read(enum forge_env env, struct event *ret);

/**
 * event_judge() - judges an event of Forgejo, Gitea or GitHub
 * @name:    NULL or "": none is named
 * @payload: the event's JSON of @length bytes; NULL if there is none
 * @why:     why there is none
 */
void event_judge(const char *name, const char *payload, size_t length, const char *why,
                 struct event *ret);
