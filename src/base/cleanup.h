/*
 * Scope-bound release of what a function holds, and the hand-over of ownership.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f)    __attribute__((cleanup(f)))
#define _printf_(a, b)  __attribute__((format(printf, a, b)))
#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* take() hands over what a cleanup variable owns and leaves NULL behind, so that the scope's end
 * frees nothing. */
#define take(pointer)                                                                              \
        __extension__({                                                                            \
                __typeof__(pointer) *_p = &(pointer), _v = *_p;                                    \
                *_p = NULL;                                                                        \
                _v;                                                                                \
        })

/* Defines NAMEp(), the form that _cleanup_ takes, for a function that accepts NULL. */
#define DEFINE_CLEANUP(type, function)                                                             \
        static inline void function##p(type *p) {                                                  \
                if (*p)                                                                            \
                        (void)function(*p);                                                        \
        }                                                                                          \
        struct defined_cleanup_##function

static inline void freep(void *p) {
        free(*(void **)p);
}

static inline void closep(const int *fd) {
        if (*fd >= 0)
                (void)close(*fd);
}

static inline void fclosep(FILE **f) {
        if (*f)
                (void)fclose(*f);
}

/* Hands over a descriptor: returns it and leaves -1 behind. */
static inline int take_fd(int *fd) {
        int taken = *fd;

        *fd = -1;
        return taken;
}
