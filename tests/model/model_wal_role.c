/* model_wal_role.c - the real engine/wal/writer.c on the real ring of bytes: every interleaving of
 * threads that append and wait, that append and do not, and of the log's own thread. A write and a
 * sync are a step each, in which others go on. Two threads in a write are a fault, and so is a
 * thread that waits while all are asleep.
 *
 * wait    Two append and wait: one of them writes for both, or each for itself.
 * kick    One waits; another one appends and kicks; the log's thread sleeps and writes. All that
 *         was appended is durable in the end.
 * call    One appends and is called once that is durable, instead of waiting.
 * os      One waits until it is written only, beside others; the log's thread syncs.
 * behind  The log's thread waits for what it has appended, while another one writes for both.
 * mutex   One appends, and then wants a mutex under which another one appends and waits.
 * end     The log's thread is told to end, whatever it is about to do: it does.
 * fails   A sync fails: who waits is told, and nothing is durable from then on.
 */
#include <stdio.h>

#include "ring/mutex.h"
#include "tests/support/explore.h"

static bool try(void);
static void lock(void);
static void unlock(void);
/* They stand for functions. NOLINTBEGIN(readability-identifier-naming) */
#define leat_mutex_try(mutex)  ((void)(mutex), try())
#define leat_mutex_lock(mutex) ((void)(mutex), lock())
/* NOLINTEND(readability-identifier-naming) */

#include "engine/wal/calls.c" /* NOLINT(bugprone-suspicious-include) */
#include "engine/wal/internal.h"
#include "engine/wal/writer.c" /* NOLINT(bugprone-suspicious-include) */

#define THREADS_MAX 3

struct scenario {
    uint32_t waiters;
    uint32_t kickers;
    uint32_t callers;
    uint32_t landers; /* the log's thread, in calls.behind() */
    uint32_t writers; /* who wait until it is written */
    uint32_t holders; /* who append and wait with the mutex */
    uint32_t lockers; /* who append and then want it */
    uint32_t enders;  /* 1: the log's thread is to end */
    bool late;        /* config.late */
    bool fails;       /* the first sync */
};

struct state {
    struct leat_wal wal;
    struct leat_wal_files files;
    leat_atomic_u32 writing; /* threads in a write or a sync */
    leat_atomic_u32 locked;  /* the mutex */
    uint32_t syncs;
    uint64_t positions[THREADS_MAX];
    enum leat_status statuses[THREADS_MAX];
    leat_atomic_u32 links[THREADS_MAX];
    uint32_t settled[THREADS_MAX]; /* times */
};

static struct state state_now;
static const struct scenario *scenario;

/* ---- what the writer stands on --------------------------------------------------------------- */

uint32_t
leat_crc32c(uint32_t before, const void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    return before;
}

void
leat_wal_batch_seal(struct leat_wal_batch *header)
{
    header->crc = 0;
}

enum leat_status
leat_wal_segment_switch(struct leat_wal *wal)
{
    (void)wal;
    return LEAT_LOG_FAILED;
}

void
leat_wal_segment_ahead(struct leat_wal *wal)
{
    (void)wal;
}

uint64_t
leat_wal_room(const struct leat_wal *wal)
{
    (void)wal;
    return UINT64_MAX;
}

static void
alone(void)
{
    EXPLORE_CHECK(atom_add_acq_rel(&state_now.writing, 1) == 0);
    (void)atom_sub_acq_rel(&state_now.writing, 1);
}

int
leat_wal_write_all(const struct leat_wal_files *files, int file, struct iovec *pieces, int count,
                   uint64_t offset)
{
    (void)files;
    (void)file;
    (void)pieces;
    (void)count;
    (void)offset;
    if (scenario->writers != 0) {
        alone();
    }
    return 0;
}

int
leat_wal_write_by(const struct leat_wal_way *way, int file, struct iovec *pieces, int count,
                  uint64_t offset)
{
    (void)way;
    return leat_wal_write_all(NULL, file, pieces, count, offset);
}

static int
sync_one(void *disk, int file)
{
    (void)disk;
    (void)file;
    alone();
    return state_now.syncs++ == 0 && scenario->fails ? -1 : 0;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    return &((struct state *)context)->links[index];
}

static uint64_t
position_of(void *context, uint32_t index)
{
    struct state *state = context;
    explore_plain_read(&state->positions[index], "position");
    return state->positions[index];
}

static void
settled(void *context, uint32_t index, enum leat_status status)
{
    struct state *state = context;
    EXPLORE_CHECK(status == LEAT_OK || (scenario->fails && status == LEAT_LOG_FAILED));
    EXPLORE_CHECK((status == LEAT_OK) ==
                  leat_wal_is_durable(&state->wal, position_of(state, index)));
    state->statuses[index] = status;
    state->settled[index]++;
}

/* ---- threads --------------------------------------------------------------------------------- */

static void
setup(void *argument)
{
    struct state *state = argument;
    struct leat_memory memory = explore_memory_table();
    struct leat_wal *wal = &state->wal;
    state->files.sync = sync_one;
    wal->config.late = scenario->late;
    wal->config.files = &state->files;
    wal->bytes = UINT64_C(1) << 40;
    wal->offset = LEAT_WAL_BLOCK;
    wal->batch = 1;
    wal->batch_durable = 1;
    wal->batch_bytes_max = 64;
    wal->config.calls = (struct leat_wal_calls){link_of, position_of, settled, state, NULL};
    leat_inbox_init(&wal->inbox);
    leat_fifo_init(&wal->calls);
    EXPLORE_CHECK(leat_bytes_init(&wal->ring, &memory, 64));
}

static void
append_one(struct state *state, uint32_t me)
{
    const struct leat_wal_entry entry = {.tag = me + 1};
    enum leat_status status =
        leat_wal_append(&state->wal, &entry, 1, LEAT_WAL_FIRST, &state->positions[me]);
    EXPLORE_CHECK(status == LEAT_OK || (scenario->fails && status == LEAT_LOG_FAILED));
}

static void
waiter(void *argument)
{
    struct state *state = argument;
    uint32_t me = explore_thread();
    append_one(state, me);
    state->statuses[me] = leat_wal_wait(&state->wal, state->positions[me], UINT64_MAX);
    EXPLORE_CHECK(state->statuses[me] == LEAT_OK ||
                  (scenario->fails && state->statuses[me] == LEAT_LOG_FAILED));
}

static void
os_waiter(void *argument)
{
    struct state *state = argument;
    uint32_t me = explore_thread();
    append_one(state, me);
    state->statuses[me] = leat_wal_wait_written(&state->wal, state->positions[me], UINT64_MAX);
    EXPLORE_CHECK(state->statuses[me] == LEAT_OK);
    EXPLORE_CHECK(leat_wal_is_written(&state->wal, state->positions[me]));
}

static void
kicker(void *argument)
{
    struct state *state = argument;
    append_one(state, explore_thread());
    leat_wal_kick(&state->wal);
}

static void
caller(void *argument)
{
    struct state *state = argument;
    uint32_t me = explore_thread();
    explore_plain_write(&state->positions[me], "position");
    append_one(state, me);
    leat_wal_when(&state->wal, me);
}

static void
lander(void *argument)
{
    struct state *state = argument;
    uint32_t me = explore_thread();
    append_one(state, me);
    state->statuses[me] = leat_wal_wait_behind(&state->wal, state->positions[me], false);
    EXPLORE_CHECK(state->statuses[me] == LEAT_OK ||
                  (scenario->fails && state->statuses[me] == LEAT_LOG_FAILED));
}

static bool
try(void)
{
    uint32_t nobody = 0;
    return atom_cas_acq(&state_now.locked, &nobody, 1);
}

/* Ends: who has it gives it back, or nobody can go on and that is found. */
static void
lock(void)
{
    while (!try()) {
        explore_pause();
    }
}

static void
unlock(void)
{
    atom_store_rel(&state_now.locked, 0);
}

static void
holder(void *argument)
{
    lock();
    waiter(argument);
    unlock();
}

static void
locker(void *argument)
{
    struct state *state = argument;
    append_one(state, explore_thread());
    leat_wal_lock(&state->wal, NULL);
    unlock();
    leat_wal_kick(&state->wal);
}

/* As stop_all() of threads.c does. */
static void
ender(void *argument)
{
    struct state *state = argument;
    atom_store_rel(&state->wal.threads.stop, 1);
    leat_wal_kick(&state->wal);
    leat_wal_role_wake(&state->wal.role);
}

static void
writer(void *argument)
{
    struct state *state = argument;
    while (scenario->enders == 0 || atom_load_acq(&state->wal.threads.stop) == 0) {
        while (leat_wal_step(&state->wal, leat_wal_is_unmarked(&state->wal))) {
        }
        leat_wal_sleep(&state->wal, UINT64_MAX);
    }
}

static void
check(void *argument)
{
    struct state *state = argument;
    uint32_t os = scenario->writers;
    uint32_t waiting = scenario->waiters + scenario->holders;
    uint32_t silent = waiting + scenario->lockers + scenario->kickers + scenario->landers;
    for (uint32_t i = 0; i < silent + scenario->callers; i++) {
        EXPLORE_CHECK(state->settled[i] == (i < silent ? 0 : 1));
        bool durable = leat_wal_is_durable(&state->wal, state->positions[i]);
        bool waits = i < waiting || i >= silent;
        EXPLORE_CHECK(durable || scenario->fails || (scenario->late && !waits));
        EXPLORE_CHECK(leat_wal_is_written(&state->wal, state->positions[i]) || scenario->fails);
        EXPLORE_CHECK(!durable || state->statuses[i] != LEAT_LOG_FAILED || scenario->fails);
    }
    for (uint32_t i = silent + scenario->callers; os != 0; i++, os--) {
        EXPLORE_CHECK(leat_wal_is_written(&state->wal, state->positions[i]));
    }
    EXPLORE_CHECK(!scenario->fails || state->syncs == 1);
}

static const struct {
    const char *name;
    struct scenario scenario;
    bool has_writer;
    uint32_t preemptions; /* 0: no bound */
    bool deep;
} scenarios[] = {
    {"wait", {.waiters = 2}, false, 0, false},
    {"wait and fail", {.waiters = 2, .fails = true}, false, 0, false},
    {"kick", {.kickers = 1}, true, 0, false},
    {"wait and kick", {.waiters = 1, .kickers = 1}, true, 2, false},
    {"call", {.callers = 1}, true, 0, false},
    {"call and fail", {.callers = 1, .fails = true}, true, 0, false},
    {"wait and call", {.waiters = 1, .callers = 1}, true, 1, false},
    {"wait and call, more", {.waiters = 1, .callers = 1}, true, 2, true},
    {"two calls", {.callers = 2}, true, 1, false},
    {"os", {.writers = 2}, false, 0, false},
    {"os and wait", {.waiters = 1, .writers = 1}, false, 0, false},
    {"os and call", {.callers = 1, .writers = 1, .late = true}, true, 1, false},
    {"wait and behind", {.waiters = 1, .landers = 1}, false, 2, false},
    {"wait and behind, failing", {.waiters = 1, .landers = 1, .fails = true}, false, 2, false},
    {"mutex", {.holders = 1, .lockers = 1}, true, 1, false},
    {"mutex, more", {.holders = 1, .lockers = 1}, true, 2, true},
    {"end", {.enders = 1}, true, 0, false},
    {"wait and end", {.waiters = 1, .enders = 1}, true, 2, false},
    {"late kick", {.kickers = 1, .late = true}, true, 0, false},
    {"wait and kick, all", {.waiters = 1, .kickers = 1}, true, 0, true},
};

int
main(void)
{
    bool good = true;
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        char name[64];
        struct explore_counts counts;
        (void)snprintf(name, sizeof(name), "wal %s", scenarios[i].name);
        struct explore_model model = {
            .name = name,
            .state = &state_now,
            .state_bytes = sizeof(state_now),
            .setup = setup,
            .check = check,
            .bounded = scenarios[i].preemptions != 0,
            .preemptions = scenarios[i].preemptions,
            .deep = scenarios[i].deep,
        };
        scenario = &scenarios[i].scenario;
        uint32_t count = 0;
        for (uint32_t j = 0; j < scenario->waiters; j++) {
            model.threads[count++] = waiter;
        }
        for (uint32_t j = 0; j < scenario->holders; j++) {
            model.threads[count++] = holder;
        }
        for (uint32_t j = 0; j < scenario->lockers; j++) {
            model.threads[count++] = locker;
        }
        for (uint32_t j = 0; j < scenario->kickers; j++) {
            model.threads[count++] = kicker;
        }
        for (uint32_t j = 0; j < scenario->landers; j++) {
            model.threads[count++] = lander;
        }
        for (uint32_t j = 0; j < scenario->callers; j++) {
            model.threads[count++] = caller;
        }
        for (uint32_t j = 0; j < scenario->writers; j++) {
            model.threads[count++] = os_waiter;
        }
        for (uint32_t j = 0; j < scenario->enders; j++) {
            model.threads[count++] = ender;
        }
        if (scenarios[i].has_writer) {
            model.servants = (uint8_t)(scenario->enders == 0 ? 1U << count : 0);
            model.threads[count] = writer;
        }
        good = explore(&model, &counts) && good;
    }
    return good ? 0 : 1;
}
