/*
 * The types of values that are texts: paths, addresses, names.
 */
#include "config/values.h"

#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "config/pasted.h"
#include "config/url.h"
#include "config/value_text.h"

#define PROJECT_MAX_BYTES    64
#define SLUG_MAX_BYTES       64
#define USERNAME_MAX_BYTES   255
#define PATH_MAX_BYTES       1024
#define CREDENTIAL_MAX_BYTES 255
#define VARIABLE_MAX_BYTES   128
/* The server's router answers a longer path parameter as an unknown route, whatever it holds. */
#define SECRET_NAME_MAX_BYTES 100

/* Refused: what makes two spellings of one path. */
static bool has_odd_elements(const char *path) {
        return strstr(path, "//") || strstr(path, "/./") || strstr(path, "/../");
}

static bool read_socket(const struct key *key, const char *text, struct value_read *ret,
                        const char **ret_why) {
        (void)key;
        if (*text != '/')
                return wrong(ret_why, "is not an absolute path");
        if (strlen(text) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
                return wrong(ret_why,
                             "is a path longer than 107 bytes, the kernel's limit for a socket");
        if (has_odd_elements(text) || text[strlen(text) - 1] == '/')
                return wrong(
                    ret_why,
                    "is a path with empty, '.' or '..' elements, or with a '/' at its end");
        return keep(text, ret, ret_why);
}

const struct value_type value_socket = {
        .read = read_socket, .expected = "an absolute path such as /run/forge-broker/broker.sock"
};

static bool read_socket_or_none(const struct key *key, const char *text, struct value_read *ret,
                                const char **ret_why) {
        return *text == '\0' ? true : read_socket(key, text, ret, ret_why);
}

const struct value_type value_socket_or_none = {
        .read = read_socket_or_none,
        .expected = "an absolute path such as /run/forge-broker-control.sock, or nothing for no "
                    "such socket",
        .may_be_empty = true
};

static bool read_file(const struct key *key, const char *text, struct value_read *ret,
                      const char **ret_why) {
        (void)key;
        if (*text != '/')
                return wrong(ret_why, "is not an absolute path");
        if (strlen(text) > PATH_MAX_BYTES)
                return wrong(ret_why, "is longer than 1024 bytes");
        if (text[strlen(text) - 1] == '/')
                return wrong(ret_why, "is a directory");
        return keep(text, ret, ret_why);
}

const struct value_type value_file = { .read = read_file,
                                       .expected =
                                           "an absolute path such as /etc/ssl/private-ca.pem" };

static bool read_credential(const struct key *key, const char *text, struct value_read *ret,
                            const char **ret_why) {
        if (pasted_secret(text))
                return wrong(ret_why, "looks like a secret itself (take it out of this file and "
                                      "replace it upstream)");
        if (*text == '/')
                return read_file(key, text, ret, ret_why);
        if (strchr(text, '/') || strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
                return wrong(ret_why, "is neither an absolute path nor a credential's name");
        if (strlen(text) > CREDENTIAL_MAX_BYTES)
                return wrong(ret_why, "is longer than the name of a file can be");
        return keep(text, ret, ret_why);
}

const struct value_type value_credential = { .read = read_credential,
                                             .expected =
                                                 "the name of a file in $CREDENTIALS_DIRECTORY "
                                                 "such as infisical-token, or an absolute path" };

static bool read_infisical_url(const struct key *key, const char *text, struct value_read *ret,
                               const char **ret_why) {
        size_t length;

        (void)key;
        if (!url_normalise(text, /* with_path= */ true, &ret->text, ret_why))
                return false;
        length = strlen(ret->text);
        if (length < 4 || strcmp(ret->text + length - 4, "/api") != 0)
                return true;
        free(take(ret->text));
        return wrong(ret_why, "ends in /api, which is added to it");
}

const struct value_type value_infisical_url = { .read = read_infisical_url,
                                                .expected =
                                                    "a URL such as https://infisical.example.org" };

static bool read_forge_url(const struct key *key, const char *text, struct value_read *ret,
                           const char **ret_why) {
        (void)key;
        if (!url_normalise(text, /* with_path= */ true, &ret->text, ret_why))
                return false;
        if (!url_is_plaintext(ret->text) || url_is_loopback(ret->text))
                return true;
        free(take(ret->text));
        return wrong(ret_why,
                     "is http:// to another host, which would show the token to the network");
}

const struct value_type value_forge_url = {
        .read = read_forge_url,
        .expected = "a URL such as https://git.example.org; http:// only for a loopback address"
};

static bool read_proxy_url(const struct key *key, const char *text, struct value_read *ret,
                           const char **ret_why) {
        (void)key;
        return url_normalise(text, /* with_path= */ false, &ret->text, ret_why);
}

const struct value_type value_proxy_url = { .read = read_proxy_url,
                                            .expected =
                                                "a URL such as http://proxy.example.org:3128" };

static bool read_registry(const struct key *key, const char *text, struct value_read *ret,
                          const char **ret_why) {
        (void)key;
        return host_port_normalise(text, &ret->text, ret_why);
}

const struct value_type value_registry = {
        .read = read_registry,
        .expected = "a host such as registry.example.org or registry.example.org:5000"
};

static bool read_reference(const struct key *key, const char *text, struct value_read *ret,
                           const char **ret_why) {
        (void)key;
        return text_is_name(text) ? keep(text, ret, ret_why) : wrong(ret_why, "is not a name");
}

const struct value_type value_reference = {
        .read = read_reference,
        .expected = "a name of letters, digits, '.', '_' and '-', beginning with a letter or "
                    "digit, at most 64 bytes"
};

static bool read_project(const struct key *key, const char *text, struct value_read *ret,
                         const char **ret_why) {
        (void)key;
        if (strlen(text) > PROJECT_MAX_BYTES || !text_is_plain(text))
                return wrong(ret_why, "is not the id of a project");
        return keep(text, ret, ret_why);
}

const struct value_type value_project = {
        .read = read_project,
        .expected = "an id such as 00000000-0000-0000-0000-000000000000, at most 64 bytes"
};

static bool read_slug(const struct key *key, const char *text, struct value_read *ret,
                      const char **ret_why) {
        (void)key;
        if (strlen(text) > SLUG_MAX_BYTES || !consists_of(text, LETTERS_DIGITS "-_"))
                return wrong(ret_why, "is not a slug");
        return keep(text, ret, ret_why);
}

const struct value_type value_slug = {
        .read = read_slug,
        .expected = "a slug of letters, digits, '-' and '_' such as prod, at most 64 bytes"
};

static bool read_secret_path(const struct key *key, const char *text, struct value_read *ret,
                             const char **ret_why) {
        size_t length = strlen(text);

        (void)key;
        if (*text != '/')
                return wrong(ret_why, "does not begin with '/'");
        if (length > PATH_MAX_BYTES)
                return wrong(ret_why, "is longer than 1024 bytes");
        while (length > 1 && text[length - 1] == '/')
                length--;
        if (memmem(text, length, "//", 2))
                return wrong(ret_why, "has an empty element in it");
        if (strspn(text, LETTERS_DIGITS "-_/") < length)
                return wrong(
                    ret_why,
                    "has an element with other characters than letters, digits, '-' and '_' in it");
        ret->text = strndup(text, length);
        return ret->text ? true : wrong(ret_why, "could not be kept for lack of memory");
}

const struct value_type value_secret_path = { .read = read_secret_path,
                                              .expected =
                                                  "a path such as /platform/forgejo_accounts" };

static bool read_secret_name(const struct key *key, const char *text, struct value_read *ret,
                             const char **ret_why) {
        size_t length = strlen(text);

        (void)key;
        if (length > SECRET_NAME_MAX_BYTES)
                return wrong(ret_why, "is longer than 100 bytes, Infisical's limit");
        if (strpbrk(text, "/:"))
                return wrong(ret_why,
                             "has a '/' or ':' in it, which Infisical does not allow in a name");
        if (strpbrk(text, "\t") || *text == ' ' || text[length - 1] == ' ')
                return wrong(ret_why, "has a tab in it, or a blank at an end");
        /* Clients and proxies take these out of a path, however they are written. */
        if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
                return wrong(ret_why, "is a name that cannot be asked for in a URL");
        return keep(text, ret, ret_why);
}

const struct value_type value_secret_name = { .read = read_secret_name,
                                              .expected = "a name such as deploy-bot@example.org" };

static bool read_username(const struct key *key, const char *text, struct value_read *ret,
                          const char **ret_why) {
        (void)key;
        if (strlen(text) > USERNAME_MAX_BYTES)
                return wrong(ret_why, "is longer than 255 bytes");
        for (const char *p = text; *p; p++)
                if (*p <= ' ' || *p > '~' || *p == ':')
                        return wrong(ret_why,
                                     "has blanks, a ':' or characters outside ASCII in it");
        return keep(text, ret, ret_why);
}

const struct value_type value_username = { .read = read_username,
                                           .expected = "a user name such as deploy-bot" };

/* Given to a service by systemd or the C library: never an operator's place for a token. */
static bool is_service_variable(const char *name) {
        static const char *const names[] = { "CACHE_DIRECTORY",
                                             "CONFIGURATION_DIRECTORY",
                                             "CREDENTIALS_DIRECTORY",
                                             "FDSTORE",
                                             "HOME",
                                             "INVOCATION_ID",
                                             "JOURNAL_STREAM",
                                             "LANG",
                                             "LISTEN_FDNAMES",
                                             "LISTEN_FDS",
                                             "LISTEN_PID",
                                             "LISTEN_PIDFDID",
                                             "LOGNAME",
                                             "LOGS_DIRECTORY",
                                             "MAINPID",
                                             "MANAGERPID",
                                             "MEMORY_PRESSURE_WATCH",
                                             "MEMORY_PRESSURE_WRITE",
                                             "NOTIFY_SOCKET",
                                             "PATH",
                                             "PIDFILE",
                                             "RUNTIME_DIRECTORY",
                                             "SHELL",
                                             "STATE_DIRECTORY",
                                             "SYSTEMD_EXEC_PID",
                                             "TERM",
                                             "TZ",
                                             "USER",
                                             "WATCHDOG_PID",
                                             "WATCHDOG_USEC" };

        if (text_starts_with(name, "LD_") || text_starts_with(name, "LC_") ||
            text_starts_with(name, "MALLOC_"))
                return true;
        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return false;
}

static bool read_variable(const struct key *key, const char *text, struct value_read *ret,
                          const char **ret_why) {
        (void)key;
        if ((*text >= '0' && *text <= '9') || !consists_of(text, UPPER "0123456789_") ||
            strlen(text) > VARIABLE_MAX_BYTES)
                return wrong(ret_why, "is not the name of a variable");
        if (is_service_variable(text))
                return wrong(ret_why, "is a variable that the service itself is given");
        return keep(text, ret, ret_why);
}

const struct value_type value_variable = {
        .read = read_variable,
        .expected = "a variable's name of A-Z, 0-9 and '_' such as DEPLOY_FORGEJO_TOKEN"
};
