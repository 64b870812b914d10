#include "api/routes.h"

#include <stdio.h>
#include <string.h>

#include "api/explain.h"
#include "api/handlers.h"
#include "base/text.h"

static const char *const match_parameters[] = { "protocol", "host", "path", "registry", NULL };

static const struct route routes[] = {
        { "GET", "/v1/tokens", .for_jobs = true, .with_head = true, .handle = handle_list_tokens },
        { "GET", "/v1/tokens/*", .for_jobs = true, .with_head = false, .handle = handle_issue },
        { "POST", "/v1/tokens/*/rejected", .for_jobs = true, .with_head = false, .takes_body = true,
          .handle = handle_rejected },
        { "POST", "/v1/tokens/*/preflight", .for_jobs = true, .with_head = false,
          .takes_body = true, .handle = handle_preflight },
        { "GET", "/v1/match", .for_jobs = true, .with_head = true, .parameters = match_parameters,
          .handle = handle_match },
        { "POST", "/v1/tokens/*/refresh", .for_jobs = false, .with_head = false,
          .handle = handle_refresh },
        { "GET", "/v1/tokens/*/explain", .for_jobs = false, .with_head = true,
          .parameters = explain_parameters, .handle = handle_explain },
        { "GET", "/v1/status", .for_jobs = false, .with_head = true, .handle = handle_status },
        { "POST", "/v1/reload", .for_jobs = false, .with_head = false, .handle = handle_reload },
        { "POST", "/v1/doctor", .for_jobs = false, .with_head = false, .handle = handle_doctor },
        { "GET", "/metrics", .for_jobs = false, .with_head = true, .handle = handle_metrics },
        { "GET", "/healthz", .for_jobs = true, .with_head = true, .handle = handle_healthz },
        { "GET", "/readyz", .for_jobs = true, .with_head = true, .handle = handle_readyz },
        { "GET", "/readyz/*", .for_jobs = true, .with_head = true, .handle = handle_readyz_token },
};

/* True if @path has the pattern's shape; what stands for "*" is then @segment. */
static bool path_matches(const char *pattern, const char *path, const char **segment,
                         size_t *length) {
        *segment = "";
        *length = 0;
        for (; *pattern; pattern++) {
                if (*pattern != '*') {
                        if (*path++ != *pattern)
                                return false;
                        continue;
                }
                *segment = path;
                *length = strcspn(path, "/");
                if (*length == 0)
                        return false;
                path += *length;
        }
        return *path == '\0';
}

static void copy_name(char *name, const char *segment, size_t length) {
        name[0] = '\0';
        if (length >= NAME_BUFFER_BYTES)
                return;
        memcpy(name, segment, length);
        name[length] = '\0';
        if (!text_is_name(name))
                name[0] = '\0';
}

static int unknown_path(const char *path, bool serves_all, struct error *err) {
        char clean[64];
        size_t used;

        (void)error_set(err, DIAG_MALFORMED_REQUEST, "there is no '%s' here; known:",
                        text_clean(clean, sizeof(clean), path, strlen(path)));
        used = strlen(err->detail);
        for (size_t i = 0; i < ELEMENTS(routes); i++) {
                const char *star = strchr(routes[i].path, '*');
                int before = star ? (int)(star - routes[i].path) : (int)strlen(routes[i].path);

                if (serves_all || routes[i].for_jobs)
                        (void)text_append(err->detail, sizeof(err->detail), &used, " %.*s%s%s",
                                          before, routes[i].path, star ? "NAME" : "",
                                          star ? star + 1 : "");
        }
        return -(int)DIAG_MALFORMED_REQUEST;
}

static bool method_matches(const struct route *route, const char *method) {
        return strcmp(method, route->method) == 0 ||
               (route->with_head && strcmp(method, "HEAD") == 0);
}

int route_find(const char *method, const char *path, bool serves_all, const struct route **ret,
               char *name, char allow[static ALLOW_MAX_BYTES], struct error *err) {
        size_t used = 0;
        char clean[32];

        for (size_t i = 0; i < ELEMENTS(routes); i++) {
                const struct route *route = &routes[i];
                const char *segment;
                size_t length;

                /* On the jobs' socket the other routes do not exist. */
                if ((!serves_all && !route->for_jobs) ||
                    !path_matches(route->path, path, &segment, &length))
                        continue;
                if (method_matches(route, method)) {
                        copy_name(name, segment, length);
                        *ret = route;
                        return 0;
                }
                (void)text_append(allow, ALLOW_MAX_BYTES, &used, "%s%s%s", used > 0 ? ", " : "",
                                  route->method, route->with_head ? ", HEAD" : "");
        }
        if (used == 0)
                return unknown_path(path, serves_all, err);
        (void)error_set(err, DIAG_METHOD_NOT_ALLOWED, "'%s' is not for this path",
                        text_clean(clean, sizeof(clean), method, strlen(method)));
        error_remedy_set(err, "Use %s.", allow);
        return -(int)DIAG_METHOD_NOT_ALLOWED;
}

bool route_takes_body(const char *method, const char *path) {
        for (size_t i = 0; i < ELEMENTS(routes); i++) {
                const char *segment;
                size_t length;

                if (routes[i].takes_body && method_matches(&routes[i], method) &&
                    path_matches(routes[i].path, path, &segment, &length))
                        return true;
        }
        return false;
}
