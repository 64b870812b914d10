#include "job/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

bool url_parse(const char *text, struct url *ret) {
        size_t scheme = text_starts_with(text, "https://")  ? 5
                        : text_starts_with(text, "http://") ? 4
                                                            : 0;
        const char *authority = text + scheme + 3, *end, *at;

        if (scheme == 0 || strlen(text) >= URL_MAX)
                return false;
        for (const char *p = text; *p; p++)
                if ((unsigned char)*p <= 0x20 || *p == 0x7f)
                        return false;
        end = authority + strcspn(authority, "/?#");
        at = memrchr(authority, '@', (size_t)(end - authority));
        *ret = (struct url){ .text = text, .scheme_length = scheme, .path = end };
        if (at) {
                ret->user = authority;
                ret->user_length = (size_t)(at - authority);
                ret->has_password = memchr(authority, ':', ret->user_length) != NULL;
        }
        ret->host = at ? at + 1 : authority;
        ret->host_length = (size_t)(end - ret->host);
        return ret->host_length > 0;
}

void url_without_user(const struct url *url, char *buffer) {
        (void)snprintf(buffer, URL_MAX, "%.*s://%.*s%s", (int)url->scheme_length, url->text,
                       (int)url->host_length, url->host, url->path);
}

void url_origin(const struct url *url, char *buffer) {
        (void)snprintf(buffer, URL_MAX, "%.*s://%.*s/", (int)url->scheme_length, url->text,
                       (int)url->host_length, url->host);
}

/* "git.example.org:443" of https is "git.example.org". */
static size_t without_port(const char *host, size_t length, const char *protocol) {
        const char *port = strcmp(protocol, "https") == 0 ? ":443" : ":80";
        size_t port_length = strlen(port);

        if (length > port_length && memcmp(host + length - port_length, port, port_length) == 0)
                return length - port_length;
        return length;
}

bool url_is_on(const char *forge_url, const char *protocol, const char *host, const char *path) {
        size_t scheme = strlen(protocol), length;
        const char *forge = forge_url + scheme + 3, *base;

        if (strncmp(forge_url, protocol, scheme) != 0 || strncmp(forge_url + scheme, "://", 3) != 0)
                return false;
        base = strchrnul(forge, '/');
        length = without_port(forge, (size_t)(base - forge), protocol);
        if (length != without_port(host, strlen(host), protocol) ||
            strncasecmp(forge, host, length) != 0)
                return false;
        base += *base == '/';
        length = strlen(base);
        if (length == 0 || !path[0])
                return true;
        return strncmp(path, base, length) == 0 && path[length] == '/';
}

bool url_is_below(const char *forge_url, const struct url *url) {
        char protocol[8], host[URL_MAX];

        (void)snprintf(protocol, sizeof(protocol), "%.*s", (int)url->scheme_length, url->text);
        (void)snprintf(host, sizeof(host), "%.*s", (int)url->host_length, url->host);
        return url_is_on(forge_url, protocol, host,
                         url->path[0] == '/' ? url->path + 1 : url->path);
}

bool url_repository(const char *forge_url, const char *text, char *buffer) {
        struct url forge, url;
        const char *path;
        char *end;

        if (!url_parse(forge_url, &forge) || !url_parse(text, &url) ||
            !url_is_below(forge_url, &url) || strlen(url.path) <= strlen(forge.path))
                return false;
        path = url.path + strlen(forge.path);
        (void)snprintf(buffer, URL_MAX, "%s", path + (*path == '/' ? 1 : 0));
        end = strstr(buffer, ".git/");
        if (end)
                *end = '\0';
        for (end = buffer + strlen(buffer); end > buffer && end[-1] == '/'; end--)
                end[-1] = '\0';
        if (end - buffer > 4 && strcmp(end - 4, ".git") == 0)
                end[-4] = '\0';
        return buffer[0] != '/' && strchr(buffer, '/') && buffer[strlen(buffer) - 1] != '/';
}
