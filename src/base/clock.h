/*
 * The three clocks and how they are written.
 *
 * Ages are CLOCK_BOOTTIME, which counts through suspend; deadlines of a request are
 * CLOCK_MONOTONIC; wall-clock time exists only on the wire and is converted where it is parsed or
 * printed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_MSEC UINT64_C(1000)
#define USEC_PER_SEC  UINT64_C(1000000)
#define USEC_PER_MIN  (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)
#define USEC_PER_DAY  (24 * USEC_PER_HOUR)
#define USEC_INFINITY UINT64_MAX

#define CLOCK_TEXT_MAX 32

/** clock_boottime() - microseconds since boot, suspend included: the clock of ages */
usec_t clock_boottime(void);

/** clock_monotonic() - microseconds, suspend excluded: the clock of deadlines */
usec_t clock_monotonic(void);

/** clock_realtime() - microseconds since 1970-01-01 UTC: only for the wire */
usec_t clock_realtime(void);

/** clock_wall() - a boottime as wall clock; 0 stays 0, and what never comes is 0 too */
usec_t clock_wall(usec_t boottime);

/**
 * clock_format() - writes a wall-clock time as RFC 3339 in UTC, whole seconds
 * @buffer: at least CLOCK_TEXT_MAX bytes
 *
 * Return: @buffer.
 */
char *clock_format(usec_t realtime, char buffer[static CLOCK_TEXT_MAX]);

/**
 * clock_format_span() - writes a duration for people: "850ms", "12s", "4m 10s", "3h 5m", "2d 4h"
 * @buffer: at least CLOCK_TEXT_MAX bytes
 *
 * Return: @buffer.
 */
char *clock_format_span(usec_t span, char buffer[static CLOCK_TEXT_MAX]);

/**
 * clock_parse_span() - reads a duration as the configuration writes it: 500ms, 10s, 5m, 1h, 2d
 *
 * A whole number and one unit, nothing else; the result is below 10 years.
 * Return: true, or false and *ret_span untouched.
 */
bool clock_parse_span(const char *text, usec_t *ret_span);

/**
 * clock_parse_day() - reads YYYY-MM-DD
 * @ret_end: the first microsecond after that day in UTC, since 1970
 *
 * Return: true, or false for anything that is not a day between 2000 and 2199.
 */
bool clock_parse_day(const char *text, usec_t *ret_end);

/** usec_add() - sum that stays at USEC_INFINITY */
static inline usec_t usec_add(usec_t a, usec_t b) {
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

/** usec_sub() - difference that stays at 0 */
static inline usec_t usec_sub(usec_t a, usec_t b) {
        return a > b ? a - b : 0;
}
