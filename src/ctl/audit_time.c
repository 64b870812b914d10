#include "ctl/audit_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/text.h"

#define TEXT_MAX   64
#define SPAN_LIMIT (100 * 365 * USEC_PER_DAY)
#define ZONES      "/usr/share/zoneinfo/"

static const struct {
        const char *name;
        usec_t factor;
} units[] = {
        { "usec", 1 },
        { "us", 1 },
        { "msec", USEC_PER_MSEC },
        { "ms", USEC_PER_MSEC },
        { "seconds", USEC_PER_SEC },
        { "second", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },
        { "s", USEC_PER_SEC },
        { "minutes", USEC_PER_MIN },
        { "minute", USEC_PER_MIN },
        { "min", USEC_PER_MIN },
        { "m", USEC_PER_MIN },
        { "hours", USEC_PER_HOUR },
        { "hour", USEC_PER_HOUR },
        { "hr", USEC_PER_HOUR },
        { "h", USEC_PER_HOUR },
        { "days", USEC_PER_DAY },
        { "day", USEC_PER_DAY },
        { "d", USEC_PER_DAY },
        { "weeks", 7 * USEC_PER_DAY },
        { "week", 7 * USEC_PER_DAY },
        { "w", 7 * USEC_PER_DAY },
};

static bool parse_digits(const char **p, uint64_t *ret) {
        const char *begin = *p;
        uint64_t number = 0;

        for (; **p >= '0' && **p <= '9'; (*p)++) {
                if (*p - begin >= 15)
                        return false;
                number = number * 10 + (uint64_t)(**p - '0');
        }
        *ret = number;
        return *p > begin;
}

static void skip_blanks(const char **p) {
        while (**p == ' ')
                (*p)++;
}

/* "1h 30min": numbers and units to the end of the text. */
static bool parse_span(const char *text, usec_t *ret) {
        const char *p = text;
        usec_t sum = 0;

        skip_blanks(&p);
        if (!*p)
                return false;
        while (*p) {
                uint64_t number;
                size_t length, i;

                if (!parse_digits(&p, &number))
                        return false;
                skip_blanks(&p);
                length = strspn(p, "abcdefghijklmnopqrstuvwxyz");
                for (i = 0; i < ELEMENTS(units); i++)
                        if (strlen(units[i].name) == length &&
                            memcmp(units[i].name, p, length) == 0)
                                break;
                if (i == ELEMENTS(units) || number > SPAN_LIMIT / units[i].factor)
                        return false;
                sum += number * units[i].factor;
                if (sum > SPAN_LIMIT)
                        return false;
                p += length;
                skip_blanks(&p);
        }
        *ret = sum;
        return true;
}

/* Exactly so many digits; a number in the range. */
static bool parse_field(const char **p, int digits, int least, int most, int *ret) {
        int number = 0;

        for (int i = 0; i < digits; i++, (*p)++) {
                if (**p < '0' || **p > '9')
                        return false;
                number = number * 10 + (**p - '0');
        }
        *ret = number;
        return number >= least && number <= most;
}

static bool parse_char(const char **p, char wanted) {
        if (**p != wanted)
                return false;
        (*p)++;
        return true;
}

/* ".5": what does not fit microseconds is passed over. */
static bool parse_fraction(const char **p, usec_t *ret) {
        usec_t factor = USEC_PER_SEC / 10;
        const char *begin = *p;

        *ret = 0;
        for (; **p >= '0' && **p <= '9'; (*p)++) {
                *ret += (usec_t)(**p - '0') * factor;
                factor /= 10;
        }
        return *p > begin;
}

static bool parse_clock(const char **p, struct tm *tm, usec_t *ret_fraction) {
        *ret_fraction = 0;
        if (!parse_field(p, 2, 0, 23, &tm->tm_hour) || !parse_char(p, ':') ||
            !parse_field(p, 2, 0, 59, &tm->tm_min))
                return false;
        if (!parse_char(p, ':'))
                return true;
        if (!parse_field(p, 2, 0, 59, &tm->tm_sec))
                return false;
        return !parse_char(p, '.') || parse_fraction(p, ret_fraction);
}

static bool parse_date(const char **p, struct tm *tm) {
        if (!parse_field(p, 4, 1970, 2199, &tm->tm_year) || !parse_char(p, '-') ||
            !parse_field(p, 2, 1, 12, &tm->tm_mon) || !parse_char(p, '-') ||
            !parse_field(p, 2, 1, 31, &tm->tm_mday))
                return false;
        tm->tm_year -= 1900;
        tm->tm_mon -= 1;
        return true;
}

static void skip_weekday(const char **p) {
        static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };

        for (size_t i = 0; i < ELEMENTS(days); i++)
                if (strncasecmp(*p, days[i], 3) == 0 && (*p)[3] == ' ') {
                        *p += 4;
                        return;
                }
}

/* mktime() in a named zone: the environment is the only way to tell it. */
static bool convert_in_zone(struct tm *tm, const char *zone, time_t *ret) {
        char path[sizeof(ZONES) + TEXT_MAX];
        const char *old = getenv("TZ");
        char *saved = old ? strdup(old) : NULL;

        (void)snprintf(path, sizeof(path), "%s%s", ZONES, zone);
        if (strstr(zone, "..") || zone[0] == '/' || access(path, R_OK) < 0 || (old && !saved)) {
                free(saved);
                return false;
        }
        (void)snprintf(path, sizeof(path), ":%s", zone);
        (void)setenv("TZ", path, 1);
        tzset();
        *ret = mktime(tm);
        if (saved)
                (void)setenv("TZ", saved, 1);
        else
                (void)unsetenv("TZ");
        tzset();
        free(saved);
        return true;
}

static bool convert(struct tm *tm, const char *zone, usec_t fraction, usec_t *ret) {
        const int day = tm->tm_mday;
        time_t seconds;

        tm->tm_isdst = -1;
        if (!*zone)
                seconds = mktime(tm);
        else if (strcmp(zone, "UTC") == 0 || strcmp(zone, "Z") == 0)
                seconds = timegm(tm);
        else if (!convert_in_zone(tm, zone, &seconds))
                return false;
        /* The 31st of a month that has 30 days would come back as another day. */
        if (seconds < 0 || tm->tm_mday != day)
                return false;
        *ret = (usec_t)seconds * USEC_PER_SEC + fraction;
        return true;
}

static bool today(usec_t now, struct tm *tm) {
        time_t seconds = (time_t)(now / USEC_PER_SEC);

        if (!localtime_r(&seconds, tm))
                return false;
        tm->tm_hour = tm->tm_min = tm->tm_sec = 0;
        return true;
}

/* A day by its name: mktime() turns the 0th and the 32nd into days of the months beside. */
static bool parse_word(const char *text, usec_t now, usec_t *ret) {
        static const struct {
                const char *name;
                int days;
        } words[] = { { "yesterday", -1 }, { "today", 0 }, { "tomorrow", 1 } };
        struct tm tm;
        time_t seconds;

        if (strcmp(text, "now") == 0) {
                *ret = now;
                return true;
        }
        for (size_t i = 0; i < ELEMENTS(words); i++) {
                if (strcmp(text, words[i].name) != 0)
                        continue;
                if (!today(now, &tm))
                        return false;
                tm.tm_mday += words[i].days;
                tm.tm_isdst = -1;
                seconds = mktime(&tm);
                if (seconds < 0)
                        return false;
                *ret = (usec_t)seconds * USEC_PER_SEC;
                return true;
        }
        return false;
}

static bool parse_timestamp(const char *text, usec_t now, usec_t *ret) {
        struct tm tm = { 0 };
        usec_t fraction = 0;
        const char *p = text;

        skip_weekday(&p);
        if (p[0] && p[1] && p[2] == ':') {
                if (!today(now, &tm) || !parse_clock(&p, &tm, &fraction))
                        return false;
        } else {
                if (!parse_date(&p, &tm))
                        return false;
                if (*p == 'T' || (*p == ' ' && p[1] >= '0' && p[1] <= '9')) {
                        p++;
                        if (!parse_clock(&p, &tm, &fraction))
                                return false;
                }
        }
        if (*p && *p != ' ' && strcmp(p, "Z") != 0)
                return false;
        skip_blanks(&p);
        return convert(&tm, p, fraction, ret);
}

static bool parse_epoch(const char *p, usec_t *ret) {
        uint64_t seconds;
        usec_t fraction = 0;

        if (!parse_digits(&p, &seconds) || seconds > UINT64_C(7258118400)) /* 2200-01-01 */
                return false;
        if (parse_char(&p, '.') && !parse_fraction(&p, &fraction))
                return false;
        if (*p)
                return false;
        *ret = seconds * USEC_PER_SEC + fraction;
        return true;
}

bool audit_time_parse(const char *text, usec_t now, usec_t *ret) {
        char copy[TEXT_MAX];
        size_t length = strlen(text);
        usec_t span;

        if (length == 0 || length >= sizeof(copy))
                return false;
        memcpy(copy, text, length + 1);
        if (copy[0] == '@')
                return parse_epoch(copy + 1, ret);
        if (copy[0] == '+') {
                if (!parse_span(copy + 1, &span))
                        return false;
                *ret = usec_add(now, span);
                return true;
        }
        if (length > 4 && strcmp(copy + length - 4, " ago") == 0)
                copy[length - 4] = '\0';
        else if (parse_word(copy, now, ret) || parse_timestamp(copy, now, ret))
                return true;
        if (!parse_span(copy[0] == '-' ? copy + 1 : copy, &span))
                return false;
        *ret = usec_sub(now, span);
        return true;
}
