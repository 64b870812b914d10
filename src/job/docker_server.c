#include "job/docker_server.h"

#include <string.h>

#include "base/text.h"

bool docker_server_read(char *bytes, size_t length, char server[static DOCKER_SERVER_MAX],
                        const char **ret_why) {
        const char *text = text_strip(bytes, &length);

        *ret_why = "the server URL is longer than 1023 bytes";
        if (length >= DOCKER_SERVER_MAX)
                return false;
        *ret_why = "the server URL has a character that no URL has";
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
                        return false;
        memcpy(server, text, length);
        server[length] = '\0';
        return true;
}
