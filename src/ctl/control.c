#include "ctl/control.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "config/config.h"

/* What only looks is answered at once; a fetch or a check-up when it is done, or when
 * request_timeout is over. */
#define LOOK_TIMEOUT_MS 30000L
#define WAIT_TIMEOUT_MS ((long)(REQUEST_TIMEOUT_MAX / USEC_PER_MSEC) + 10000L)

struct buffer {
        char *bytes;
        size_t length;
};

static void buffer_done(struct buffer *buffer) {
        free(buffer->bytes);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *userdata) {
        struct buffer *buffer = userdata;
        size_t length = size * count;
        char *grown;

        if (buffer->length + length > JSON_TEXT_MAX_BYTES)
                return 0;
        grown = realloc(buffer->bytes, buffer->length + length);
        if (!grown)
                return 0;
        memcpy(grown + buffer->length, bytes, length);
        buffer->bytes = grown;
        buffer->length += length;
        return length;
}

int control_setup(struct error *err) {
        if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
                return error_set(err, DIAG_INTERNAL_ERROR, "libcurl cannot be set up");
        return 0;
}

/* Why connect() fails, as an operator would want to hear it. */
static int not_running(const char *socket, struct error *err) {
        if (access(socket, F_OK) < 0 && errno == ENOENT) {
                (void)error_set(err, DIAG_INTERNAL_ERROR, "there is no socket %s", socket);
                error_remedy_set(err, "Start it: systemctl start forge-brokerd.socket "
                                      "forge-brokerd-control.socket, or name "
                                      "the socket with --socket.");
        } else if (access(socket, R_OK | W_OK) < 0) {
                (void)error_set(err, DIAG_INTERNAL_ERROR,
                                "this user (uid %u) may not connect to %s", (unsigned)geteuid(),
                                socket);
                error_remedy_set(err, "Run it as root.");
        } else {
                (void)error_set(err, DIAG_INTERNAL_ERROR, "nobody listens on %s", socket);
                error_remedy_set(err, "See 'systemctl status forge-brokerd'.");
        }
        return CONTROL_NOT_RUNNING;
}

/* CONTROL_ANSWERED and the bytes, with a NUL behind them; else as control_request(). */
static int perform(const char *socket, const char *method, const char *path, struct buffer *buffer,
                   long *ret_status, struct error *err) {
        _cleanup_(freep) char *url = NULL;
        CURL *curl = curl_easy_init();
        bool waits = strcmp(method, "POST") == 0;
        CURLcode code;
        int r = CONTROL_ANSWERED;

        if (!curl || asprintf(&url, "http://localhost%s", path) < 0) {
                url = NULL;
                curl_easy_cleanup(curl);
                return error_oom(err);
        }
        (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
        (void)curl_easy_setopt(curl, CURLOPT_URL, url);
        (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
        (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, waits ? WAIT_TIMEOUT_MS : LOOK_TIMEOUT_MS);
        (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "forge-brokerctl/" PACKAGE_VERSION);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, buffer);
        if (waits)
                (void)curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, "");
        code = curl_easy_perform(curl);
        if (code == CURLE_OK && on_body((char[]){ '\0' }, 1, 1, buffer) != 1)
                code = CURLE_OUT_OF_MEMORY;
        if (code == CURLE_OK) {
                (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
        } else if (code == CURLE_COULDNT_CONNECT) {
                r = not_running(socket, err);
        } else {
                (void)error_set(err, DIAG_INTERNAL_ERROR, "%s: %s", socket,
                                curl_easy_strerror(code));
                error_remedy_set(
                    err, "See 'systemctl status forge-brokerd' and 'journalctl -u forge-brokerd'.");
                r = CONTROL_SILENT;
        }
        curl_easy_cleanup(curl);
        return r;
}

int control_request(const char *socket, const char *method, const char *path,
                    struct control_answer *ret, struct error *err) {
        _cleanup_(buffer_done) struct buffer buffer = { 0 };
        int r;

        *ret = (struct control_answer){ 0 };
        r = perform(socket, method, path, &buffer, &ret->status, err);
        if (r == CONTROL_ANSWERED)
                ret->body = json_parse(buffer.bytes, buffer.length - 1);
        return r;
}

int control_text(const char *socket, const char *method, const char *path, long *ret_status,
                 char **ret_text, struct error *err) {
        _cleanup_(buffer_done) struct buffer buffer = { 0 };
        int r;

        r = perform(socket, method, path, &buffer, ret_status, err);
        if (r == CONTROL_ANSWERED)
                *ret_text = take(buffer.bytes);
        return r;
}
