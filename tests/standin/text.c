#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "standin.h"

char *format_text(const char *format, ...) {
        char *text = NULL;
        va_list args;

        va_start(args, format);
        if (vasprintf(&text, format, args) < 0)
                abort();
        va_end(args);
        return text;
}

static void random_bytes(unsigned char *bytes, size_t count) {
        if (getrandom(bytes, count, 0) != (ssize_t)count)
                abort();
}

void random_uuid(char uuid[static 37]) {
        unsigned char b[16];

        random_bytes(b, sizeof b);
        b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
        b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
        (void)snprintf(uuid, 37,
                       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                       b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                       b[13], b[14], b[15]);
}

void random_word(char *word, size_t length) {
        static const char letters[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        unsigned char b[64];

        if (length > sizeof b)
                abort();
        random_bytes(b, length);
        for (size_t i = 0; i < length; i++)
                word[i] = letters[b[i] % (sizeof letters - 1)];
        word[length] = '\0';
}

const char *iso_date(double seconds, char buffer[static 32]) {
        time_t whole = (time_t)seconds;
        struct tm tm;
        size_t used;

        (void)gmtime_r(&whole, &tm);
        used = strftime(buffer, 32, "%Y-%m-%dT%H:%M:%S", &tm);
        (void)snprintf(buffer + used, 32 - used, ".%03uZ",
                       (unsigned)((seconds - (double)whole) * 1000.0) % 1000);
        return buffer;
}

const char *member_text(const json_t *object, const char *key, const char *fallback) {
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : fallback;
}
