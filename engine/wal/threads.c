/* threads.c - the log's own threads: one writes what nobody waits for, one makes segments ahead. */
#include "engine/wal/internal.h"

#define IDLE_NS  UINT64_C(10000000)  /* without work, until the log says what is durable */
#define AGAIN_NS UINT64_C(100000000) /* until what there was no space for is tried again */

bool
leat_wal_stopping(const struct leat_wal *wal)
{
    /* ending:A acquire -> ending:B.  Carries: nothing.
     * If relaxed: nothing changes; it is seen a moment later. */
    return atom_load_acq(&wal->threads.stop) != 0;
}

/* When to mark the log: IDLE_NS behind the last batch, whoever wrote it. */
struct marking {
    uint64_t position; /* that was written at the last look */
    uint64_t at_ns;    /* UINT64_MAX: never */
};

static uint64_t
marks_at(const struct leat_wal *wal, struct marking *marking)
{
    uint64_t written = atom_load_rlx(&wal->ring.head); /* rlx: statistic */
    if (!leat_wal_is_unmarked(wal)) {
        marking->at_ns = UINT64_MAX;
    } else if (marking->at_ns == UINT64_MAX || marking->position != written) {
        marking->at_ns = leat_os_deadline_ns(IDLE_NS);
    }
    marking->position = written;
    return marking->at_ns;
}

static void *
writer_run(void *argument)
{
    struct leat_wal *wal = argument;
    struct marking marking = {0, UINT64_MAX};
    while (!leat_wal_stopping(wal)) {
        bool written = leat_wal_step(wal, false);
        if (leat_wal_behind(wal) || written) {
            continue;
        }
        uint64_t at_ns = marks_at(wal, &marking);
        if (leat_os_monotonic_ns() >= at_ns) {
            (void)leat_wal_step(wal, true);
            marking.at_ns = leat_os_deadline_ns(AGAIN_NS); /* where there was no space for it */
        } else {
            leat_wal_sleep(wal, at_ns);
        }
    }
    return NULL;
}

static void *
preparer_run(void *argument)
{
    struct leat_wal *wal = argument;
    leat_wal_leftover_remove(wal);
    while (!leat_wal_stopping(wal)) {
        /* ahead:A acquire -> used_up:A, ahead:B.  Carries: see used_up:A.
         * If relaxed: see used_up:A. */
        uint32_t taken = atom_load_acq(&wal->threads.taken);
        enum leat_status status = leat_wal_prepare(wal);
        bool both = atom_load_rlx(&wal->ready) == 2; /* rlx: hint, re-checked at ahead:A */
        uint64_t again_ns = status == LEAT_OK ? UINT64_MAX : leat_os_deadline_ns(AGAIN_NS);
        if (!leat_wal_stopping(wal) && (both || status != LEAT_OK)) {
            leat_os_futex_wait(&wal->threads.taken, taken, again_ns);
        }
    }
    return NULL;
}

static void
stop_all(struct leat_wal *wal)
{
    /* ending:B release -> ending:A.  Carries: see ending:A.
     * If relaxed: see ending:A. In front of the kick: who sleeps beside that looks at it. */
    atom_store_rel(&wal->threads.stop, 1);
    leat_wal_kick(wal);
    leat_wal_role_wake(&wal->role);
    /* ahead:B release -> ahead:A.  Carries: the stop.
     * If relaxed: the thread could sleep beside it. */
    (void)atom_add_rel(&wal->threads.taken, 1);
    leat_os_futex_wake(&wal->threads.taken, 1);
}

bool
leat_wal_start(struct leat_wal *wal)
{
    struct leat_os_thread_config writer = {.run = writer_run, .argument = wal, .name = "leat-log"};
    struct leat_os_thread_config preparer = {
        .run = preparer_run, .argument = wal, .name = "leat-log-ahead"};
    atom_store_rlx(&wal->threads.stop, 0); /* rlx: not shared yet */
    if (leat_os_thread_start(&wal->threads.writer, &writer) != LEAT_OS_OK) {
        return false;
    }
    if (leat_os_thread_start(&wal->threads.preparer, &preparer) != LEAT_OS_OK) {
        stop_all(wal);
        leat_os_thread_join(wal->threads.writer);
        return false;
    }
    wal->threads.run = true;
    return true;
}

enum leat_status
leat_wal_stop(struct leat_wal *wal)
{
    leat_wal_keep_none(wal);
    enum leat_status status = leat_wal_flush(wal);
    if (wal->threads.run) {
        stop_all(wal);
        leat_os_thread_join(wal->threads.writer);
        leat_os_thread_join(wal->threads.preparer);
        wal->threads.run = false;
    }
    /* Where there is no space for it, the next open takes the last batch for one that may be torn,
     * as it does behind a crash. */
    (void)leat_wal_step(wal, true);
    leat_wal_keep_end(wal);
    return status;
}
