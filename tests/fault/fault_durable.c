/* fault_durable.c - a life of an engine with durable jobs (tests/support/life.h), again and again,
 * in which each file operation fails in turn, in each way, once and from there on for ever; then
 * the machine stops. J1 to J6 of life.h hold on a healthy disk afterwards.
 *
 * The functions of the system are wrapped by the linker, so the way is the whole one: interrupted
 * calls, no descriptor left, the file of the places of crashes. A sync that fails drops what was
 * written since the last one, and so does the stop of the machine. Names are not dropped: see
 * fault_wal.c.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sched/topology.h"
#include "tests/support/check.h"
#include "tests/support/life.h"
#include "tests/support/threads.h"

/* Not synced, of all files at a time. */
#define RANGES_MAX 4096

/* No errno: a write, or a read, of one byte; of half of it. */
#define SHORT 1001
#define HALF  1002

enum kind {
    OPEN = 1,
    CREATE = 2,
    ALLOCATE = 4,
    WRITE = 8,
    READ = 16,
    SYNC = 32,
    RENAME = 64,
    REMOVE = 128,
    ANY = 255
};

struct range {
    uint64_t inode;
    uint64_t offset;
    uint64_t bytes;
};

struct way {
    const char *name;
    uint32_t kinds;
    int result; /* an errno, or one of those above */
    bool for_ever;
    bool closes;
    bool harmless; /* nobody is to notice */
};

/* Shared with the child in which it happens. */
static struct shared {
    struct way way;
    uint64_t at;
    bool armed;
    uint64_t counted; /* operations of way.kinds, while armed */
    uint32_t ranges_count;
    struct range ranges[RANGES_MAX];
} * shared;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* ---- faults ---------------------------------------------------------------------------------- */

/* What the operation gives instead of being done; 0: it is to be done. */
static int
fault_of(uint32_t kind)
{
    int result = 0;
    CHECK(pthread_mutex_lock(&mutex) == 0);
    if (shared != NULL && shared->armed && (shared->way.kinds & kind) != 0) {
        uint64_t at = shared->counted++;
        bool meets = at == shared->at || (shared->way.for_ever && at > shared->at);
        result = meets ? shared->way.result : 0;
    }
    CHECK(pthread_mutex_unlock(&mutex) == 0);
    return result;
}

static bool
is_error(int result)
{
    return result != 0 && result != SHORT && result != HALF;
}

static uint64_t
inode_of(int file)
{
    struct stat found;
    CHECK(fstat(file, &found) == 0);
    return found.st_ino;
}

static void
written(int file, uint64_t offset, uint64_t bytes)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    CHECK(shared->ranges_count < RANGES_MAX);
    shared->ranges[shared->ranges_count++] = (struct range){inode_of(file), offset, bytes};
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

/* What was written to it is on the disk from now on, or is not there any more: zeros, as what was
 * acknowledged is never written again. */
static void
ranges_end(int file, bool lost)
{
    static const unsigned char zeros[1 << 16];
    uint64_t inode = inode_of(file);
    uint32_t kept = 0;
    CHECK(pthread_mutex_lock(&mutex) == 0);
    for (uint32_t i = 0; i < shared->ranges_count; i++) {
        struct range range = shared->ranges[i];
        if (range.inode != inode) {
            shared->ranges[kept++] = range;
        } else if (lost) {
            CHECK(range.bytes <= sizeof(zeros));
            CHECK(pwrite(file, zeros, range.bytes, (off_t)range.offset) == (ssize_t)range.bytes);
        }
    }
    shared->ranges_count = kept;
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

/* ---- the system's functions ------------------------------------------------------------------ */

#ifdef __clang__
#    pragma clang diagnostic ignored "-Wreserved-identifier"
#endif

/* Names that the linker gives.
 * NOLINTBEGIN(*-reserved-identifier,cert-dcl*,readability-identifier-naming,*-valist.*) */
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __real_flock(int file, int operation);
int __wrap_flock(int file, int operation);
ssize_t __real_pwritev(int file, const struct iovec *pieces, int count, off_t offset);
ssize_t __wrap_pwritev(int file, const struct iovec *pieces, int count, off_t offset);
ssize_t __real_pread(int file, void *to, size_t bytes, off_t offset);
ssize_t __wrap_pread(int file, void *to, size_t bytes, off_t offset);
int __real_posix_fallocate(int file, off_t offset, off_t bytes);
int __wrap_posix_fallocate(int file, off_t offset, off_t bytes);
int __wrap_fsync(int file);
int __wrap_fdatasync(int file);
int __real_renameat(int from_directory, const char *from, int to_directory, const char *to);
int __wrap_renameat(int from_directory, const char *from, int to_directory, const char *to);
int __real_unlinkat(int directory, const char *path, int flags);
int __wrap_unlinkat(int directory, const char *path, int flags);
bool __wrap_leat_topology_ask_hwloc(struct leat_topology *topology, const char *synthetic);

/* It would take most of the time of an open. */
bool
__wrap_leat_topology_ask_hwloc(struct leat_topology *topology, const char *synthetic)
{
    (void)topology;
    (void)synthetic;
    return false;
}

static int
failed(int result)
{
    errno = result;
    return -1;
}

int
__wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    int result = (flags & O_DIRECTORY) != 0 ? fault_of(OPEN) : 0;
    return is_error(result) ? failed(result) : __real_open(path, flags, mode);
}

int
__wrap_openat(int directory, const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    int result = fault_of((flags & O_CREAT) != 0 ? CREATE : OPEN);
    return is_error(result) ? failed(result) : __real_openat(directory, path, flags, mode);
}

int
__wrap_flock(int file, int operation)
{
    int result = fault_of(OPEN);
    return is_error(result) ? failed(result) : __real_flock(file, operation);
}

ssize_t
__wrap_pwritev(int file, const struct iovec *pieces, int count, off_t offset)
{
    int result = fault_of(WRITE);
    if (is_error(result)) {
        return failed(result);
    }
    struct iovec first = pieces[0];
    if (result != 0) {
        first.iov_len = result == SHORT && first.iov_len > 1 ? 1 : (first.iov_len + 1) / 2;
        pieces = &first;
        count = 1;
    }
    ssize_t bytes = __real_pwritev(file, pieces, count, offset);
    if (bytes > 0) {
        written(file, (uint64_t)offset, (uint64_t)bytes);
    }
    return bytes;
}

ssize_t
__wrap_pread(int file, void *to, size_t bytes, off_t offset)
{
    int result = fault_of(READ);
    if (is_error(result)) {
        return failed(result);
    }
    size_t less = result == SHORT && bytes > 1 ? 1 : bytes;
    return __real_pread(file, to, result == HALF ? (bytes + 1) / 2 : less, offset);
}

int
__wrap_posix_fallocate(int file, off_t offset, off_t bytes)
{
    int result = fault_of(ALLOCATE);
    return is_error(result) ? result : __real_posix_fallocate(file, offset, bytes);
}

/* Nothing is synced: it is known what that would have done. */
static int
sync_one(int file)
{
    int result = fault_of(SYNC);
    ranges_end(file, is_error(result));
    return is_error(result) ? failed(result) : 0;
}

int
__wrap_fsync(int file)
{
    return sync_one(file);
}

int
__wrap_fdatasync(int file)
{
    return sync_one(file);
}

int
__wrap_renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    int result = fault_of(RENAME);
    return is_error(result) ? failed(result)
                            : __real_renameat(from_directory, from, to_directory, to);
}

int
__wrap_unlinkat(int directory, const char *path, int flags)
{
    int result = fault_of(REMOVE);
    return is_error(result) ? failed(result) : __real_unlinkat(directory, path, flags);
}
/* NOLINTEND(*-reserved-identifier,cert-dcl*,readability-identifier-naming,*-valist.*) */

/* ---- one life -------------------------------------------------------------------------------- */

/* Disarmed, no thread gets through any more: the process ends at once. */
static void
arm(struct life *life, bool armed)
{
    CHECK(pthread_mutex_lock(&mutex) == 0);
    shared->armed = armed;
    if (!armed && !life->closes) {
        _exit(0);
    }
    CHECK(pthread_mutex_unlock(&mutex) == 0);
}

static void
machine_stops(const struct life *life)
{
    DIR *directory = opendir(life->directory);
    CHECK(directory != NULL);
    /* One thread has the stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (entry->d_name[0] != '.') {
            int file = openat(dirfd(directory), entry->d_name, O_RDWR | O_CLOEXEC);
            CHECK(file >= 0);
            ranges_end(file, true);
            CHECK(close(file) == 0);
        }
    }
    CHECK(closedir(directory) == 0);
    shared->ranges_count = 0;
}

static void
live_once(struct life *life, const struct way *way, uint64_t at)
{
    life_reset(life);
    life->arm = arm;
    life->closes = way->closes;
    life->allowed = way->harmless ? 0
                                  : UINT64_C(1) << LEAT_NO_SPACE | UINT64_C(1) << LEAT_REFUSED |
                                        UINT64_C(1) << LEAT_SYSTEM | UINT64_C(1) << LEAT_LOG_FAILED;
    *shared = (struct shared){.way = *way, .at = at};
    test_child(life_run, life);
    machine_stops(life);
    test_child(life_judge, life);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
sweep(const struct way *ways, size_t count)
{
    struct life *life = life_make();
    for (size_t i = 0; i < count; i++) {
        uint64_t at = 0;
        uint64_t step = life_step(&at);
        do {
            live_once(life, &ways[i], at);
            at += step;
        } while (shared->counted + step > at);
        CHECK(life->opened && life->refusals == 0);
        test_say("%s%s%s: operations %llu\n", ways[i].name, ways[i].for_ever ? ", for ever" : "",
                 ways[i].closes ? ", closed" : "", (unsigned long long)shared->counted);
    }
    life_free(life);
}

#define MAKING (CREATE | ALLOCATE | WRITE | SYNC | RENAME)

static void
errors(void **state)
{
    static const struct way ways[] = {
        {"EIO", ANY, EIO, false, false, false},
        {"EIO", ANY, EIO, true, false, false},
        {"EIO", ANY, EIO, false, true, false},
        {"EIO", ANY, EIO, true, true, false},
    };
    (void)state;
    sweep(ways, TEST_COUNT_OF(ways));
}

static void
no_room(void **state)
{
    static const struct way ways[] = {
        {"ENOSPC", MAKING, ENOSPC, false, false, false},
        {"ENOSPC", MAKING, ENOSPC, true, false, false},
        {"ENOSPC", MAKING, ENOSPC, true, true, false},
        {"ENOSPC in allocation", ALLOCATE, ENOSPC, false, true, false},
        {"EDQUOT", MAKING, EDQUOT, false, false, false},
        {"EDQUOT", MAKING, EDQUOT, true, false, false},
    };
    (void)state;
    sweep(ways, TEST_COUNT_OF(ways));
}

static void
no_descriptors(void **state)
{
    static const struct way ways[] = {
        {"EMFILE", OPEN | CREATE, EMFILE, false, false, false},
        {"EMFILE", OPEN | CREATE, EMFILE, true, true, false},
        {"ENFILE", OPEN | CREATE, ENFILE, false, true, false},
    };
    (void)state;
    sweep(ways, TEST_COUNT_OF(ways));
}

/* An interrupted sync is a failed one: whether it may be repeated, no standard says. */
static void
interrupted(void **state)
{
    static const struct way ways[] = {
        {"EINTR", WRITE | READ | ALLOCATE, EINTR, false, false, true},
        {"EINTR in a sync", SYNC, EINTR, false, false, false},
        {"short", WRITE | READ, SHORT, false, false, true},
        {"half", WRITE | READ, HALF, false, false, true},
        {"half", WRITE | READ, HALF, true, true, true},
    };
    (void)state;
    sweep(ways, TEST_COUNT_OF(ways));
}

static int
say_where(void **state)
{
    (void)state;
    test_say("last: %s%s%s, operation %llu\n", shared->way.name,
             shared->way.for_ever ? ", for ever" : "", shared->way.closes ? ", closed" : "",
             (unsigned long long)shared->at);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(errors, say_where),
        cmocka_unit_test_teardown(no_room, say_where),
        cmocka_unit_test_teardown(no_descriptors, say_where),
        cmocka_unit_test_teardown(interrupted, say_where),
    };
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
