/*
 * Where a request wants to read: project, environment, path; checked in the real server's order.
 */
#pragma once

#include "request.h"

struct place {
        json_t *project;     /* borrowed */
        json_t *membership;  /* borrowed */
        json_t *environment; /* borrowed, NULL if there is none of that name */
        /* borrowed, NULL if there is none in the state (parents of folders exist all the same) */
        json_t *folder;
        char *environment_slug;
        char *path; /* trimmed, one slash at the end removed */
};

/* The options of a read. */
struct options {
        bool v4;
        bool view;
        bool expand;
        bool imports;
        bool recursive;
        bool personal;
        json_int_t version; /* 0: the current one */
};

/** options_parse() - reads and checks the query; false: the answer is made */
bool options_parse(struct request *r, struct options *ret);

/** place_project() - project and membership; false: the answer is made */
bool place_project(struct request *r, struct place *ret, bool list);

/** place_path_valid() - mid-2025 servers refuse some paths; false: the answer is made */
bool place_path_valid(struct request *r, const struct place *place);

void place_refuse_membership(struct request *r, const json_t *project);

void place_done(struct place *place);
