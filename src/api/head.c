#include "api/head.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/limits.h"
#include "base/text.h"

/* A media range's quality is zero: "q=0", "q=0.0", ... */
static bool is_unwanted(const char *parameters, size_t length) {
        const char *end = parameters + length;

        for (const char *p = parameters; p < end; p++) {
                if (*p != ';')
                        continue;
                do
                        p++;
                while (p < end && (*p == ' ' || *p == '\t'));
                if (end - p < 3 || strncasecmp(p, "q=0", 3) != 0)
                        continue;
                p += 3;
                while (p < end && (*p == '.' || *p == '0'))
                        p++;
                return p == end || *p == ' ' || *p == '\t' || *p == ';';
        }
        return false;
}

/* The first type of the list that we have decides. */
static int accepted(const char *list) {
        static const struct {
                const char *type;
                int accepted;
        } known[] = { { "text/plain", ACCEPTED_PLAIN }, { "application/json", ACCEPTED_JSON } };

        while (*list) {
                size_t length = strcspn(list, ","), type;

                while (length > 0 && (*list == ' ' || *list == '\t')) {
                        list++;
                        length--;
                }
                type = strcspn(list, ",; \t");
                for (size_t i = 0; i < ELEMENTS(known); i++)
                        if (type == strlen(known[i].type) &&
                            strncasecmp(list, known[i].type, type) == 0 &&
                            !is_unwanted(list + type, length - type))
                                return known[i].accepted;
                list += length;
                if (*list == ',')
                        list++;
        }
        return 0;
}

static void wipe(const char *value, size_t length) {
        /* libmicrohttpd does not wipe what it read, and its block goes back to the heap as it
         * is. */
        explicit_bzero((char *)(uintptr_t)value, length);
}

static size_t proofs_in(const struct deadlines *list, const struct peer *peer) {
        size_t bytes = 0;

        for (struct deadline *deadline = list->first; deadline; deadline = deadline->next) {
                const struct connection *connection = connection_of(deadline);

                if (connection->request && connection->request->ask.proof &&
                    peer_same_origin(&connection->peer, peer))
                        bytes += secret_length(connection->request->ask.proof);
        }
        return bytes;
}

/* One job's proofs, however many wait, leave room for those of the others.  Nobody is counted
 * while there is plenty. */
static bool has_room(const struct request *request, size_t length) {
        const struct listener *listener = request->connection->listener;
        const struct peer *peer = &request->connection->peer;
        size_t all = secret_capacity() / PROOF_SHARE, own = all / PROOFS_OF_ORIGIN_SHARE;

        if (secret_in_use() + length >= all)
                return false;
        return secret_in_use() < own / 2 || proofs_in(&listener->parked, peer) +
                                                    proofs_in(&listener->answers, peer) +
                                                    proofs_in(&listener->exchanges, peer) + length <
                                                own;
}

/* Other schemes are none of ours, and ignored. */
static void take_proof(struct request *request, const char *value, size_t length) {
        static const char scheme[] = "Bearer ";
        size_t skip = sizeof(scheme) - 1;

        if (length <= skip || strncasecmp(value, scheme, skip) != 0)
                return;
        while (skip < length && value[skip] == ' ')
                skip++;
        if (request->proofs++ > 0)
                return;
        request->proof_too_long = length - skip > PROOF_MAX_BYTES;
        if (request->proof_too_long)
                return;
        if (has_room(request, length))
                request->ask.proof = secret_copy(value + skip, length - skip);
        request->proof_no_room = !request->ask.proof;
}

static void take_id_token_url(struct request *request, const char *value, size_t length) {
        if (length > ID_TOKEN_URL_MAX_BYTES) {
                request->proof_too_long = true;
        } else if (!request->id_token_url) {
                request->id_token_url = strndup(value, length);
                request->proof_no_room = request->proof_no_room || !request->id_token_url;
                request->ask.id_token_url = request->id_token_url;
        } else {
                request->proofs += 2;
        }
}

static int check_proof(struct request *request, struct error *err) {
        if (request->proofs > 1)
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "the request shows more than one proof");
        if (request->proof_too_long) {
                (void)error_set(err, DIAG_REQUEST_TOO_LARGE,
                                "the job's proof, or the address of its ID token, is too long");
                error_remedy_set(
                    err, "Show an ID token of at most %zu KiB, with an address of at most %zu KiB.",
                    PROOF_MAX_BYTES / 1024, ID_TOKEN_URL_MAX_BYTES / 1024);
                return -(int)err->code;
        }
        if (request->proof_no_room) {
                request->ask.retry_after = PROOF_RETRY_AFTER;
                return error_set(err, DIAG_TOO_MANY_REQUESTS,
                                 "too many requests with a proof are waiting already");
        }
        return 0;
}

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                 size_t key_length, const char *value, size_t length) {
        struct request *request = cls;

        (void)kind;
        (void)key_length;
        if (!value)
                return MHD_YES;
        if (strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
                request->content_lengths++;
                request->content_length = strtoull(value, NULL, 10);
        } else if (strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
                request->transfer_encodings++;
                request->chunked = strcasecmp(value, "chunked") == 0;
        } else if (strcasecmp(key, MHD_HTTP_HEADER_ACCEPT) == 0) {
                if (request->accepts == 0)
                        request->accepts = accepted(value);
        } else if (strcasecmp(key, MHD_HTTP_HEADER_AUTHORIZATION) == 0) {
                take_proof(request, value, length);
                wipe(value, length);
        } else if (strcasecmp(key, "Forge-Broker-Id-Token-Url") == 0) {
                take_id_token_url(request, value, length);
        } else {
                for (enum claim claim = 0; claim < CLAIM_COUNT; claim++)
                        if (strcasecmp(key, claim_header(claim)) == 0 &&
                            !request->ask.claims.values[claim][0])
                                claims_set(&request->ask.claims, claim, value, length);
        }
        return MHD_YES;
}

static enum MHD_Result on_query(void *cls, enum MHD_ValueKind kind, const char *key,
                                size_t key_length, const char *value, size_t length) {
        struct request *request = cls;

        (void)kind;
        (void)key_length;
        (void)length;
        query_add(&request->query, key, value);
        return MHD_YES;
}

/* libmicrohttpd ends the target at a NUL and forgets the rest, but it leaves the request line
 * where it was read: the version follows the target's end at once.  Where it lies somewhere else
 * altogether, this says nothing. */
static bool hides_nul(const struct connection *connection, const char *version) {
        uintptr_t end = (uintptr_t)connection->target_end, behind = (uintptr_t)version;

        return behind > end + 1 && behind - end < CONNECTION_MEMORY_BYTES;
}

int head_read(struct request *request, const char *version, struct error *err) {
        struct MHD_Connection *mhd = request->connection->mhd;
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, on_header, request);
        (void)MHD_get_connection_values_n(mhd, MHD_GET_ARGUMENT_KIND, on_query, request);
        if (info && info->header_size > HEAD_MAX_BYTES) {
                (void)error_set(err, DIAG_REQUEST_TOO_LARGE,
                                "the request's head is larger than %zu bytes", HEAD_MAX_BYTES);
                error_remedy_set(err, "Send a head of at most %zu KiB: fewer or shorter headers.",
                                 HEAD_MAX_BYTES / 1024);
                return -(int)err->code;
        }
        if (hides_nul(request->connection, version))
                return error_set(err, DIAG_MALFORMED_REQUEST, "there is a NUL in the request line");
        /* Two opinions on where a body ends are how requests are smuggled. */
        if (request->content_lengths + request->transfer_encodings > 1)
                return error_set(
                    err, DIAG_MALFORMED_REQUEST,
                    "the request has more than one Content-Length or Transfer-Encoding");
        if (request->transfer_encodings > 0 && !request->chunked)
                return error_set(err, DIAG_MALFORMED_REQUEST,
                                 "the request's Transfer-Encoding is not 'chunked'");
        if (request->content_length > BODY_MAX_BYTES)
                return error_set(err, DIAG_REQUEST_TOO_LARGE,
                                 "the request's body is larger than %zu bytes", BODY_MAX_BYTES);
        return check_proof(request, err);
}
