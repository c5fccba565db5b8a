/* model_bucket.c - the real sched/bucket.h with sched/lists.c, pool.c, worker.c and park.c: every
 * interleaving of workers that admit through a bucket and take its tokens with the timer that opens
 * it, with threads that put jobs, and with one that sets another rate, with C11 memory. One queue,
 * one level; workers end asleep, and the clock stands still but for the timer, so a wake-up or a
 * timer that is lost leaves a job that has not run.
 *
 * time     more jobs than tokens: who is turned away arms the timer.
 * kept     all tokens are kept for jobs in the ring when one is turned away: who leaves calls.
 * waste    jobs that leave and take no token.
 * put      a thread puts jobs meanwhile.
 * rate     another thread sets another rate, and waits for those inside as for a grace period. Who
 *          passes sees the whole of it.
 * levels   who is turned away at another level arms the timer behind its end.
 * missed   one is turned away while another one has taken its token and not left, and a token
 *          comes: it is called by the one that leaves, or by the timer in time.
 * again    the same where the word is what it was before that one armed it.
 * 2w, lend two workers, and two lent threads.
 * In each, no more have begun than burst and clock say.
 */
#include <stdio.h>

#include "sched/pool.h"
#include "tests/support/explore.h"

/* Not its header: each thread of the model has a `current_worker` of its own. */
#include "sched/worker.c" /* NOLINT(bugprone-suspicious-include) */

#define JOBS_MAX 3
#define PER_NS   UINT64_C(4)

struct scenario {
    uint32_t workers; /* the first threads of the model */
    uint32_t lenders; /* places for lent threads, where workers is 0 */
    uint32_t ready;   /* jobs that are listed before */
    uint32_t puts;    /* jobs put by the thread that puts */
    uint32_t wastes;  /* the first jobs leave without a token, and have run */
    uint32_t runs;    /* jobs that have run at the end */
    uint32_t burst;
    bool changes; /* a thread sets another rate */
    bool empty;   /* no token is there at first */
    bool taken;   /* a place is kept at first */
    bool again;   /* the second level waits already */
};

struct state {
    struct leat_pool pool;
    leat_atomic_u32 links[JOBS_MAX];
    leat_atomic_u64 clock;
    leat_atomic_u64 armed;  /* when the timer is due; 0: it is not armed */
    leat_atomic_u32 inside; /* sections */
    leat_atomic_u32 begun;
    leat_atomic_u32 done;
    leat_atomic_u32 event; /* a futex: counts what threads wait for */
    uint32_t timer;        /* plain: of who has it in hand */
    uint32_t ran[JOBS_MAX];
    bool missed;             /* one was turned away */
    leat_atomic_u32 to_call; /* levels */
};

static struct state state_now;
static const struct scenario *scenario;
static const struct leat_bucket_rate slow = {1, 1, 1000 * PER_NS};

/* ---- jobs ----------------------------------------------------------------------------------- */

static leat_atomic_u32 *
job_link(void *context, uint32_t index)
{
    struct state *state = context;
    EXPLORE_CHECK(index < JOBS_MAX);
    return &state->links[index];
}

static uint32_t
job_queue(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return 0;
}

static bool
job_drop(void *context, uint32_t index)
{
    (void)context;
    (void)index;
    return false;
}

static struct leat_bucket *
bucket_of(struct state *state)
{
    return &state->pool.queues[0].bucket;
}

static void
called(struct state *state, uint32_t levels)
{
    if (levels != 0) {
        leat_lists_opened(&state->pool, 0, 0);
    }
}

/* ---- threads that wait for a change ---------------------------------------------------------- */

static void
event_tell(struct state *state)
{
    if (scenario->wastes == 2 || scenario->workers == 0) {
        return; /* nobody waits */
    }
    (void)atom_add_rel(&state->event, 1);
    leat_os_futex_wake(&state->event, UINT32_MAX);
}

static void
event_wait(struct state *state, uint32_t event)
{
    leat_os_futex_wait(&state->event, event, UINT64_MAX);
}

/* What sections of rcu.h are to who sets a rate. */
static void
section_enter(struct state *state)
{
    if (scenario->changes) {
        (void)atom_add_acq_rel(&state->inside, 1);
        atom_fence_sc(&state->pool.anchor);
    }
}

static void
section_leave(struct state *state)
{
    if (scenario->changes) {
        (void)atom_sub_rel(&state->inside, 1);
        event_tell(state);
    }
}

static void
section_wait(struct state *state)
{
    atom_fence_sc(&state->pool.anchor);
    for (;;) {
        uint32_t event = atom_load_acq(&state->event);
        if (atom_load_acq(&state->inside) == 0) {
            return;
        }
        event_wait(state, event);
    }
}

static void
timer_arm(struct state *state, uint64_t now_ns)
{
    uint64_t due_ns = leat_bucket_due_ns(bucket_of(state), now_ns);
    explore_plain_write(&state->timer, "timer");
    state->timer++;
    EXPLORE_CHECK(atom_load_rlx(&state->armed) == 0);
    atom_store_rel(&state->armed, due_ns == 0 ? 1 : due_ns);
    event_tell(state);
}

/* As engine/buckets.c does. Returns the levels to call. */
static uint32_t
leave(struct state *state, bool took)
{
    section_enter(state);
    uint64_t word = leat_bucket_leave(bucket_of(state));
    uint64_t now_ns = atom_load_rlx(&state->clock);
    bool timed = (word & LEAT_BUCKET_TIMED) != 0;
    bool calls = leat_bucket_wanted(word) != 0 &&
                 (!took || !timed || leat_bucket_missed(bucket_of(state), word, now_ns));
    section_leave(state);
    return calls ? leat_bucket_wanted(word) : 0;
}

static enum leat_passage
job_enter(void *context, uint32_t index, uint32_t level, uint32_t list, uint32_t *other)
{
    struct state *state = context;
    (void)index;
    (void)list;
    (void)other;
    section_enter(state);
    uint64_t now_ns = atom_load_rlx(&state->clock);
    enum leat_bucket_passage passage = leat_bucket_enter(bucket_of(state), now_ns, level, true);
    if (passage == LEAT_BUCKET_PASSED) {
        explore_plain_read(&bucket_of(state)->jobs, "rate");
    }
    if (passage == LEAT_BUCKET_ARM) {
        timer_arm(state, now_ns);
    }
    section_leave(state);
    return passage == LEAT_BUCKET_PASSED ? LEAT_PASSAGE_GO : LEAT_PASSAGE_SHUT;
}

static void
job_leave(void *context, uint32_t index)
{
    struct state *state = context;
    (void)index;
    called(state, leave(state, false));
}

static bool
job_take(struct state *state)
{
    struct leat_bucket_taken taken;
    section_enter(state);
    bool took = leat_bucket_take(bucket_of(state), atom_load_rlx(&state->clock), &taken);
    if (took) {
        explore_plain_read(&bucket_of(state)->jobs, "rate");
    }
    section_leave(state);
    return took;
}

static void
job_run(void *context, struct leat_worker *worker, uint32_t item)
{
    struct state *state = context;
    uint32_t index = leat_item_index(item);
    EXPLORE_CHECK(index < JOBS_MAX);
    explore_plain_write(worker, "place of a worker");
    if (index >= scenario->wastes) {
        if (!job_take(state)) {
            EXPLORE_CHECK(scenario->changes); /* else a token was kept for it */
            called(state, leave(state, false));
            leat_lists_add(&state->pool, 0, &item, 1);
            return;
        }
        uint32_t begun = atom_add_rlx(&state->begun, 1) + 1;
        uint64_t clock = atom_load_rlx(&state->clock);
        EXPLORE_CHECK(begun <= scenario->burst + clock / PER_NS);
    }
    explore_plain_write(&state->ran[index], "run");
    EXPLORE_CHECK(state->ran[index] == 0);
    state->ran[index] = 1;
    called(state, leave(state, index >= scenario->wastes));
    (void)atom_add_rel(&state->done, 1);
    event_tell(state);
}

static void
job_put(struct state *state, uint32_t index)
{
    leat_pool_put(&state->pool, 0, 0, leat_item_of(LEAT_KIND_JOB, index));
}

/* ---- the pool ------------------------------------------------------------------------------- */

static void
pool_setup(void *argument)
{
    struct state *state = argument;
    const struct leat_bucket_rate rate = {1, scenario->burst, PER_NS};
    struct leat_pool_config config = {
        .workers = scenario->workers,
        .lenders_max = scenario->lenders,
        .ring_slots_log2 = 1,
        .tasks_max = 1,
        .memory = explore_memory_table(),
        .ops = {.run = job_run, .context = state},
        .queues = 1,
        .lists = {.link = job_link,
                  .queue = job_queue,
                  .drop = job_drop,
                  .context = state,
                  .enter = job_enter,
                  .leave = job_leave},
    };
    struct leat_pool *pool = &state->pool;
    EXPLORE_CHECK(leat_pool_init(pool, &config) == LEAT_OS_OK);
    for (uint32_t i = 0; i < pool->places; i++) {
        explore_ignore(&pool->workers[i].parks);
        explore_ignore(&pool->workers[i].wakes);
        explore_ignore(&pool->workers[i].ended);
        atom_init(&pool->workers[i].seat, LEAT_SEAT_TAKEN);
    }
    explore_ignore(&pool->wakes_outside);
    explore_ignore(&pool->lot.passes); /* no repeated wake-up in so few jobs */
    leat_lists_gate(pool, 0);
    leat_bucket_fill(bucket_of(state), scenario->changes ? &slow : &rate, 0,
                     scenario->empty ? 0 : 1);
    EXPLORE_CHECK(!scenario->taken ||
                  leat_bucket_enter(bucket_of(state), 0, 0, true) == LEAT_BUCKET_PASSED);
    if (scenario->again) {
        atom_init(&bucket_of(state)->word, UINT64_C(2) << LEAT_BUCKET_WANTED_SHIFT);
    }
    for (uint32_t i = 0; i < scenario->ready; i++) {
        job_put(state, i);
    }
    atom_init(&pool->alive, scenario->workers); /* as leat_pool_start() leaves it */
}

static void
pool_check(void *argument)
{
    struct state *state = argument;
    uint32_t ran = 0;
    EXPLORE_CHECK(leat_mpmc_check(&state->pool.rings[0], stdout));
    EXPLORE_CHECK(leat_lists_check(&state->pool, 0, stdout));
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        ran += state->ran[i];
    }
    /* A lent thread goes when it finds nothing, or has run enough. */
    EXPLORE_CHECK(ran == scenario->runs || scenario->workers == 0);
    EXPLORE_CHECK(ran != scenario->runs ||
                  leat_bucket_held(atom_load_rlx(&bucket_of(state)->word)) == 0);
}

/* ---- threads -------------------------------------------------------------------------------- */

static void
worker_thread(void *argument)
{
    struct state *state = argument;
    (void)leat_worker_run(&state->pool.workers[explore_thread()]);
}

static void
lend_thread(void *argument)
{
    struct state *state = argument;
    size_t ran = 0;
    (void)leat_pool_lend(&state->pool, JOBS_MAX, &ran);
}

static void
put_thread(void *argument)
{
    struct state *state = argument;
    for (uint32_t i = 0; i < scenario->puts; i++) {
        job_put(state, scenario->ready + i);
    }
}

/* The clock goes on to when the timer is due; where another rate comes, not to when that of the
 * slow one is. */
static bool
timer_fire(struct state *state)
{
    uint64_t due_ns = atom_load_acq(&state->armed);
    if (due_ns == 0 || (scenario->changes && due_ns > 100 * PER_NS)) {
        return false;
    }
    if (!atom_cas_acq(&state->armed, &due_ns, 0)) {
        return false;
    }
    if (atom_load_rlx(&state->clock) < due_ns) {
        atom_store_rlx(&state->clock, due_ns);
    }
    explore_plain_write(&state->timer, "timer");
    state->timer++;
    called(state, leat_bucket_fired(bucket_of(state)));
    return true;
}

static void
timer_thread(void *argument)
{
    struct state *state = argument;
    for (;;) {
        uint32_t event = atom_load_acq(&state->event);
        if (atom_load_acq(&state->done) == scenario->runs) {
            return;
        }
        if (!timer_fire(state)) {
            event_wait(state, event);
        }
    }
}

static void
rate_thread(void *argument)
{
    struct state *state = argument;
    const struct leat_bucket_rate rate = {1, scenario->burst, PER_NS};
    uint64_t due_ns = 0;
    uint64_t next = leat_bucket_close(bucket_of(state));
    section_wait(state);
    uint64_t there = leat_bucket_tokens(bucket_of(state), next, 0);
    explore_plain_write(&bucket_of(state)->jobs, "rate");
    leat_bucket_fill(bucket_of(state), &rate, 0, there);
    section_wait(state);
    /* The timer is pulled to now; where it is not armed, those are called that wait for one to
     * leave, and who has it in hand calls, too. */
    due_ns = atom_load_rlx(&state->armed);
    if (due_ns == 0 || !atom_cas_acq_rel(&state->armed, &due_ns, 1)) {
        called(state, leat_bucket_wanted(atom_load_rlx(&bucket_of(state)->word)));
    }
    event_tell(state);
}

/* Two levels without jobs, of which one arms the timer, and the other one arms it again. */
static void
level_thread(void *argument)
{
    struct state *state = argument;
    uint32_t level = explore_thread();
    if (leat_bucket_enter(bucket_of(state), 0, level, true) == LEAT_BUCKET_ARM) {
        timer_arm(state, 0);
    }
}

static void
fire_thread(void *argument)
{
    struct state *state = argument;
    uint64_t due_ns = atom_load_acq(&state->armed);
    if (due_ns != 0 && atom_cas_acq(&state->armed, &due_ns, 0)) {
        explore_plain_write(&state->timer, "timer");
        state->timer++;
        (void)leat_bucket_fired(bucket_of(state));
    }
}

/* One whose place was kept begins. */
static void
taken_thread(void *argument)
{
    struct state *state = argument;
    EXPLORE_CHECK(job_take(state));
    atom_store_rlx(&state->to_call, leave(state, true));
}

/* One of another level comes by. */
static void
missed_thread(void *argument)
{
    struct state *state = argument;
    uint64_t now_ns = atom_load_rlx(&state->clock);
    switch (leat_bucket_enter(bucket_of(state), now_ns, 1, true)) {
    case LEAT_BUCKET_ARM:
        state->missed = true;
        timer_arm(state, now_ns);
        break;
    case LEAT_BUCKET_PASSED:
        break;
    case LEAT_BUCKET_FREE:
    case LEAT_BUCKET_SHUT:
        EXPLORE_CHECK(false);
    }
}

static void
clock_thread(void *argument)
{
    struct state *state = argument;
    atom_store_rlx(&state->clock, PER_NS);
}

/* Who was turned away is called, or there is no token for it before the timer calls. */
static void
missed_check(void *argument)
{
    struct state *state = argument;
    const struct leat_bucket *bucket = bucket_of(state);
    uint64_t word = atom_load_rlx(&bucket->word);
    uint64_t due_ns = atom_load_rlx(&state->armed);
    bool is_called = (atom_load_rlx(&state->to_call) & 1U << 1) != 0;
    EXPLORE_CHECK(leat_bucket_held(word) == (state->missed ? 0 : 1));
    EXPLORE_CHECK(!state->missed || is_called || !leat_bucket_missed(bucket, word, due_ns - 1));
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    struct scenario scenario;
    struct explore_model explore;
};

static const struct model models[] = {
    {.scenario = {.workers = 1, .ready = 2, .runs = 2, .burst = 1},
     .explore = {.name = "bucket_time", .threads = {worker_thread, timer_thread}, .servants = 1}},
    {.scenario = {.workers = 1, .ready = 3, .runs = 3, .burst = 2},
     .explore = {.name = "bucket_kept",
                 .threads = {worker_thread, timer_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .ready = 3, .wastes = 1, .runs = 3, .burst = 1},
     .explore = {.name = "bucket_waste",
                 .threads = {worker_thread, timer_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 2}},
    {.scenario = {.workers = 1, .ready = 1, .puts = 1, .runs = 2, .burst = 1},
     .explore = {.name = "bucket_put",
                 .threads = {worker_thread, timer_thread, put_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 1, .ready = 2, .runs = 2, .burst = 1, .changes = true},
     .explore = {.name = "bucket_rate",
                 .threads = {worker_thread, timer_thread, rate_thread},
                 .servants = 1,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.workers = 2, .ready = 2, .wastes = 2, .runs = 2, .burst = 1},
     .explore = {.name = "bucket_2w",
                 .threads = {worker_thread, worker_thread},
                 .servants = 3,
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.lenders = 2, .ready = 2, .runs = 2, .burst = 1},
     .explore = {.name = "bucket_lend",
                 .threads = {lend_thread, lend_thread},
                 .bounded = true,
                 .preemptions = 1}},
    {.scenario = {.lenders = 1, .burst = 1, .empty = true},
     .explore = {.name = "bucket_levels", .threads = {level_thread, level_thread, fire_thread}}},
    {.scenario = {.lenders = 1, .burst = 2, .taken = true},
     .explore = {.name = "bucket_missed", .threads = {taken_thread, missed_thread, clock_thread}}},
    {.scenario = {.lenders = 1, .burst = 1, .empty = true, .again = true},
     .explore = {.name = "bucket_again", .threads = {level_thread, level_thread, fire_thread}}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = models[i].explore;
        struct explore_counts counts;
        scenario = &models[i].scenario;
        model.state = &state_now;
        model.state_bytes = sizeof(state_now);
        model.setup = pool_setup;
        model.check = scenario->taken ? missed_check : pool_check;
        model.local = (void **)(void *)&current_worker;
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
