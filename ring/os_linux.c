/* os_linux.c - os.h for Linux 4.14 and later, glibc 2.35 and later. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "ring/limits.h"
#include "ring/os.h"

#define NS_PER_S UINT64_C(1000000000)

void
leat_assert_failed(const char *fact, const char *file, int line)
{
    (void)fact;
    (void)file;
    (void)line;
    abort();
}

/* ---- pages ---------------------------------------------------------------------------------- */

void *
leat_os_map(size_t bytes)
{
    LEAT_ASSERT(bytes > 0);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void
leat_os_unmap(void *memory, size_t bytes)
{
    if (memory != NULL) {
        int failed = munmap(memory, bytes);
        LEAT_ASSERT(failed == 0);
    }
}

enum leat_os_result
leat_os_prefault(void *memory, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    if (madvise(memory, bytes, MADV_POPULATE_WRITE) == 0) {
        return LEAT_OS_OK;
    }
    if (errno == ENOMEM) {
        return LEAT_OS_NO_MEMORY;
    }
#endif
    /* Kernels before 5.14: touch each page. The slab is fresh, so writing zeros changes nothing,
     * but a read alone would map the shared zero page. */
    leat_atomic_u8 *byte = memory;
    for (size_t i = 0; i < bytes; i += LEAT_PAGE_BYTES) {
        atom_store_rlx(&byte[i], atom_load_rlx(&byte[i])); /* rlx: not shared yet */
    }
    return LEAT_OS_OK;
}

enum leat_os_result
leat_os_lock(void *memory, size_t bytes)
{
    if (mlock(memory, bytes) == 0) {
        return LEAT_OS_OK;
    }
    /* ENOMEM is the answer where RLIMIT_MEMLOCK is too low, EPERM where it is zero. */
    return errno == ENOMEM || errno == EPERM ? LEAT_OS_REFUSED : LEAT_OS_FAILED;
}

/* The whole pages of a piece of memory; `bytes` 0: there is none. */
struct pages {
    unsigned char *first;
    size_t bytes;
};

static struct pages
pages_within(void *memory, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t before = leat_round_up((uintptr_t)memory, page) - (uintptr_t)memory;
    struct pages pages = {(unsigned char *)memory + before, 0};
    if (before < bytes) {
        pages.bytes = (bytes - before) & ~(page - 1);
    }
    return pages;
}

void
leat_os_huge(void *memory, size_t bytes)
{
    struct pages pages = pages_within(memory, bytes);
    if (pages.bytes != 0) {
        /* A kernel without huge pages says EINVAL; the memory serves all the same. */
        (void)madvise(pages.first, pages.bytes, MADV_HUGEPAGE);
    }
}

void
leat_os_release(void *memory, size_t bytes)
{
    struct pages pages = pages_within(memory, bytes);
    if (pages.bytes != 0) {
        /* Refused where they are locked: they stay. */
        (void)madvise(pages.first, pages.bytes, MADV_DONTNEED);
    }
}

size_t
leat_os_resident(void *memory, size_t bytes)
{
    enum { PAGES = 1024 };
    unsigned char there[PAGES];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct pages left = pages_within(memory, bytes);
    size_t resident = 0;
    while (left.bytes != 0) {
        size_t some = left.bytes < PAGES * page ? left.bytes : PAGES * page;
        if (mincore(left.first, some, there) != 0) {
            return 0;
        }
        for (size_t i = 0; i < some / page; i++) {
            resident += (there[i] & 1) != 0 ? page : 0;
        }
        left.first += some;
        left.bytes -= some;
    }
    return resident;
}

void
leat_os_bind(void *memory, size_t bytes, uint32_t node)
{
    unsigned long mask[LEAT_CPUS_MAX / (8 * sizeof(unsigned long))] = {0};
    const size_t bits = 8 * sizeof(mask[0]);
    struct pages pages = pages_within(memory, bytes);
    if (node / bits < sizeof(mask) / sizeof(mask[0]) && pages.bytes != 0) {
        mask[node / bits] = 1UL << node % bits;
        /* Its number of bits is one more than the kernel uses. Refused: as without. */
        (void)syscall(SYS_mbind, pages.first, pages.bytes, MPOL_PREFERRED, mask,
                      8 * sizeof(mask) + 1, 0);
    }
}

void
leat_os_hide(void *memory, size_t bytes)
{
    struct pages pages = pages_within(memory, bytes);
    if (pages.bytes != 0) {
        (void)madvise(pages.first, pages.bytes, MADV_DONTDUMP);
    }
}

void *
leat_os_map_wiped_on_fork(void)
{
    void *page = leat_os_map(LEAT_PAGE_BYTES);
    if (page != NULL && madvise(page, LEAT_PAGE_BYTES, MADV_WIPEONFORK) != 0) {
        leat_os_unmap(page, LEAT_PAGE_BYTES);
        page = NULL;
    }
    return page;
}

/* ---- threads -------------------------------------------------------------------------------- */

static enum leat_os_result
result_of(int error)
{
    switch (error) {
    case 0:
        return LEAT_OS_OK;
    case EAGAIN: /* the limit on threads */
    case EPERM:
        return LEAT_OS_REFUSED;
    case ENOMEM:
        return LEAT_OS_NO_MEMORY;
    default:
        return LEAT_OS_FAILED;
    }
}

static int
schedule_fill(pthread_attr_t *attributes, const struct leat_os_schedule *schedule)
{
    const struct sched_param param = {.sched_priority = (int)schedule->priority};
    int policy = schedule->policy == LEAT_OS_POLICY_FIFO ? SCHED_FIFO : SCHED_RR;
    if (schedule->policy == LEAT_OS_POLICY_INHERIT) {
        return 0;
    }
    int error = pthread_attr_setinheritsched(attributes, PTHREAD_EXPLICIT_SCHED);
    if (error == 0) {
        error = pthread_attr_setschedpolicy(attributes, policy);
    }
    return error == 0 ? pthread_attr_setschedparam(attributes, &param) : error;
}

static int
attributes_fill(pthread_attr_t *attributes, const struct leat_os_thread_config *config)
{
    int error = 0;
    if (config->stack_bytes != 0) {
        error = pthread_attr_setstacksize(attributes, config->stack_bytes);
    }
    if (error == 0 && config->cpus != NULL) {
        size_t bytes = CPU_ALLOC_SIZE(CPU_SETSIZE);
        cpu_set_t set;
        CPU_ZERO(&set);
        for (uint32_t i = 0; i < config->cpus_count; i++) {
            CPU_SET(config->cpus[i], &set);
        }
        error = pthread_attr_setaffinity_np(attributes, bytes, &set);
    }
    return error == 0 ? schedule_fill(attributes, &config->schedule) : error;
}

enum leat_os_result
leat_os_thread_start(pthread_t *thread, const struct leat_os_thread_config *config)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return result_of(error);
    }
    error = attributes_fill(&attributes, config);
    if (error == 0) {
        /* A thread inherits the mask of its maker: block all here, and put ours back. */
        sigset_t all;
        sigset_t before;
        (void)sigfillset(&all);
        error = pthread_sigmask(SIG_SETMASK, &all, &before);
        LEAT_ASSERT(error == 0);
        error = pthread_create(thread, &attributes, config->run, config->argument);
        int restored = pthread_sigmask(SIG_SETMASK, &before, NULL);
        LEAT_ASSERT(restored == 0);
    }
    (void)pthread_attr_destroy(&attributes);
    if (error == 0) {
        /* A name is a convenience; a system that refuses it runs the thread all the same. */
        (void)pthread_setname_np(*thread, config->name);
    }
    return result_of(error);
}

void
leat_os_thread_join(pthread_t thread)
{
    int error = pthread_join(thread, NULL);
    LEAT_ASSERT(error == 0);
}

void
leat_os_yield(void)
{
    (void)sched_yield();
}

uint32_t
leat_os_realtime_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_RTPRIO, &limit) != 0) {
        return 0;
    }
    return limit.rlim_cur > UINT32_MAX ? UINT32_MAX : (uint32_t)limit.rlim_cur;
}

/* ---- futex ---------------------------------------------------------------------------------- */

void
leat_os_futex_wait(leat_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns)
{
    struct timespec deadline;
    struct timespec *limit = NULL;
    if (deadline_ns != UINT64_MAX) {
        deadline.tv_sec = (time_t)(deadline_ns / NS_PER_S);
        deadline.tv_nsec = (long)(deadline_ns % NS_PER_S);
        limit = &deadline;
    }
    /* WAIT_BITSET takes an absolute monotonic deadline; plain WAIT a relative one. Every error
     * (changed, woken by a signal, timed out) means: look again. */
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, limit, NULL,
                  FUTEX_BITSET_MATCH_ANY);
}

void
leat_os_futex_wake(leat_atomic_u32 *word, uint32_t count)
{
    int sleepers = count > INT_MAX ? INT_MAX : (int)count;
    (void)syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, sleepers, NULL, NULL, 0);
}

/* ---- events --------------------------------------------------------------------------------- */

static enum leat_os_result
descriptor_result(int opened)
{
    if (opened >= 0) {
        return LEAT_OS_OK;
    }
    if (errno == EMFILE || errno == ENFILE) {
        return LEAT_OS_REFUSED;
    }
    return errno == ENOMEM ? LEAT_OS_NO_MEMORY : LEAT_OS_FAILED;
}

enum leat_os_result
leat_os_event_open(int *descriptor)
{
    *descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor_result(*descriptor);
}

void
leat_os_event_close(int descriptor)
{
    (void)close(descriptor);
}

/* What these two answer is of no interest: a counter that cannot grow any more is readable as well,
 * and one that is 0 was empty already. */
void
leat_os_event_set(int descriptor)
{
    const uint64_t one = 1;
    (void)!write(descriptor, &one, sizeof(one));
}

void
leat_os_event_clear(int descriptor)
{
    uint64_t count = 0;
    (void)!read(descriptor, &count, sizeof(count));
}

/* ---- alarms --------------------------------------------------------------------------------- */

/* 146 years, which time_t of every system holds. */
#define ALARM_NS_MAX (UINT64_C(1) << 62)

/* Setting a timer also takes back what made its descriptor readable. False: the wall clock was set
 * since the last time; the timer is set all the same. */
static bool
timer_set(int descriptor, int flags, uint64_t at_ns)
{
    struct itimerspec spec;
    memset(&spec, 0, sizeof(spec));
    spec.it_value.tv_sec = (time_t)(at_ns / NS_PER_S);
    spec.it_value.tv_nsec = (long)(at_ns % NS_PER_S);
    if (at_ns == 0) {
        spec.it_value.tv_nsec = 1; /* all zero would be never */
    }
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME | flags, &spec, NULL) == 0 ||
           errno != ECANCELED;
}

enum leat_os_result
leat_os_alarm_open(struct leat_os_alarm *alarm)
{
    alarm->boot = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    enum leat_os_result result = descriptor_result(alarm->boot);
    if (result != LEAT_OS_OK) {
        return result;
    }
    alarm->wall = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    result = descriptor_result(alarm->wall);
    if (result != LEAT_OS_OK) {
        (void)close(alarm->boot);
        return result;
    }
    /* From here on the system remembers that the clock was set. */
    (void)timer_set(alarm->wall, TFD_TIMER_CANCEL_ON_SET, ALARM_NS_MAX);
    return LEAT_OS_OK;
}

void
leat_os_alarm_close(const struct leat_os_alarm *alarm)
{
    (void)close(alarm->boot);
    (void)close(alarm->wall);
}

void
leat_os_alarm_wait(const struct leat_os_alarm *alarm, int event, uint64_t boot_ns, uint64_t wall_ns)
{
    struct pollfd waits[] = {
        {event, POLLIN, 0}, {alarm->boot, POLLIN, 0}, {alarm->wall, POLLIN, 0}};
    (void)timer_set(alarm->boot, 0, boot_ns < ALARM_NS_MAX ? boot_ns : ALARM_NS_MAX);
    /* Set in any case, since it also tells when the clock is set. Where that was between the
     * caller's look at the clock and now, this is the only one to tell. */
    if (timer_set(alarm->wall, TFD_TIMER_CANCEL_ON_SET,
                  wall_ns < ALARM_NS_MAX ? wall_ns : ALARM_NS_MAX)) {
        (void)ppoll(waits, sizeof(waits) / sizeof(waits[0]), NULL, NULL);
    }
}

/* ---- time and CPUs -------------------------------------------------------------------------- */

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    LEAT_ASSERT(failed == 0);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t
leat_os_monotonic_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
leat_os_boot_ns(void)
{
    return clock_ns(CLOCK_BOOTTIME);
}

uint64_t
leat_os_wall_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

uint64_t
leat_os_deadline_ns(uint64_t timeout_ns)
{
    if (timeout_ns == UINT64_MAX) {
        return UINT64_MAX;
    }
    uint64_t now = leat_os_monotonic_ns();
    /* 2^62 ns are 146 years, which time_t of every system holds. */
    uint64_t most = UINT64_C(1) << 62;
    return timeout_ns > most - now ? most : now + timeout_ns;
}

uint32_t
leat_os_cpu(void)
{
    int cpu = sched_getcpu();
    return cpu < 0 ? 0 : (uint32_t)cpu;
}

uint32_t
leat_os_cpus_allowed(uint16_t *cpus, uint32_t capacity)
{
    LEAT_ASSERT(capacity >= 1);
    cpu_set_t set;
    uint32_t count = 0;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        for (uint32_t i = 0; i < CPU_SETSIZE && count < capacity; i++) {
            if (CPU_ISSET(i, &set)) {
                cpus[count] = (uint16_t)i;
                count++;
            }
        }
    }
    if (count == 0) {
        /* More than 1 024 CPUs: the call wants a larger set. Where we run now is allowed. */
        cpus[0] = (uint16_t)leat_os_cpu();
        count = 1;
    }
    return count;
}

ptrdiff_t
leat_os_file_read(const char *path, size_t offset, char *text, size_t capacity)
{
    LEAT_ASSERT(capacity >= 1);
    text[0] = '\0';
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return -errno;
    }
    ssize_t count = pread(descriptor, text, capacity - 1, (off_t)offset);
    ptrdiff_t length = count < 0 ? -errno : count;
    (void)close(descriptor);
    text[length < 0 ? 0 : length] = '\0';
    return length;
}
