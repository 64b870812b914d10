/*
 * Clocks that jump, to be loaded in front of a program (LD_PRELOAD): clock_gettime() adds what the
 * file MOVED_CLOCK says, which may change at any time: two numbers of 64 bits, nanoseconds for
 * CLOCK_REALTIME and for CLOCK_BOOTTIME.
 *
 * Absolute timers of those clocks are set back by the same amount, for the kernel's own clocks do
 * not jump.  A time namespace cannot do this: it has no CLOCK_REALTIME, and its offsets are fixed
 * before the first process enters.  What this cannot imitate is the kernel waking a sleeper at the
 * jump: the program sees it at its next event.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NSEC_PER_SEC 1000000000LL
#define FDS_MAX      1024

static const volatile int64_t *moved;
static int clock_of[FDS_MAX]; /* what timerfd_create() was asked for */
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_create)(int, int);
static int (*real_settime)(int, int, const struct itimerspec *, struct itimerspec *);

/* Other libraries' constructors may ask for the time before ours has run. */
static void find_real(void) {
        if (real_gettime)
                return;
        real_gettime = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        real_create = (int (*)(int, int))dlsym(RTLD_NEXT, "timerfd_create");
        real_settime = (int (*)(int, int, const struct itimerspec *, struct itimerspec *))dlsym(
            RTLD_NEXT, "timerfd_settime");
}

static int64_t offset(clockid_t clock) {
        if (!moved)
                return 0;
        if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
            clock == CLOCK_REALTIME_ALARM)
                return moved[0];
        return clock == CLOCK_BOOTTIME || clock == CLOCK_BOOTTIME_ALARM ? moved[1] : 0;
}

static struct timespec add(const struct timespec *time, int64_t nsec) {
        int64_t sum = (int64_t)time->tv_sec * NSEC_PER_SEC + time->tv_nsec + nsec;

        return (struct timespec){ .tv_sec = sum / NSEC_PER_SEC, .tv_nsec = sum % NSEC_PER_SEC };
}

int clock_gettime(clockid_t clock, struct timespec *ret) {
        int r;

        find_real();
        r = real_gettime(clock, ret);
        if (r == 0)
                *ret = add(ret, offset(clock));
        return r;
}

int timerfd_create(int clock, int flags) {
        int fd;

        find_real();
        fd = real_create(clock, flags);
        if (fd >= 0 && fd < FDS_MAX)
                clock_of[fd] = clock;
        return fd;
}

/* A time of zero switches the timer off; one that has passed fires at once, which zero would
 * not. */
int timerfd_settime(int fd, int flags, const struct itimerspec *time, struct itimerspec *old) {
        struct itimerspec shifted = *time;
        int64_t by = fd >= 0 && fd < FDS_MAX ? offset(clock_of[fd]) : 0;

        find_real();
        if ((flags & TFD_TIMER_ABSTIME) && by != 0 &&
            (time->it_value.tv_sec || time->it_value.tv_nsec)) {
                shifted.it_value = add(&time->it_value, -by);
                if (shifted.it_value.tv_sec < 0 || shifted.it_value.tv_nsec < 0)
                        shifted.it_value = (struct timespec){ .tv_nsec = 1 };
        }
        return real_settime(fd, flags, &shifted, old);
}

__attribute__((constructor)) static void begin(void) {
        const char *path = getenv("MOVED_CLOCK");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *map;

        if (fd < 0)
                return;
        map = mmap(NULL, 2 * sizeof(*moved), PROT_READ, MAP_SHARED, fd, 0);
        (void)close(fd);
        if (map != MAP_FAILED)
                moved = map;
}
