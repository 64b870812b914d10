/*
 * How a secret looks in an answer: its members differ by route, by generation and by how it was
 * found.
 */
#pragma once

#include "place.h"

enum shape { SHAPE_OWN, SHAPE_VERSION, SHAPE_IMPORTED, SHAPE_LISTED };

/**
 * shape_secret() - a new object
 * @path:  where it was found, for the answers that tell
 * @value: borrowed; NULL shows the mask
 */
json_t *shape_secret(const struct request *r, const struct place *place, const char *environment,
                     const char *path, const json_t *secret, json_t *value, enum shape shape);

/**
 * expand_value() - the value with ${NAME} and ${environment.folder.NAME} replaced; a new string
 *
 * Return: NULL if the member may not read what is referred to and the answer is made.
 */
json_t *expand_value(struct request *r, const struct place *place, const json_t *secret);
