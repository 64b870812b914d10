#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "net/http_call.h"

#define REASON_MAX 120

/*
 * What libcurl's verdicts mean.  One that is not here is upstream-unreachable; what a case needs
 * beyond this is in http_call_explain().
 */
static const struct {
        CURLcode from;
        enum diagnosis code;
        const char *text;
} failures[] = {
        { CURLE_COULDNT_RESOLVE_HOST, DIAG_UPSTREAM_UNREACHABLE, "the name cannot be resolved" },
        { CURLE_COULDNT_RESOLVE_PROXY, DIAG_UPSTREAM_UNREACHABLE,
          "the proxy's name cannot be resolved" },
        { CURLE_COULDNT_CONNECT, DIAG_UPSTREAM_UNREACHABLE, "cannot connect" },
        { CURLE_PROXY, DIAG_UPSTREAM_UNREACHABLE, "the proxy cannot connect" },
        { CURLE_GOT_NOTHING, DIAG_UPSTREAM_UNREACHABLE,
          "the connection was closed without an answer" },
        { CURLE_SEND_ERROR, DIAG_UPSTREAM_UNREACHABLE, "the connection broke" },
        { CURLE_RECV_ERROR, DIAG_UPSTREAM_UNREACHABLE, "the connection broke" },

        { CURLE_SSL_CONNECT_ERROR, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_PEER_FAILED_VERIFICATION, DIAG_UPSTREAM_TLS, "the certificate is not trusted" },
        { CURLE_SSL_ISSUER_ERROR, DIAG_UPSTREAM_TLS, "the certificate is not trusted" },
        { CURLE_SSL_INVALIDCERTSTATUS, DIAG_UPSTREAM_TLS, "the certificate's status is not good" },
        { CURLE_SSL_PINNEDPUBKEYNOTMATCH, DIAG_UPSTREAM_TLS, "the certificate is not trusted" },
        { CURLE_SSL_CACERT_BADFILE, DIAG_UPSTREAM_TLS, "the CA file cannot be used" },
        { CURLE_SSL_CERTPROBLEM, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_CIPHER, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_SHUTDOWN_FAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_USE_SSL_FAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_ENGINE_INITFAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },
        { CURLE_SSL_ENGINE_SETFAILED, DIAG_UPSTREAM_TLS, "no TLS connection" },

        { CURLE_PARTIAL_FILE, DIAG_UPSTREAM_MALFORMED, "the answer broke off" },
        { CURLE_WEIRD_SERVER_REPLY, DIAG_UPSTREAM_MALFORMED, "the answer is not HTTP" },
        { CURLE_UNSUPPORTED_PROTOCOL, DIAG_UPSTREAM_MALFORMED, "the answer is not HTTP/1.1" },
        { CURLE_BAD_CONTENT_ENCODING, DIAG_UPSTREAM_MALFORMED,
          "the answer's encoding is not known" },
        { CURLE_FILESIZE_EXCEEDED, DIAG_UPSTREAM_MALFORMED, "the answer is too large" },

        { CURLE_URL_MALFORMAT, DIAG_INTERNAL_ERROR, "the URL is not well formed" },
        { CURLE_OUT_OF_MEMORY, DIAG_INTERNAL_ERROR, "out of memory" },
        { CURLE_FAILED_INIT, DIAG_INTERNAL_ERROR, "libcurl failed" },
};

bool http_call_has_time(const struct http_call *call, CURLINFO info) {
        curl_off_t usec = 0;

        return curl_easy_getinfo(call->easy, info, &usec) == CURLE_OK && usec > 0;
}

/* With TLS libcurl keeps the time of the connection only once TLS is done. */
static bool is_connected(const struct http_call *call) {
        return call->tls_begun || http_call_has_time(call, CURLINFO_CONNECT_TIME_T);
}

/* A time that is set is a stage that was reached; a name that failed has one too, from when it
 * failed. */
void http_call_measure(struct http_call *call, CURLcode result) {
        struct http_progress *progress = &call->progress;
        const char *address = NULL;
        long port = 0;

        if (call->err.code == DIAG_NONE)
                progress->stage = HTTP_STAGE_ANSWERED;
        else if (result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_RESOLVE_PROXY)
                progress->stage = HTTP_STAGE_NONE;
        else if (http_call_has_time(call, CURLINFO_PRETRANSFER_TIME_T))
                progress->stage = HTTP_STAGE_SECURED;
        else if (is_connected(call))
                progress->stage = HTTP_STAGE_CONNECTED;
        else if (http_call_has_time(call, CURLINFO_NAMELOOKUP_TIME_T))
                progress->stage = HTTP_STAGE_NAME;
        if (progress->stage < HTTP_STAGE_CONNECTED ||
            curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_IP, &address) != CURLE_OK || !address ||
            !*address || curl_easy_getinfo(call->easy, CURLINFO_PRIMARY_PORT, &port) != CURLE_OK)
                return;
        (void)snprintf(progress->address, sizeof(progress->address), "%.48s port %ld", address,
                       port);
}

static void explain_timeout(struct http_call *call) {
        char limit[CLOCK_TEXT_MAX];
        const char *waited_for;

        if (http_call_has_time(call, CURLINFO_PRETRANSFER_TIME_T)) {
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT,
                                "%s: no complete answer within timeout = %s", call->peer,
                                clock_format_span(call->request.timeout, limit));
                return;
        }
        if (!http_call_has_time(call, CURLINFO_NAMELOOKUP_TIME_T))
                waited_for = "the name was not resolved";
        else if (!is_connected(call))
                waited_for = "no connection";
        else
                waited_for = "no TLS connection";
        if (call->request.connect_timeout < call->request.timeout)
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT,
                                "%s: %s within connect_timeout = %s", call->peer, waited_for,
                                clock_format_span(call->request.connect_timeout, limit));
        else
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT, "%s: %s within timeout = %s",
                                call->peer, waited_for,
                                clock_format_span(call->request.timeout, limit));
        error_remedy_set(
            &call->err,
            "Check that %s can be reached from this host (DNS, routing, firewall), or raise "
            "connect_timeout.",
            call->peer);
}

static void explain_stop(struct http_call *call) {
        char limit[CLOCK_TEXT_MAX];

        switch (call->stop) {
        case STOP_HEAD:
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED,
                                "%s: the answer's head has too many lines or bytes", call->peer);
                break;
        case STOP_BODY:
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED,
                                "%s: the answer is larger than %zu bytes", call->peer,
                                call->request.max_body_bytes);
                break;
        case STOP_QUEUE:
                (void)error_set(&call->err, DIAG_UPSTREAM_TIMEOUT,
                                "%s: no connection became free within timeout = %s", call->peer,
                                clock_format_span(call->request.timeout, limit));
                break;
        case STOP_WATCH:
                (void)error_set(&call->err, DIAG_INTERNAL_ERROR,
                                "%s: no memory left to watch the connection", call->peer);
                break;
        case STOP_ENOUGH:
        case STOP_MEMORY:
        case STOP_NONE:
        default:
                (void)error_set(&call->err, DIAG_INTERNAL_ERROR,
                                "no locked memory left for an answer of %s", call->peer);
        }
}

/* Translates libcurl's verdict.  Its reason is quoted only where it says more than the verdict:
 * about TLS. */
void http_call_explain(struct http_call *call, CURLcode result) {
        char reason[REASON_MAX];
        enum diagnosis code = DIAG_UPSTREAM_UNREACHABLE;
        const char *text = curl_easy_strerror(result);
        long status = 0, connect_status = 0, os_errno = 0;

        if (call->stop != STOP_NONE) {
                explain_stop(call);
                return;
        }
        if (result == CURLE_OPERATION_TIMEDOUT) {
                explain_timeout(call);
                return;
        }
        (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(call->easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
        (void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);

        for (size_t i = 0; i < ELEMENTS(failures); i++) {
                if (failures[i].from != result)
                        continue;
                code = failures[i].code;
                text = failures[i].text;
                break;
        }
        if (result == CURLE_RECV_ERROR && connect_status >= 300) {
                (void)error_set(&call->err, DIAG_UPSTREAM_BLOCKED,
                                "%s: the proxy refuses to connect, status %ld", call->peer,
                                connect_status);
                error_remedy_set(
                    &call->err,
                    "Let this host through the proxy that proxy = names, or correct it.");
        } else if (code == DIAG_UPSTREAM_UNREACHABLE && status > 0) {
                /* Bad chunks and a reset in mid-answer are the same CURLE_RECV_ERROR as a reset
                 * before it. */
                (void)error_set(&call->err, DIAG_UPSTREAM_MALFORMED,
                                "%s: the answer (status %ld) broke off", call->peer, status);
        } else if (code == DIAG_UPSTREAM_TLS) {
                (void)text_clean(reason, sizeof(reason), call->reason, strlen(call->reason));
                (void)error_set(&call->err, code, "%s: %s: %s", call->peer, text,
                                reason[0] ? reason : curl_easy_strerror(result));
                if (result == CURLE_SSL_CACERT_BADFILE && call->request.ca_file)
                        error_remedy_set(
                            &call->err,
                            "Make ca_file = %s a PEM file with the CA's certificate that the "
                            "daemon's user may read.",
                            call->request.ca_file);
        } else if (os_errno > 0) {
                (void)error_set(&call->err, code, "%s: %s: %s", call->peer, text,
                                strerror((int)os_errno));
        } else {
                (void)error_set(&call->err, code, "%s: %s", call->peer, text);
        }
}
