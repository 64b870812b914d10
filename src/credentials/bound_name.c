#include "credentials/bound_name.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/text.h"

#define RANDOM_DIGITS_MAX 16
#define UNIT_CHARACTERS   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:-_.\\@"

static const char separator[] = "/unit/";

static int malformed(struct error *err, const char *why) {
        (void)error_set(err, DIAG_MALFORMED_REQUEST, "the connecting address %s", why);
        error_remedy_set(
            err, "This socket is for LoadCredential= of systemd, which names the unit and the "
                 "credential by the "
                 "address it connects from; a job asks the jobs' socket with forge-broker.");
        return -(int)DIAG_MALFORMED_REQUEST;
}

static size_t count_of(const char *text, size_t length, const char *allowed) {
        size_t i = 0;

        while (i < length && text[i] && strchr(allowed, text[i]))
                i++;
        return i;
}

int bound_name_parse(const char *bytes, size_t length, struct bound_name *ret, struct error *err) {
        const char *text = bytes + 1, *slash;
        size_t left, digits, unit, id;

        if (length <= 1 || bytes[0] != '\0')
                return malformed(err, "is not an abstract one");
        left = length - 1;
        if (length > BOUND_NAME_MAX || memchr(text, '\0', left))
                return malformed(err, "has a NUL in it or is too long");
        digits = count_of(text, left, "0123456789abcdef");
        if (digits == 0 || digits > RANDOM_DIGITS_MAX || left - digits < sizeof(separator) - 1 ||
            memcmp(text + digits, separator, sizeof(separator) - 1) != 0)
                return malformed(err, "does not begin as systemd's do");
        text += digits + sizeof(separator) - 1;
        left -= digits + sizeof(separator) - 1;
        slash = memrchr(text, '/', left);
        unit = slash ? (size_t)(slash - text) : 0;
        if (unit == 0 || count_of(text, unit, UNIT_CHARACTERS) != unit)
                return malformed(err, "names no unit");
        id = left - unit - 1;
        if (id == 0)
                return malformed(err, "names no credential");
        *ret = (struct bound_name){ 0 };
        memcpy(ret->unit, text, unit);
        memcpy(ret->id, slash + 1, id);
        return 0;
}

int bound_name_read(int fd, struct bound_name *ret, struct error *err) {
        struct sockaddr_un address = { .sun_family = AF_UNSPEC };
        socklen_t length = sizeof(address);

        if (getpeername(fd, (struct sockaddr *)&address, &length) < 0)
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "the kernel does not say from which address is asked: %s",
                                 strerror(errno));
        if (address.sun_family != AF_UNIX || length <= offsetof(struct sockaddr_un, sun_path) ||
            length > sizeof(address))
                return malformed(err, "has no name");
        return bound_name_parse(address.sun_path, length - offsetof(struct sockaddr_un, sun_path),
                                ret, err);
}
