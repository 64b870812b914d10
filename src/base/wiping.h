/*
 * Wiping allocators of the ordinary heap, for libraries that secrets pass through: libcurl, its TLS
 * library and jansson.  What is released is wiped.  Thread safe (libcurl's resolver runs in a
 * thread of its own).
 */
#pragma once

#include <stddef.h>

void *wiping_malloc(size_t bytes);
void *wiping_calloc(size_t count, size_t bytes);
void *wiping_realloc(void *block, size_t bytes);
char *wiping_strdup(const char *text);
void wiping_free(void *block);

/** wiping_in_use() - live bytes, as malloc() rounds them up: 0 when all is released */
size_t wiping_in_use(void);

/** wiping_trim() - at the end of something large: gives pages back to the system, if there is much
 * to give since the last time */
void wiping_trim(void);
