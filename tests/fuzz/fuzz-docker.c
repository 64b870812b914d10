/*
 * Docker's configuration and the server its helper is asked for: a registry is added once and for
 * all or the text stays as it was, what is added is found again, and a server that is accepted is
 * one printable word.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "job/docker_config.h"
#include "job/docker_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_config(const uint8_t *data, size_t size, bool replace) {
        _cleanup_(locked_buffer_done) struct locked_buffer text = { 0 };
        struct failure failure;
        int r;

        assert(locked_buffer_append(&text, data, size));
        r = docker_config_add(&text, "r.example", replace, &failure);
        if (r == DOCKER_CONFIG_ADDED) {
                assert(docker_config_add(&text, "r.example", false, &failure) ==
                       DOCKER_CONFIG_UNCHANGED);
                return;
        }
        assert(r == DOCKER_CONFIG_UNCHANGED || r == -EXIT_UNMET);
        /* White space alone stands for an empty object and cannot fail. */
        assert(text.used == size && (size == 0 || memcmp(text.bytes, data, size) == 0));
}

static void check_server(const uint8_t *data, size_t size) {
        char *bytes = malloc(size > 0 ? size : 1), server[DOCKER_SERVER_MAX];
        const char *why;

        assert(bytes);
        if (size > 0)
                memcpy(bytes, data, size);
        if (docker_server_read(bytes, size, server, &why))
                for (const char *p = server; *p; p++)
                        assert(*p > 0x20 && *p < 0x7f);
        free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        check_config(data, size, false);
        check_config(data, size, true);
        check_server(data, size);
        return 0;
}
