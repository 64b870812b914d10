#include "config/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"

#define URL_MAX_BYTES   1024
#define HOST_MAX_BYTES  253 /* RFC 1035: 255 octets on the wire */
#define LABEL_MAX_BYTES 63
#define PORT_MAX        65535

#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define HEX_DIGITS     "0123456789abcdefABCDEF"

/* RFC 3986: what a path segment may hold unescaped, and the slash between segments; '%' is looked
 * at apart. */
#define PATH_BYTES LETTERS_DIGITS "-._~!$&'()*+,;=:@/%"

static bool wrong(const char **ret_why, const char *why) {
        *ret_why = why;
        return false;
}

/* '_' is no letter of a host name, but container networks hand such names out. */
static bool is_host_name(const char *host, size_t length) {
        size_t label = 0;

        if (length == 0 || length > HOST_MAX_BYTES)
                return false;
        for (size_t i = 0; i <= length; i++) {
                if (i == length || host[i] == '.') {
                        if (label == 0 || label > LABEL_MAX_BYTES || host[i - 1] == '-')
                                return false;
                        label = 0;
                } else if (memchr(LETTERS_DIGITS "_", host[i], sizeof(LETTERS_DIGITS "_") - 1) ||
                           (host[i] == '-' && label > 0)) {
                        label++;
                } else {
                        return false;
                }
        }
        return true;
}

/* What resolvers read as an address in one of its odd forms: 127.1, 0x7f.0.0.1, 2130706433. */
static bool looks_like_an_address(const char *host, size_t length) {
        size_t last = length;

        while (last > 0 && host[last - 1] != '.')
                last--;
        return host[last] >= '0' && host[last] <= '9';
}

static bool copy_host(const char *host, size_t length, char copy[static HOST_MAX_BYTES + 1]) {
        if (length > HOST_MAX_BYTES)
                return false;
        memcpy(copy, host, length);
        copy[length] = '\0';
        return true;
}

static bool is_host(const char *host, size_t length) {
        char copy[HOST_MAX_BYTES + 1];
        struct in6_addr six;
        struct in_addr four;

        if (length >= 2 && host[0] == '[' && host[length - 1] == ']')
                return copy_host(host + 1, length - 2, copy) &&
                       inet_pton(AF_INET6, copy, &six) == 1;
        if (!is_host_name(host, length))
                return false;
        if (looks_like_an_address(host, length))
                return copy_host(host, length, copy) && inet_pton(AF_INET, copy, &four) == 1;
        return true;
}

/* The bytes of a host with its brackets, before any port. */
static size_t host_length(const char *authority, size_t length) {
        const char *end =
            *authority == '[' ? memchr(authority, ']', length) : memchr(authority, ':', length);

        if (!end)
                return length;
        return (size_t)(end - authority) + (*authority == '[' ? 1 : 0);
}

static bool is_port(const char *text, size_t length) {
        unsigned port = 0;

        if (length == 0 || length > 5)
                return false;
        for (size_t i = 0; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                port = port * 10 + (unsigned)(text[i] - '0');
        }
        return port > 0 && port <= PORT_MAX;
}

static bool check_authority(const char *authority, size_t length, const char **ret_why) {
        size_t host = host_length(authority, length);

        if (memchr(authority, '@', length))
                return wrong(ret_why, "has a user name or password in it");
        if (host == 0)
                return wrong(ret_why, "has no host in it");
        if (!is_host(authority, host))
                return wrong(ret_why, "has a host in it that is neither a name nor an address");
        if (host < length &&
            (authority[host] != ':' || !is_port(authority + host + 1, length - host - 1)))
                return wrong(ret_why, "has a port in it that is not between 1 and 65535");
        return true;
}

static bool check_path(const char *path, size_t length, const char **ret_why) {
        size_t segment = 0;

        for (size_t i = 0; i < length; i++) {
                if (!memchr(PATH_BYTES, path[i], sizeof(PATH_BYTES) - 1))
                        return wrong(ret_why, "has characters in it that must be percent-encoded");
                if (path[i] == '%' &&
                    (length - i < 3 || !memchr(HEX_DIGITS, path[i + 1], sizeof(HEX_DIGITS) - 1) ||
                     !memchr(HEX_DIGITS, path[i + 2], sizeof(HEX_DIGITS) - 1)))
                        return wrong(ret_why, "has a '%' in it without two hex digits behind it");
        }
        for (size_t i = 0; i < length; i += segment) {
                const char *begin = path + i + 1, *end = memchr(begin, '/', length - i - 1);

                segment = 1 + (end ? (size_t)(end - begin) : length - i - 1);
                if (segment == 1 || (segment == 2 && begin[0] == '.') ||
                    (segment == 3 && begin[0] == '.' && begin[1] == '.'))
                        return wrong(ret_why, "has empty, '.' or '..' segments in its path");
        }
        return true;
}

static void lower_case(char *text, size_t length) {
        for (size_t i = 0; i < length; i++)
                if (text[i] >= 'A' && text[i] <= 'Z')
                        text[i] = (char)(text[i] + ('a' - 'A'));
}

bool url_normalise(const char *text, bool with_path, char **ret, const char **ret_why) {
        size_t length = strlen(text), scheme, authority, path;
        char *copy;

        if (length > URL_MAX_BYTES)
                return wrong(ret_why, "is longer than 1024 bytes");
        if (strncasecmp(text, "https://", 8) == 0)
                scheme = 8;
        else if (strncasecmp(text, "http://", 7) == 0)
                scheme = 7;
        else
                return wrong(ret_why, "does not begin with https:// or http://");

        authority = strcspn(text + scheme, "/?#");
        if (!check_authority(text + scheme, authority, ret_why))
                return false;
        if (strpbrk(text, "?#"))
                return wrong(ret_why, "has a query or a fragment in it");

        while (text[length - 1] == '/')
                length--;
        path = scheme + authority;
        if (!with_path && length > path)
                return wrong(ret_why, "has a path in it");
        if (!check_path(text + path, length - path, ret_why))
                return false;

        copy = strndup(text, length);
        if (!copy)
                return wrong(ret_why, "could not be kept for lack of memory");
        lower_case(copy, path);
        *ret = copy;
        return true;
}

size_t url_origin_length(const char *url) {
        bool plaintext = url_is_plaintext(url);
        size_t scheme = plaintext ? 7 : 8, length = scheme + strcspn(url + scheme, "/?");
        const char *port = plaintext ? ":80" : ":443";
        size_t port_length = strlen(port);

        if (length > scheme + port_length &&
            memcmp(url + length - port_length, port, port_length) == 0)
                length -= port_length;
        return length;
}

char *url_origin_of(const char *text) {
        size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
                        : strncasecmp(text, "http://", 7) == 0 ? 7
                                                               : 0;
        const char *why;
        char *origin;

        if (scheme == 0 || !check_authority(text + scheme, strcspn(text + scheme, "/?#"), &why))
                return NULL;
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p > '~' || *p == '#' || *p == '\\')
                        return NULL;
        origin = strndup(text, scheme + strcspn(text + scheme, "/?"));
        if (!origin)
                return NULL;
        lower_case(origin, strlen(origin));
        origin[url_origin_length(origin)] = '\0';
        return origin;
}

bool url_is_same_origin(const char *a, const char *b) {
        _cleanup_(freep) char *first = url_origin_of(a), *second = url_origin_of(b);

        return first && second && strcmp(first, second) == 0;
}

bool url_is_plaintext(const char *url) {
        return text_starts_with(url, "http://");
}

bool url_is_loopback(const char *url) {
        const char *authority = strstr(url, "://") + 3;
        size_t length = host_length(authority, strcspn(authority, "/"));
        char host[HOST_MAX_BYTES + 1];
        struct in6_addr six;
        struct in_addr four;

        if (*authority == '[')
                return copy_host(authority + 1, length - 2, host) &&
                       inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
        if (!copy_host(authority, length, host))
                return false;
        if (strcmp(host, "localhost") == 0)
                return true;
        return inet_pton(AF_INET, host, &four) == 1 && ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
}

bool host_port_normalise(const char *text, char **ret, const char **ret_why) {
        char *copy;

        if (!check_authority(text, strlen(text), ret_why))
                return false;
        copy = strdup(text);
        if (!copy)
                return wrong(ret_why, "could not be kept for lack of memory");
        lower_case(copy, strlen(copy));
        *ret = copy;
        return true;
}
