/* os.h - all that is asked of the operating system: pages, threads, futexes, clocks, CPUs. One
 * implementation per system; each function says what it wants (pre) and gives (post). None touches
 * process-wide state; every descriptor it opens closes on exec.
 */
#ifndef RING_OS_H
#define RING_OS_H

#include <pthread.h>

#include "ring/atomic.h"

/* Alignment of mappings and of the parts of a slab. Systems with larger pages map in their own
 * unit, which is a multiple. */
#define LEAT_PAGE_BYTES 4096

/* What went wrong, in the words of the engine's statuses. */
enum leat_os_result {
    LEAT_OS_OK = 0,
    LEAT_OS_REFUSED, /* a permission or a limit */
    LEAT_OS_NO_MEMORY,
    LEAT_OS_FAILED
};

/* ---- pages ---------------------------------------------------------------------------------- */

/* post: zeroed pages, private, taken from the system at the first touch; NULL if there are none. */
void *leat_os_map(size_t bytes);
/* pre: memory, bytes as from leat_os_map(), or NULL. */
void leat_os_unmap(void *memory, size_t bytes);
/* post: all pages are there. */
enum leat_os_result leat_os_prefault(void *memory, size_t bytes);
/* post: it is in no core dump, where the system knows that. */
void leat_os_hide(void *memory, size_t bytes);
/* post: no page leaves memory. */
enum leat_os_result leat_os_lock(void *memory, size_t bytes);
/* post: the system was asked for huge pages; it may not have any. */
void leat_os_huge(void *memory, size_t bytes);
/* post: whole pages of it are the system's again, and read as zeros; or are as they were. */
void leat_os_release(void *memory, size_t bytes);
/* Bytes of it that are in memory at present, in whole pages; 0 if unknown. */
size_t leat_os_resident(void *memory, size_t bytes);
/* post: the system was asked to take the pages from a node of memory, where it has any left. */
void leat_os_bind(void *memory, size_t bytes, uint32_t node);
/* post: a page that reads as zero in a child after fork; NULL where the system has no such. */
void *leat_os_map_wiped_on_fork(void);

/* ---- threads -------------------------------------------------------------------------------- */

enum leat_os_policy { LEAT_OS_POLICY_INHERIT, LEAT_OS_POLICY_FIFO, LEAT_OS_POLICY_ROUND_ROBIN };

struct leat_os_schedule {
    enum leat_os_policy policy;
    uint32_t priority; /* 1 to 99; with INHERIT 0 */
};

struct leat_os_thread_config {
    void *(*run)(void *argument);
    void *argument;
    const uint16_t *cpus; /* to run on; NULL: anywhere */
    uint32_t cpus_count;
    size_t stack_bytes; /* 0: the system's default */
    struct leat_os_schedule schedule;
    char name[16];
};

/* post: a joinable thread with all signals blocked, on its CPUs and with its priority from its
 * first instruction. The caller's signal mask is what it was. */
enum leat_os_result leat_os_thread_start(pthread_t *thread,
                                         const struct leat_os_thread_config *config);
void leat_os_thread_join(pthread_t thread);
void leat_os_yield(void);
/* The highest real-time priority that a thread without further rights may have; 0: none. */
uint32_t leat_os_realtime_limit(void);

/* ---- futex ---------------------------------------------------------------------------------- */

/* Sleeps while *word == expected, until woken or the monotonic deadline (UINT64_MAX: none); may
 * return for no reason. */
void leat_os_futex_wait(leat_atomic_u32 *word, uint32_t expected, uint64_t deadline_ns);
/* Wakes up to count sleepers. */
void leat_os_futex_wake(leat_atomic_u32 *word, uint32_t count);

/* ---- events: a descriptor that an event loop of the host waits for --------------------------- */

/* post: a descriptor that is not readable, closes on exec and never blocks. */
enum leat_os_result leat_os_event_open(int *descriptor);
void leat_os_event_close(int descriptor);
/* post: readable. */
void leat_os_event_set(int descriptor);
/* post: not readable, unless it was set meanwhile. */
void leat_os_event_clear(int descriptor);

/* ---- alarms: a descriptor for each of two clocks --------------------------------------------- */

struct leat_os_alarm {
    int boot;
    int wall;
};

/* post: two descriptors that close on exec and never block. */
enum leat_os_result leat_os_alarm_open(struct leat_os_alarm *alarm);
void leat_os_alarm_close(const struct leat_os_alarm *alarm);
/* Sleeps until one of the times (UINT64_MAX: never), until `event` is readable, or until the wall
 * clock is set; may return for no reason. One thread at a time. */
void leat_os_alarm_wait(const struct leat_os_alarm *alarm, int event, uint64_t boot_ns,
                        uint64_t wall_ns);

/* ---- time and CPUs -------------------------------------------------------------------------- */

uint64_t leat_os_monotonic_ns(void);
/* The same, but it goes on while the machine is suspended. */
uint64_t leat_os_boot_ns(void);
/* Since 1970, in UTC. */
uint64_t leat_os_wall_ns(void);
/* The deadline `timeout_ns` from now; UINT64_MAX stays what it is. */
uint64_t leat_os_deadline_ns(uint64_t timeout_ns);
/* The CPU this thread runs on at this moment; 0 if unknown. */
uint32_t leat_os_cpu(void);
/* post: the CPUs this thread may run on, ascending, at most `capacity`; at least one. */
uint32_t leat_os_cpus_allowed(uint16_t *cpus, uint32_t capacity);
/* Reads of a small file what stands behind `offset`, less than `capacity` bytes.
 * post: text, and 0 behind it; its length, or a negative errno where the file cannot be read: then
 * the text is "". */
ptrdiff_t leat_os_file_read(const char *path, size_t offset, char *text, size_t capacity);

#endif
