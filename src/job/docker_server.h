/*
 * What docker names a registry by, on the standard input of its helper.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DOCKER_SERVER_MAX 1024

/**
 * docker_server_read() - the one word there is, without the white space around it; "" for none
 * @bytes:   stripped in place
 * @ret_why: static text, when it cannot be a server
 */
bool docker_server_read(char *bytes, size_t length, char server[static DOCKER_SERVER_MAX],
                        const char **ret_why);
