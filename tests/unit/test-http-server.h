/*
 * A throw-away HTTP server on the loopback for the tests of what asks one.  It runs in a process of
 * its own, and each connection in another, so that an answer may be slow, wrong or missing without
 * holding anything else up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Shared between the test and the server's processes. */
struct test_server_shared {
        int mode;        /* the test's to set, answer()'s to read */
        int requests[4]; /* answer()'s to count */
};

extern struct test_server_shared *test_server_shared;

/** test_server_start() - forks; @answer writes to @fd what it likes, after which the connection is
 * closed.  Return: port */
int test_server_start(void (*answer)(int fd, const char *head));
void test_server_stop(void);

/** test_server_send() - writes a whole text */
void test_server_send(int fd, const char *text);
