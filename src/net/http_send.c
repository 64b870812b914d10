#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "net/http_call.h"

#define REQUEST_LINE_MAX 16384 /* one header with a credential in it */

/* "host:port", with the proxy where there is one; never the path or a user name. */
void http_call_name(struct http_call *call) {
        const struct http_request *request = &call->request;
        const char *urls[] = { request->url, request->proxy };
        char names[2][HTTP_NAME_MAX] = { "", "" };

        for (size_t i = 0; i < ELEMENTS(urls); i++) {
                char *host = NULL, *port = NULL;
                CURLU *url = urls[i] ? curl_url() : NULL;

                if (url &&
                    curl_url_set(url, CURLUPART_URL, urls[i], CURLU_DEFAULT_SCHEME) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
                        (void)snprintf(names[i], sizeof(names[i]), "%s:%s", host, port);
                curl_free(host);
                curl_free(port);
                curl_url_cleanup(url);
        }
        if (request->proxy)
                (void)snprintf(call->peer, sizeof(call->peer), "%.80s (through proxy %.80s)",
                               names[0], names[1]);
        else
                (void)snprintf(call->peer, sizeof(call->peer), "%s", names[0]);
}

static bool add_header(struct http_call *call, const char *line) {
        struct curl_slist *headers = curl_slist_append(call->headers, line);

        if (!headers)
                return false;
        call->headers = headers;
        return true;
}

/* A header line is put together in the region; libcurl's copy is in the wiping heap. */
static bool add_header_value(struct http_call *call, const char *name, const char *value,
                             size_t length) {
        _cleanup_(secret_unrefp) struct secret *line = secret_new(REQUEST_LINE_MAX);

        return line && secret_append(line, name, strlen(name)) && secret_append(line, ": ", 2) &&
               secret_append(line, value, length) && !memchr(value, '\n', length) &&
               !memchr(value, '\r', length) && !memchr(value, '\0', length) &&
               add_header(call, secret_bytes(line));
}

/* Each "Name: value\n" of @lines is a header of its own. */
static bool add_header_lines(struct http_call *call, const struct secret *lines) {
        const char *p = secret_bytes(lines), *end = p + secret_length(lines);

        while (p < end) {
                const char *newline = memchr(p, '\n', (size_t)(end - p));
                size_t length = (size_t)((newline ? newline : end) - p);
                const char *colon = memchr(p, ':', length);
                char name[64];
                size_t value_length;
                const char *value;

                if (length > 0 && (!colon || colon == p || (size_t)(colon - p) >= sizeof(name)))
                        return false;
                if (length > 0) {
                        memcpy(name, p, (size_t)(colon - p));
                        name[colon - p] = '\0';
                        value = http_header_value(p, length, name, &value_length);
                        if (!value || !add_header_value(call, name, value, value_length))
                                return false;
                }
                p += length + 1;
        }
        return true;
}

static int add_headers(struct http_call *call, struct error *err) {
        const struct http_request *request = &call->request;
        const char *accept = request->accept ? request->accept : "application/json";

        if (!add_header_value(call, "Accept", accept, strlen(accept)) ||
            (request->authorization &&
             !add_header_value(call, "Authorization", secret_bytes(request->authorization),
                               secret_length(request->authorization))) ||
            (request->if_none_match &&
             !add_header_value(call, "If-None-Match", request->if_none_match,
                               strlen(request->if_none_match))) ||
            (request->body && !add_header(call, "Content-Type: application/json")))
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "the request's headers do not fit or hold a line break");
        if (request->headers && !add_header_lines(call, request->headers))
                return error_set(err, DIAG_INTERNAL_ERROR,
                                 "a further header is not of the form 'Name: value'");
        return 0;
}

static curl_socket_t open_socket(void *userdata, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
        (void)userdata;
        (void)purpose;
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static CURLcode set_method(struct http_call *call) {
        const struct http_request *request = &call->request;
        CURL *easy = call->easy;
        CURLcode r = CURLE_OK;

        if (request->body) {
                r = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, secret_bytes(request->body));
                if (r == CURLE_OK)
                        r = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                             (curl_off_t)secret_length(request->body));
        } else if (strcmp(request->method, "POST") == 0) {
                r = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
        }
        if (r == CURLE_OK && strcmp(request->method, "HEAD") == 0)
                return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        if (r == CURLE_OK && strcmp(request->method, "GET") != 0)
                r = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
        /* libcurl repeats a request by itself when a kept connection turns out to be dead; what
         * changes something upstream must not be sent twice. */
        if (r == CURLE_OK && strcmp(request->method, "GET") != 0)
                r = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        return r;
}

static CURLcode on_tls_begun(CURL *easy, void *context, void *userdata) {
        struct http_call *call = userdata;

        (void)easy;
        (void)context;
        call->tls_begun = true;
        return CURLE_OK;
}

static CURLcode set_tls(struct http_call *call) {
        const char *ca_file = call->request.ca_file;
        CURL *easy = call->easy;
        CURLcode r = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);

        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_begun);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, call);
        if (r != CURLE_OK || !ca_file)
                return r;

        /* The file replaces the system's CAs only without the directory, and is read again when it
         * was replaced only without the cache. */
        r = curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        if (r == CURLE_OK)
                r = curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
        return r;
}

static long milliseconds(usec_t span) {
        usec_t ms = (span + USEC_PER_MSEC - 1) / USEC_PER_MSEC;

        return ms < 1 ? 1 : ms > INT_MAX ? INT_MAX : (long)ms;
}

#define SET(option, value)                                                                         \
        do {                                                                                       \
                CURLcode set_result = curl_easy_setopt(call->easy, option, value);                 \
                if (set_result != CURLE_OK)                                                        \
                        return set_result;                                                         \
        } while (0)

static CURLcode set_options(struct http_call *call) {
        const struct http_request *request = &call->request;
        CURLcode r;

        SET(CURLOPT_URL, request->url);
        SET(CURLOPT_PATH_AS_IS, 1L);
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
        /* nghttp2 does not use our allocators */
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_HTTPHEADER, call->headers);
        SET(CURLOPT_USERAGENT, "forge-broker/" PACKAGE_VERSION);

        /* "" is no proxy, whatever the environment says; likewise for the hosts that go without
         * the named one. */
        SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
        SET(CURLOPT_NOPROXY, "");
        SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
        SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);

        /* Without QUICK_EXIT the release of a handle joins its resolver thread, and the loop
         * stands still. */
        SET(CURLOPT_QUICK_EXIT, 1L);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_TIMEOUT_MS, milliseconds(request->timeout));
        SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request->connect_timeout));

        SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
        SET(CURLOPT_HEADERFUNCTION, http_on_head);
        SET(CURLOPT_HEADERDATA, call);
        SET(CURLOPT_WRITEFUNCTION, http_on_body);
        SET(CURLOPT_WRITEDATA, call);
        SET(CURLOPT_ERRORBUFFER, call->reason);
        SET(CURLOPT_PRIVATE, call);

        r = set_tls(call);
        return r == CURLE_OK ? set_method(call) : r;
}

#undef SET

int http_call_fill(struct http_call *call, struct error *err) {
        CURLcode result;
        int r = add_headers(call, err);

        if (r < 0)
                return r;
        call->easy = curl_easy_init();
        if (!call->easy)
                return error_oom(err);
        result = set_options(call);
        if (result != CURLE_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "%s: libcurl refuses a setting: %s",
                                 call->peer, curl_easy_strerror(result));
        return 0;
}
