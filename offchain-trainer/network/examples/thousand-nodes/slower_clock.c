/* Clocks that run slower, so that a computer which can't keep up with many nodes at once has the time for them. For LD_PRELOAD; Linux.
 *
 * HYDRA_SLOWER=4: of four seconds the process sees one, by clock_gettime, and waits accordingly by epoll and futexes, which is how Tokio and
 * Rust's threads wait. Other ways to sleep and to see the time are as they were. Who computes for a second has computed for a quarter of one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#define SECOND 1000000000LL

static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_epoll)(int, struct epoll_event *, int, int);
static long (*real_syscall)(long, ...);
static long long slower = 1;
/* When the process began, by both clocks that are waited by. */
static long long monotonic, realtime;

static long long nanoseconds(const struct timespec *at) {
    return at->tv_sec * SECOND + at->tv_nsec;
}

static struct timespec timespec_of(long long nanoseconds) {
    struct timespec at = {nanoseconds / SECOND, nanoseconds % SECOND};
    return at;
}

static long long began(clockid_t clock) {
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        return realtime;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
        return monotonic;
    default: /* Processor time. */
        return -1;
    }
}

__attribute__((constructor)) static void begin(void) {
    struct timespec now;
    const char *text = getenv("HYDRA_SLOWER");
    real_clock = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    real_epoll = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
    real_syscall = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    real_clock(CLOCK_MONOTONIC, &now);
    monotonic = nanoseconds(&now);
    real_clock(CLOCK_REALTIME, &now);
    realtime = nanoseconds(&now);
    slower = text ? atoll(text) : 1;
    if (slower < 1) {
        slower = 1;
    }
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    if (!real_clock) {
        begin();
    }
    int failed = real_clock(clock, at);
    long long since = began(clock);
    if (!failed && since >= 0) {
        *at = timespec_of(since + (nanoseconds(at) - since) / slower);
    }
    return failed;
}

int epoll_wait(int epoll, struct epoll_event *events, int most, int milliseconds) {
    if (!real_epoll) {
        begin();
    }
    long long wait = milliseconds > 0 ? milliseconds * slower : milliseconds;
    return real_epoll(epoll, events, most, wait > INT_MAX ? INT_MAX : (int)wait);
}

/* Who waits for ever waits long enough. */
static long long longer(long long nanoseconds) {
    return nanoseconds > LLONG_MAX / 4 / slower ? LLONG_MAX / 4 : nanoseconds * slower;
}

/* Rust's threads wait for one another by futexes, until a moment. */
long syscall(long number, ...) {
    long part[6];
    va_list parts;
    va_start(parts, number);
    for (int at = 0; at < 6; at++) {
        part[at] = va_arg(parts, long);
    }
    va_end(parts);
    if (!real_syscall) {
        begin();
    }
    struct timespec until;
    int operation = (int)part[1] & FUTEX_CMD_MASK;
    if (number == SYS_futex && part[3] && (operation == FUTEX_WAIT_BITSET || operation == FUTEX_WAIT)) {
        long long at = nanoseconds((const struct timespec *)part[3]);
        if (operation == FUTEX_WAIT) {
            at = longer(at);
        } else {
            long long since = part[1] & FUTEX_CLOCK_REALTIME ? realtime : monotonic;
            at = since + longer(at - since);
        }
        until = timespec_of(at);
        part[3] = (long)&until;
    }
    return real_syscall(number, part[0], part[1], part[2], part[3], part[4], part[5]);
}
