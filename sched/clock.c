/* clock.c - asking what is due, and sleeping until something is, see clock.h. */
#include "sched/clock.h"

#include "sched/limits.h"

enum leat_os_result
leat_clocks_init(struct leat_clocks *clocks)
{
    enum leat_os_result result = leat_doorbell_init(&clocks->doorbell);
    if (result != LEAT_OS_OK) {
        return result;
    }
    result = leat_os_alarm_open(&clocks->alarm);
    if (result != LEAT_OS_OK) {
        leat_doorbell_fini(&clocks->doorbell);
        return result;
    }
    clocks->opened = true;
    uint64_t drift =
        leat_clocks_now(clocks, LEAT_TIME_WALL) - leat_clocks_now(clocks, LEAT_TIME_BOOT);
    atom_init(&clocks->drift, drift);
    return LEAT_OS_OK;
}

void
leat_clocks_fini(struct leat_clocks *clocks)
{
    if (clocks->opened) {
        leat_os_alarm_close(&clocks->alarm);
        leat_doorbell_fini(&clocks->doorbell);
    }
}

void
leat_clocks_add(struct leat_clocks *clocks, struct leat_clock_source source)
{
    LEAT_ASSERT(clocks->count < LEAT_CLOCK_SOURCES_MAX);
    LEAT_ASSERT(source.time == LEAT_TIME_BOOT || source.time == LEAT_TIME_WALL);
    clocks->sources[clocks->count++] = source;
}

uint64_t
leat_clocks_now(const struct leat_clocks *clocks, enum leat_time time)
{
    if (clocks->now != NULL) {
        return clocks->now(time, clocks->context);
    }
    switch (time) {
    case LEAT_TIME_BOOT:
        return leat_os_boot_ns();
    case LEAT_TIME_WALL:
        return leat_os_wall_ns();
    case LEAT_TIME_MONOTONIC:
        break;
    }
    return leat_os_monotonic_ns();
}

/* A time by each clock. */
struct times {
    uint64_t boot_ns;
    uint64_t wall_ns;
};

static void
due_add(struct times *due, enum leat_time time, uint64_t at_ns)
{
    uint64_t *first = time == LEAT_TIME_BOOT ? &due->boot_ns : &due->wall_ns;
    *first = at_ns < *first ? at_ns : *first;
}

/* True once for each time that the wall clock was set. */
static bool
moved(struct leat_clocks *clocks, const struct times *now)
{
    uint64_t drift = now->wall_ns - now->boot_ns;
    uint64_t before = atom_load_rlx(&clocks->drift); /* rlx: hint, re-checked at drift:A */
    uint64_t change = drift - before;
    if (change < LEAT_CLOCK_DRIFT_NS || 0 - change < LEAT_CLOCK_DRIFT_NS) {
        return false;
    }
    /* One of those who see it says so, and orders nothing by that. */
    /* drift:A rlx: statistic */
    return atom_cas_rlx(&clocks->drift, &before, drift);
}

/* All of them by the same moment: one that comes due meanwhile names a time that is over. */
static struct times
ask(struct leat_clocks *clocks)
{
    struct times due = {LEAT_TIME_NEVER, LEAT_TIME_NEVER};
    const struct times now = {.wall_ns = leat_clocks_now(clocks, LEAT_TIME_WALL),
                              .boot_ns = leat_clocks_now(clocks, LEAT_TIME_BOOT)};
    bool set = moved(clocks, &now);
    for (uint32_t i = 0; i < clocks->count; i++) {
        const struct leat_clock_source *source = &clocks->sources[i];
        bool boot = source->time == LEAT_TIME_BOOT;
        if (set && source->moved != NULL) {
            source->moved(source->context);
        }
        uint64_t at_ns = source->look(source->context, boot ? now.boot_ns : now.wall_ns);
        due_add(&due, source->time, at_ns);
    }
    return due;
}

static uint64_t
left(const struct leat_clocks *clocks, enum leat_time time, uint64_t at_ns)
{
    if (at_ns == LEAT_TIME_NEVER) {
        return LEAT_TIME_NEVER;
    }
    uint64_t now_ns = leat_clocks_now(clocks, time);
    return at_ns > now_ns ? at_ns - now_ns : 0;
}

static uint64_t
due_in(const struct leat_clocks *clocks, const struct times *due)
{
    uint64_t boot_ns = left(clocks, LEAT_TIME_BOOT, due->boot_ns);
    uint64_t wall_ns = left(clocks, LEAT_TIME_WALL, due->wall_ns);
    return boot_ns < wall_ns ? boot_ns : wall_ns;
}

uint64_t
leat_clocks_look(struct leat_clocks *clocks)
{
    struct times due = ask(clocks);
    return due_in(clocks, &due);
}

uint64_t
leat_clocks_next(const struct leat_clocks *clocks)
{
    struct times due = {LEAT_TIME_NEVER, LEAT_TIME_NEVER};
    for (uint32_t i = 0; i < clocks->count; i++) {
        const struct leat_clock_source *source = &clocks->sources[i];
        due_add(&due, source->time, source->next(source->context));
    }
    return due_in(clocks, &due);
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void *
clock_run(void *argument)
{
    struct leat_clocks *clocks = argument;
    for (;;) {
        /* What changes from here on rings; what changed before is seen now. */
        leat_doorbell_listen(&clocks->doorbell);
        if (atom_load_rlx(&clocks->ended) != 0) { /* rlx: ordered by listen:A */
            return NULL;
        }
        struct times due = ask(clocks);
        leat_os_alarm_wait(&clocks->alarm, clocks->doorbell.descriptor, due.boot_ns, due.wall_ns);
    }
}

enum leat_os_result
leat_clocks_start(struct leat_clocks *clocks, const struct leat_os_thread_config *config)
{
    LEAT_ASSERT(!clocks->started);
    if (clocks->now != NULL) {
        return LEAT_OS_OK;
    }
    struct leat_os_thread_config own = *config;
    own.run = clock_run;
    own.argument = clocks;
    atom_store_rlx(&clocks->ended, 0); /* rlx: not shared yet */
    enum leat_os_result result = leat_os_thread_start(&clocks->thread, &own);
    clocks->started = result == LEAT_OS_OK;
    return result;
}

void
leat_clocks_stop(struct leat_clocks *clocks)
{
    if (!clocks->started) {
        return;
    }
    atom_store_rlx(&clocks->ended, 1); /* rlx: ordered by ring:A */
    leat_doorbell_ring(&clocks->doorbell);
    leat_os_thread_join(clocks->thread);
    clocks->started = false;
}
