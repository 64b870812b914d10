#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static usec_t now(clockid_t id) {
        struct timespec ts = { 0 };

        (void)clock_gettime(id, &ts);
        return (usec_t)ts.tv_sec * USEC_PER_SEC + (usec_t)ts.tv_nsec / 1000;
}

usec_t clock_boottime(void) {
        return now(CLOCK_BOOTTIME);
}

usec_t clock_monotonic(void) {
        return now(CLOCK_MONOTONIC);
}

usec_t clock_realtime(void) {
        return now(CLOCK_REALTIME);
}

usec_t clock_wall(usec_t boottime) {
        if (boottime == 0 || boottime == USEC_INFINITY)
                return 0;
        return usec_sub(usec_add(clock_realtime(), boottime), clock_boottime());
}

char *clock_format(usec_t realtime, char buffer[static CLOCK_TEXT_MAX]) {
        time_t seconds = (time_t)(realtime / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&seconds, &tm) ||
            strftime(buffer, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                (void)snprintf(buffer, CLOCK_TEXT_MAX, "-");
        return buffer;
}

char *clock_format_span(usec_t span, char buffer[static CLOCK_TEXT_MAX]) {
        static const struct {
                usec_t large, small;
                const char *large_name, *small_name;
        } units[] = {
                { USEC_PER_DAY, USEC_PER_HOUR, "d", "h" },
                { USEC_PER_HOUR, USEC_PER_MIN, "h", "m" },
                { USEC_PER_MIN, USEC_PER_SEC, "m", "s" },
        };

        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                usec_t rest = span % units[i].large / units[i].small;

                if (span < units[i].large)
                        continue;
                if (rest == 0)
                        (void)snprintf(buffer, CLOCK_TEXT_MAX, "%" PRIu64 "%s",
                                       span / units[i].large, units[i].large_name);
                else
                        (void)snprintf(buffer, CLOCK_TEXT_MAX, "%" PRIu64 "%s %" PRIu64 "%s",
                                       span / units[i].large, units[i].large_name, rest,
                                       units[i].small_name);
                return buffer;
        }
        if (span >= USEC_PER_SEC || span == 0)
                (void)snprintf(buffer, CLOCK_TEXT_MAX, "%" PRIu64 "s", span / USEC_PER_SEC);
        else
                (void)snprintf(buffer, CLOCK_TEXT_MAX, "%" PRIu64 "ms", span / USEC_PER_MSEC);
        return buffer;
}

bool clock_parse_span(const char *text, usec_t *ret_span) {
        static const struct {
                const char *name;
                usec_t factor;
        } units[] = {
                { "ms", USEC_PER_MSEC }, { "s", USEC_PER_SEC }, { "m", USEC_PER_MIN },
                { "h", USEC_PER_HOUR },  { "d", USEC_PER_DAY },
        };
        const usec_t limit = 3650 * USEC_PER_DAY;
        const char *p = text;
        usec_t number = 0;

        if (*p < '0' || *p > '9')
                return false;
        for (; *p >= '0' && *p <= '9'; p++) {
                number = number * 10 + (usec_t)(*p - '0');
                if (number > limit)
                        return false;
        }
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
                if (strcmp(p, units[i].name) != 0)
                        continue;
                if (number > limit / units[i].factor)
                        return false;
                *ret_span = number * units[i].factor;
                return true;
        }
        return false;
}

static bool two_digits(const char *p, int *ret) {
        if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
                return false;
        *ret = (p[0] - '0') * 10 + (p[1] - '0');
        return true;
}

bool clock_parse_day(const char *text, usec_t *ret_end) {
        struct tm tm = { 0 };
        int century, year, month, day;
        time_t start;

        if (strlen(text) != 10 || text[4] != '-' || text[7] != '-' || !two_digits(text, &century) ||
            !two_digits(text + 2, &year) || !two_digits(text + 5, &month) ||
            !two_digits(text + 8, &day))
                return false;
        if (century < 20 || century > 21)
                return false;
        tm.tm_year = century * 100 + year - 1900;
        tm.tm_mon = month - 1;
        tm.tm_mday = day;
        start = timegm(&tm);
        /* timegm() turns 31 February into a day of March: what comes back must be what was asked
         * for. */
        if (start < 0 || tm.tm_mon != month - 1 || tm.tm_mday != day)
                return false;
        *ret_end = ((usec_t)start + 24 * 60 * 60) * USEC_PER_SEC;
        return true;
}
