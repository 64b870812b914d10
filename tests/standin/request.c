#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "request.h"

#define PARAM_MAX_CHARS 100

struct request *request_new(struct standin *s, const char *target) {
        struct request *r = calloc(1, sizeof *r);

        if (!r)
                abort();
        r->standin = s;
        r->target = format_text("%s", target);
        r->query = json_object();
        return r;
}

void request_free(struct request *r) {
        if (!r)
                return;
        free(r->method);
        free(r->target);
        free(r->path);
        free(r->body);
        free(r->answer.text);
        json_decref(r->query);
        json_decref(r->json);
        for (size_t i = 0; i < PARAMS_MAX; i++)
                json_decref(r->params[i]);
        json_decref(r->answer.body);
        json_decref(r->answer.headers);
        free(r);
}

static int hex_value(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char)tolower((unsigned char)c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes @text; NULL for bad percent encoding or bytes that are no UTF-8. */
static json_t *decode(const char *text, size_t length, bool plus_is_space) {
        _cleanup_(freep) char *out = malloc(length + 1);
        size_t used = 0;

        if (!out)
                abort();
        for (size_t i = 0; i < length; i++) {
                if (text[i] == '%') {
                        if (i + 2 >= length || hex_value(text[i + 1]) < 0 ||
                            hex_value(text[i + 2]) < 0)
                                return NULL;
                        out[used++] = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
                        i += 2;
                } else {
                        out[used++] = text[i] == '+' && plus_is_space ? ' ' : text[i];
                }
        }
        return json_stringn(out, used);
}

/* The router measures a parameter before reserved characters are decoded. */
static size_t param_length(const char *text, size_t length) {
        size_t count = 0;

        for (size_t i = 0; i < length; i++) {
                if (text[i] != '%') {
                        count++;
                        continue;
                }
                if (strchr("#$&+,/:;=?@%", hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])))
                        count += 3;
                else if ((hex_value(text[i + 1]) & 0xc) !=
                         0x8) /* not a byte that continues a character */
                        count++;
                i += 2;
        }
        return count;
}

static void query_add(struct request *r, const char *pair, size_t length) {
        const char *equals = memchr(pair, '=', length);
        size_t name_length = equals ? (size_t)(equals - pair) : length;
        _cleanup_(json_decrefp) json_t *name = decode(pair, name_length, true);
        json_t *value =
                   decode(equals ? equals + 1 : "", equals ? length - name_length - 1 : 0, true),
               *before;

        if (!value)
                value = json_stringn(equals + 1, length - name_length - 1);
        if (!name || !value || name_length == 0) {
                json_decref(value);
                return;
        }
        before = json_object_get(r->query, json_string_value(name));
        if (json_is_array(before)) {
                (void)json_array_append_new(before, value);
        } else if (before) {
                json_t *both = json_pack("[O, o]", before, value);

                (void)json_object_set_new(r->query, json_string_value(name), both);
        } else {
                (void)json_object_set_new(r->query, json_string_value(name), value);
        }
}

bool request_split(struct request *r) {
        size_t length = strcspn(r->target, "?");
        const char *query = r->target[length] == '?' ? r->target + length + 1 : "";
        _cleanup_(json_decrefp) json_t *decoded = decode(r->target, length, false);

        r->path = format_text("%.*s", (int)length, r->target);
        if (length > 1 && r->path[length - 1] == '/')
                r->path[length - 1] = '\0';
        while (*query) {
                size_t pair = strcspn(query, "&");

                query_add(r, query, pair);
                query += pair + (query[pair] == '&');
        }
        return decoded != NULL;
}

bool request_match(struct request *r, const struct route *route) {
        const char *p = r->path, *q = route->path;
        json_t *params[PARAMS_MAX] = { NULL };
        size_t count = 0;
        bool matches = strcmp(r->method, route->method) == 0 ||
                       (strcmp(r->method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);

        while (matches && (*p || *q)) {
                size_t lp, lq;

                matches = *p == '/' && *q == '/';
                p += *p == '/';
                q += *q == '/';
                lp = strcspn(p, "/");
                lq = strcspn(q, "/");
                if (matches && *q == ':' && count < PARAMS_MAX) {
                        matches = lp > 0 && param_length(p, lp) <= PARAM_MAX_CHARS;
                        if (matches)
                                params[count++] = decode(p, lp, false);
                } else if (matches) {
                        matches = lp == lq && strncmp(p, q, lp) == 0;
                }
                p += lp;
                q += lq;
        }
        for (size_t i = 0; i < PARAMS_MAX; i++) {
                if (matches)
                        r->params[i] = params[i];
                else
                        json_decref(params[i]);
        }
        return matches;
}

void request_append(struct request *r, const char *bytes, size_t length) {
        char *body;

        if (r->body_length + length > BODY_MAX_BYTES) {
                r->body_too_large = true;
                return;
        }
        body = realloc(r->body, r->body_length + length + 1);
        if (!body)
                abort();
        memcpy(body + r->body_length, bytes, length);
        r->body = body;
        r->body_length += length;
        r->body[r->body_length] = '\0';
}

const char *request_header(const struct request *r, const char *name) {
        return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

void request_address(struct request *r) {
        static const char *const names[] = { "cf-connecting-ip",         "x-client-ip",
                                             "x-envoy-external-address", "x-forwarded-for",
                                             "true-client-ip",           "x-real-ip" };
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *value = request_header(r, names[i]);
                size_t length = value ? strcspn(value, ", ") : 0;

                if (length > 0 && length < sizeof r->address) {
                        memcpy(r->address, value, length);
                        return;
                }
        }
        if (info && info->client_addr->sa_family == AF_INET)
                (void)inet_ntop(
                    AF_INET,
                    &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr,
                    r->address, sizeof r->address);
}

static json_t *parse_form(const struct request *r) {
        struct request form = { .query = json_object() };
        const char *p = r->body ? r->body : "";

        while (*p) {
                size_t pair = strcspn(p, "&");

                query_add(&form, p, pair);
                p += pair + (p[pair] == '&');
        }
        return form.query;
}

/* Malformed or empty JSON and media types without a parser all end as the generic 500. */
static bool refuse_body(struct request *r, const char *framework_text) {
        if (settings_generation(r->standin) == GENERATION_2024)
                answer_framework(r, 400, "Bad Request", framework_text);
        else
                answer_error(r, 500, "InternalServerError", "Something went wrong", NULL);
        r->answer.close = r->body_too_large;
        return false;
}

bool request_parse_body(struct request *r) {
        const char *type = request_header(r, "content-type");

        if (r->body_too_large)
                return refuse_body(r, "Request body is too large");
        if (!type && r->body_length == 0) {
                r->json = json_null();
                return true;
        }
        if (!type)
                return refuse_body(r, "Unsupported Media Type: undefined");
        if (strncasecmp(type, "application/json", 16) == 0) {
                r->json = json_loadb(r->body ? r->body : "", r->body_length, JSON_DECODE_ANY, NULL);
                return r->json || refuse_body(r, "Unexpected end of JSON input");
        }
        if (strncasecmp(type, "application/x-www-form-urlencoded", 33) == 0)
                r->json = parse_form(r);
        else if (strncasecmp(type, "text/plain", 10) == 0)
                r->json = json_stringn(r->body ? r->body : "", r->body_length);
        return r->json || refuse_body(r, "Unsupported Media Type");
}

char *request_query(const struct request *r, const char *name) {
        const char *text = json_string_value(json_object_get(r->query, name));
        size_t length;

        if (!text)
                return NULL;
        text += strspn(text, " \t\r\n");
        length = strlen(text);
        while (length > 0 && strchr(" \t\r\n", text[length - 1]))
                length--;
        return format_text("%.*s", (int)length, text);
}
