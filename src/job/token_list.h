/*
 * The tokens that this job can ask for: GET /v1/tokens.  No values in it.
 */
#pragma once

#include "job/client.h"

struct token_list {
        struct locked_buffer answer;
        struct json items; /* an array, inside @answer */
};

/* One token as it is printed; "-" where the broker says nothing. */
struct token_item {
        char name[72], forge[72], forge_type[16], forge_url[160], state[24], source[48];
        char targets[128]; /* the patterns, with commas; "-": all of the forge */
        char registry[160], username[128];
};

/**
 * token_list_get() - asks for the list
 * @ret: zeroed by the caller, released with token_list_done() whatever the outcome
 *
 * Return: 0, or the negated exit code.
 */
int token_list_get(const struct client *client, struct token_list *ret, struct failure *failure);

/** token_list_done() - for _cleanup_ too */
void token_list_done(struct token_list *list);

/** token_list_next() - the next token; start with a zeroed @position.  False at the end. */
bool token_list_next(const struct token_list *list, struct json *position, struct token_item *ret);

/**
 * token_list_find() - the token of that name
 * @position: for members that struct token_item does not have
 *
 * Return: 0, or -EXIT_UNKNOWN_TOKEN with the names that there are.
 */
int token_list_find(const struct token_list *list, const char *name, struct json *position,
                    struct token_item *ret, struct failure *failure);

/** token_list_add_known() - completes the failure for an unknown name with the names there are, if
 * they can be had */
void token_list_add_known(const struct client *client, struct failure *failure);
