#include "ctl/status_table.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#define COLUMNS_MAX 8
#define CELL_MAX    96

struct table {
        size_t columns;
        size_t widths[COLUMNS_MAX];
        char (*cells)[COLUMNS_MAX][CELL_MAX];
        size_t rows;
};

static void table_set(struct table *table, size_t row, size_t column, const char *text) {
        char *cell = table->cells[row][column];
        size_t width;

        (void)text_clean(cell, CELL_MAX, text && *text ? text : "-",
                         text && *text ? strlen(text) : 1);
        width = strlen(cell);
        if (width > table->widths[column])
                table->widths[column] = width;
}

static void table_print(const struct table *table, FILE *out) {
        for (size_t row = 0; row < table->rows; row++) {
                for (size_t column = 0; column < table->columns; column++) {
                        const char *cell = table->cells[row][column];
                        bool last = column + 1 == table->columns;

                        (void)fprintf(out, "%-*s%s", last ? 0 : (int)table->widths[column], cell,
                                      last ? "\n" : "  ");
                }
        }
}

/* "4m 10s ago" or "in 20s" for an RFC 3339 time of the daemon; "-" where there is none. */
static const char *relative(const char *time, char buffer[static CLOCK_TEXT_MAX + 8]) {
        char span[CLOCK_TEXT_MAX];
        struct tm tm = { 0 };
        usec_t then, now = clock_realtime();
        const char *end = time ? strptime(time, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

        if (!end || *end)
                return "-";
        then = (usec_t)timegm(&tm) * USEC_PER_SEC;
        if (then > now)
                (void)snprintf(
                    buffer, CLOCK_TEXT_MAX + 8, "in %s",
                    clock_format_span((then - now + USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC,
                                      span));
        else
                (void)snprintf(buffer, CLOCK_TEXT_MAX + 8, "%s ago",
                               clock_format_span((now - then) / USEC_PER_SEC * USEC_PER_SEC, span));
        return buffer;
}

/* A member for a line of text: "-" where the daemon has nothing to say. */
static const char *shown(const json_t *object, const char *key) {
        const char *text = json_member_string(object, key);

        return text ? text : "-";
}

bool status_is_degraded(const json_t *status) {
        const char *state = json_member_string(json_object_get(status, "broker"), "state");

        return !state || strcmp(state, "ok") != 0;
}

static void print_broker(const json_t *broker, FILE *out) {
        char started[CLOCK_TEXT_MAX + 8], loaded[CLOCK_TEXT_MAX + 8];
        json_int_t records = 0;

        (void)json_member_int(broker, "records", &records);
        (void)fprintf(out, "forge-brokerd %s: %s, %s\n", shown(broker, "version"),
                      shown(broker, "state"), shown(broker, "summary"));
        (void)fprintf(
            out, "started %s, configuration %s loaded %s%s\n",
            relative(json_member_string(broker, "started_at"), started), shown(broker, "config"),
            relative(json_member_string(broker, "loaded_at"), loaded),
            json_member_true(broker, "reload_failed") ? " (THE LAST RELOAD WAS REJECTED)" : "");
        (void)fprintf(out, "audit to the %s: %lld records of instance %s\n\n",
                      shown(broker, "audit"), (long long)records, shown(broker, "instance"));
}

static void print_tokens(const json_t *tokens, FILE *out) {
        static const char *const heads[] = { "TOKEN",   "FORGE", "STATE",     "SOURCE",
                                             "VERSION", "FP",    "CONFIRMED", "NEXT" };
        struct table table = { .columns = ELEMENTS(heads), .rows = json_array_size(tokens) + 1 };
        char time[CLOCK_TEXT_MAX + 8];
        const json_t *token;
        size_t i;

        table.cells = calloc(table.rows, sizeof(*table.cells));
        if (!table.cells)
                return;
        for (i = 0; i < ELEMENTS(heads); i++)
                table_set(&table, 0, i, heads[i]);
        json_array_foreach(tokens, i, token) {
                json_int_t number;
                char version[24] = "";

                if (json_member_int(token, "version", &number))
                        (void)snprintf(version, sizeof(version), "%lld", (long long)number);
                table_set(&table, i + 1, 0, json_member_string(token, "name"));
                table_set(&table, i + 1, 1, json_member_string(token, "forge"));
                table_set(&table, i + 1, 2, json_member_string(token, "state"));
                table_set(&table, i + 1, 3, json_member_string(token, "source"));
                table_set(&table, i + 1, 4, version);
                table_set(&table, i + 1, 5, json_member_string(token, "fingerprint"));
                table_set(&table, i + 1, 6,
                          relative(json_member_string(token, "confirmed_at"), time));
                table_set(&table, i + 1, 7,
                          relative(json_member_string(token, "refresh_at"), time));
        }
        table_print(&table, out);
        free(table.cells);
}

/* Within the time in which the log warns as well. */
static bool ends_soon(const char *time) {
        struct tm tm = { 0 };
        const char *end = strptime(time, "%Y-%m-%dT%H:%M:%SZ", &tm);

        return end && !*end &&
               usec_sub((usec_t)timegm(&tm) * USEC_PER_SEC, clock_realtime()) <= 14 * USEC_PER_DAY;
}

/* "access token of 'ci-broker', ends in 20d 4h" and "logged in, until in 50m": what an identity
 * has to ask with. */
static void print_identities(const json_t *identities, FILE *out) {
        const json_t *identity;
        size_t i;

        (void)fputc('\n', out);
        json_array_foreach(identities, i, identity) {
                const char *expires = json_member_string(identity, "token_expires_at");
                const char *session = json_member_string(identity, "session_expires_at");
                const char *code = json_member_string(identity, "credential_code");
                const char *login = json_member_string(identity, "login_code");
                char time[CLOCK_TEXT_MAX + 8];

                (void)fprintf(out, "identity %s: %s", shown(identity, "name"),
                              json_member_true(identity, "has_token") ? "access token"
                                                                      : "no access token");
                if (json_member_string(identity, "token_identity"))
                        (void)fprintf(out, " of '%s'", shown(identity, "token_identity"));
                if (expires)
                        (void)fprintf(out, ", ends %s", relative(expires, time));
                if (json_member_true(identity, "has_session"))
                        (void)fprintf(out, "; logged in%s%s", session ? ", ends " : "",
                                      session ? relative(session, time) : "");
                if (login)
                        (void)fprintf(out, "; login: %s", login);
                (void)fputc('\n', out);
                if (expires && ends_soon(expires))
                        (void)fprintf(out,
                                      "  warning: the access token ends %s\n  remedy: create a new "
                                      "one in Infisical and "
                                      "replace the credential\n",
                                      relative(expires, time));
                if (code)
                        (void)fprintf(out, "  %s: %s\n  remedy: %s\n", code,
                                      shown(identity, "credential_detail"),
                                      shown(identity, "credential_remedy"));
        }
}

/* What a token's forge says of its end. */
static void print_ends(const json_t *tokens, FILE *out) {
        const json_t *token;
        size_t i;

        json_array_foreach(tokens, i, token) {
                const char *expires = json_member_string(token, "expires_at");
                char time[CLOCK_TEXT_MAX + 8];

                if (expires && ends_soon(expires))
                        (void)fprintf(out,
                                      "token %s: its forge says that it ends %s\n  remedy: create "
                                      "a new one at %s and store it "
                                      "in Infisical\n",
                                      shown(token, "name"), relative(expires, time),
                                      shown(token, "forge_url"));
        }
}

static void print_servers(const json_t *servers, FILE *out) {
        const json_t *server;
        size_t i;

        json_array_foreach(servers, i, server) {
                const char *code = json_member_string(server, "code");
                const char *paused = json_member_string(server, "paused_until");
                char time[CLOCK_TEXT_MAX + 8], pause[CLOCK_TEXT_MAX + 8];
                json_int_t requests = 0;

                (void)json_member_int(server, "requests", &requests);
                (void)fprintf(
                    out, "infisical %s %s (%s): %s, %lld requests, last %s%s%s\n",
                    shown(server, "identity"), shown(server, "url"), shown(server, "api"),
                    code                                    ? code
                    : json_member_string(server, "last_at") ? "ok"
                                                            : "not asked yet",
                    (long long)requests, relative(json_member_string(server, "last_at"), time),
                    paused ? ", paused, goes on " : "", paused ? relative(paused, pause) : "");
        }
}

static bool has_exposure(const json_t *token, const char *exposure) {
        const char *text = json_member_string(token, "exposure");

        return text && strcmp(text, exposure) == 0;
}

/* Each sentence once, with the tokens that it is true of. */
static void print_exposures(const json_t *tokens, FILE *out) {
        char clean[192];
        const json_t *token, *other;
        size_t i, k;

        json_array_foreach(tokens, i, token) {
                const char *exposure = json_member_string(token, "exposure");
                bool said = !exposure;

                for (k = 0; !said && k < i; k++)
                        said = has_exposure(json_array_get(tokens, k), exposure);
                if (said)
                        continue;
                (void)fputs("\nproof = none:", out);
                json_array_foreach(tokens, k, other) if (has_exposure(other, exposure))(void)
                    fprintf(out, " %s", shown(other, "name"));
                (void)fprintf(out, ": %s\n",
                              text_clean(clean, sizeof(clean), exposure, strlen(exposure)));
        }
}

static void print_problem(const char *what, const json_t *problem, FILE *out) {
        char detail[320], remedy[448];
        const char *text = json_member_string(problem, "detail"),
                   *cure = json_member_string(problem, "remedy");

        if (!json_member_string(problem, "code"))
                return;
        (void)fprintf(
            out, "\n%s: %s: %s\n", what, json_member_string(problem, "code"),
            text_clean(detail, sizeof(detail), text ? text : "", text ? strlen(text) : 0));
        if (cure)
                (void)fprintf(out, "  remedy: %s\n",
                              text_clean(remedy, sizeof(remedy), cure, strlen(cure)));
}

void status_print(const json_t *status, FILE *out) {
        const json_t *tokens = json_object_get(status, "tokens"), *token;
        size_t i;

        print_broker(json_object_get(status, "broker"), out);
        print_tokens(tokens, out);
        print_identities(json_object_get(status, "identities"), out);
        print_servers(json_object_get(status, "servers"), out);
        print_ends(tokens, out);
        print_exposures(tokens, out);
        json_array_foreach(tokens, i, token) print_problem(shown(token, "name"), token, out);
}
