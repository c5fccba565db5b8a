/* engine.c - see engine.h. The look-through counts the places that have each record (a ring, a
 * worker's hand, a book of ended jobs) and compares with the record's word. */
#include "tests/support/engine.h"

#include <stdlib.h>

#include "engine/completion.h"
#include "engine/durable/internal.h"
#include "engine/events.h"
#include "engine/gather.h"
#include "engine/graph.h"
#include "engine/keys.h"
#include "engine/order.h"
#include "sched/posted.h"
#include "sched/wheel_internal.h"
#include "tests/support/check.h"

/* ---- small things --------------------------------------------------------------------------- */

struct leat_config
test_config(void)
{
    struct leat_config config = leat_config_default();
    config.workers = 1;
    config.pinning = LEAT_PIN_NONE;
    config.ring_slots = 64;
    config.tasks_max = 64;
    config.jobs_max = 64;
    config.types_max = 64;
    config.queues_max = 64;
    config.sample_interval = 1;
    config.retained_age_ns = 0; /* so nothing is due in an engine that rests */
    return config;
}

struct leat_engine *
test_open(const struct leat_config *config)
{
    struct leat_engine *engine = NULL;
    struct leat_error error;
    enum leat_status status = leat_open(config, &engine, &error);
    if (status != LEAT_OK) {
        test_say("leat_open: %s: %s\n", error.field, error.text);
    }
    CHECK_STATUS(status, LEAT_OK);
    CHECK(engine != NULL);
    return engine;
}

struct leat_engine *
test_start(const struct leat_config *config)
{
    struct leat_engine *engine = test_open(config);
    CHECK_OK(leat_start(engine));
    return engine;
}

void
test_close(struct leat_engine *engine)
{
    enum leat_engine_state state = test_state(engine);
    if (state != LEAT_ENGINE_OPEN && state != LEAT_ENGINE_STOPPED) {
        CHECK_OK(leat_stop(engine, LEAT_FOREVER));
    }
    if (engine->durable != NULL) {
        leat_durable_clean_stop(engine->durable); /* it holds the job that it copies */
    }
    test_engine_check(engine);
    CHECK_OK(leat_close(engine));
}

void
test_finish(struct leat_engine *engine)
{
    CHECK_OK(leat_drain(engine, LEAT_FOREVER));
    test_close(engine);
}

struct leat_statistics
test_statistics(struct leat_engine *engine)
{
    struct leat_statistics statistics = leat_statistics_default();
    CHECK_OK(leat_statistics_get(engine, &statistics));
    return statistics;
}

enum leat_engine_state
test_state(struct leat_engine *engine)
{
    enum leat_engine_state state = LEAT_ENGINE_OPEN;
    CHECK_OK(leat_state(engine, &state));
    return state;
}

struct leat_job_info
test_get(struct leat_engine *engine, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    CHECK_OK(leat_get(engine, id, &info));
    return info;
}

struct leat_job_info
test_wait(struct leat_engine *engine, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    CHECK_OK(leat_wait(engine, id, LEAT_FOREVER, &info));
    return info;
}

leat_type
test_register(struct leat_engine *engine, const char *name, leat_handler handler, void *context)
{
    leat_type type = {0};
    struct leat_type_options options = leat_type_options_default();
    const struct leat_retry_policy at_once = leat_retry_fixed(0);
    options.retry = &at_once;
    CHECK_OK(leat_type_register(engine, name, handler, context, &options, &type));
    return type;
}

static leat_job_id
submit(struct leat_engine *engine, leat_type type, uint32_t flags)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type = type;
    job.flags = flags;
    CHECK_OK(leat_submit(engine, &job, &id));
    CHECK(id.bits != 0);
    return id;
}

leat_job_id
test_submit_kept(struct leat_engine *engine, leat_type type)
{
    return submit(engine, type, LEAT_JOB_KEEP_RESULT);
}

leat_job_id
test_submit(struct leat_engine *engine, leat_type type)
{
    return submit(engine, type, 0);
}

void
test_cancel_unheld(struct leat_engine *engine, leat_job_id id)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < LEAT_HOLDS_MAX; i++) {
        CHECK_OK(leat_job_hold(engine, id, LEAT_HOLDS_MAX, &index));
    }
    CHECK_OK(leat_cancel(engine, id));
    for (uint32_t i = 0; i < LEAT_HOLDS_MAX; i++) {
        leat_job_unhold(engine, index);
    }
}

void
test_key_hash(struct leat_engine *engine, leat_job_id id, uint32_t hash)
{
    uint32_t index = 0;
    CHECK_OK(leat_job_locate(engine, id, &index));
    leat_job_extra(leat_job_record(engine, index))->key->hash = hash;
}

/* ---- looking through ------------------------------------------------------------------------ */

struct census {
    struct leat_engine *engine;
    unsigned char *jobs;  /* by index: places that have it */
    unsigned char *tasks; /* the same */
    uint32_t tasks_waiting;
    uint32_t chunks;
    uint32_t spawned;
    uint32_t posted;
    uint64_t waiting; /* jobs */
    uint64_t limited; /* those of queues with a limit */
    uint64_t limited_bytes;
    uint64_t heap_bytes; /* of payloads */
    uint64_t running;
    uint64_t scheduled;
    uint64_t retrying;
    uint64_t blocked;
    uint32_t in_use;
    uint32_t reserved[LEAT_COMPLETION_QUEUES_MAX]; /* slots of completion queues */
};

static uint64_t
job_word(const struct leat_engine *engine, uint32_t index)
{
    return atom_load_rlx(leat_slab_word(&engine->jobs, index));
}

static bool
waits(enum leat_phase phase)
{
    return phase == LEAT_PHASE_SCHEDULED || phase == LEAT_PHASE_RETRYING;
}

/* In another place than a wheel. What waits for a time is there only with a mark. */
static void
count_item(struct census *census, uint32_t item)
{
    uint32_t index = leat_item_index(item);
    CHECK(leat_item_kind(item) != LEAT_KIND_CHUNK);
    if (leat_item_kind(item) == LEAT_KIND_TASK) {
        CHECK(index < census->engine->pool.tasks.capacity);
        CHECK_EQUAL(census->tasks[index], 0);
        census->tasks[index] = 1;
        census->tasks_waiting++;
        return;
    }
    if (leat_item_kind(item) == LEAT_KIND_SPAWNED) {
        census->spawned++;
        return;
    }
    CHECK(index < census->engine->jobs.capacity);
    CHECK_EQUAL(census->jobs[index], 0);
    census->jobs[index] = 1;
    uint64_t word = job_word(census->engine, index);
    enum leat_phase phase = leat_word_phase(word);
    bool moved = waits(phase) && (word & LEAT_WORD_MOVED) != 0;
    CHECK(phase == LEAT_PHASE_PENDING || leat_phase_final(phase) || moved);
}

/* An item of a ring, or all those of a batch. */
static void
count_items(struct census *census, uint32_t item)
{
    struct leat_slab *chunks = &census->engine->pool.chunks;
    while (leat_item_kind(item) == LEAT_KIND_CHUNK) {
        uint32_t items[LEAT_CHUNK_ITEMS];
        uint32_t last = leat_chunk_read(leat_slab_record(chunks, leat_item_index(item)), items) - 1;
        for (uint32_t i = 0; i < last; i++) {
            count_item(census, items[i]);
        }
        census->chunks++;
        item = items[last];
    }
    count_item(census, item);
}

/* Takes the oldest item and puts it back behind the others: a ring of n is the same after n. */
static uint32_t
ring_turn(struct leat_mpmc *ring)
{
    uint32_t item = 0;
    CHECK(leat_mpmc_pop(ring, &item));
    CHECK(leat_mpmc_push(ring, item));
    return item;
}

/* The same for a local queue. */
static void
count_local(struct census *census, struct leat_local *local)
{
    CHECK(leat_local_check(local, stderr));
    uint64_t waiting = leat_local_count(local);
    for (uint64_t i = 0; i < waiting; i++) {
        uint32_t item = 0;
        CHECK(leat_local_pop(local, &item));
        CHECK(leat_local_push(local, item));
        count_items(census, item);
    }
}

static uint64_t
count_chain(struct census *census, uint32_t index)
{
    uint64_t count = 0;
    while (index != LEAT_INDEX_NONE) {
        count_item(census, leat_item_of(LEAT_KIND_JOB, index));
        index = atom_load_rlx(&leat_job_record(census->engine, index)->link_next);
        count++;
    }
    return count;
}

static leat_atomic_u32 *
link_of(void *context, uint32_t index)
{
    const struct leat_engine *engine = context;
    return &leat_job_record(engine, index)->link_next;
}

/* A job in exact order, and all below it. */
static uint64_t
count_heap(struct census *census, uint32_t index)
{
    struct leat_fifo_links links = {link_of, census->engine};
    struct leat_fifo below;
    uint64_t count = 0;
    leat_fifo_init(&below);
    do {
        const struct leat_heap_node *node = leat_order_node(census->engine, index);
        count_item(census, leat_item_of(LEAT_KIND_JOB, index));
        count++;
        if (node->left != LEAT_INDEX_NONE) {
            leat_fifo_push_back(&below, links, node->left);
        }
        if (node->right != LEAT_INDEX_NONE) {
            leat_fifo_push_back(&below, links, node->right);
        }
    } while (leat_fifo_pop_front(&below, links, &index));
    return count;
}

/* The heap, and what is left of one that is being swept. */
static uint64_t
count_exact(struct census *census, const struct leat_list *list)
{
    uint64_t under = 0;
    uint32_t root = list->jobs.count == 0 ? LEAT_INDEX_NONE : list->jobs.first;
    while (root != LEAT_INDEX_NONE) {
        uint32_t next = atom_load_rlx(&leat_job_record(census->engine, root)->link_next);
        under += count_heap(census, root);
        root = next;
    }
    CHECK_EQUAL(under, list->under);
    return under + (list->heap.count == 0 ? 0 : count_heap(census, list->heap.root));
}

/* What is listed at a level is what is counted there. */
static void
count_listed(struct census *census, uint32_t level)
{
    struct leat_pool *pool = &census->engine->pool;
    struct leat_lists *lists = &pool->lists[level];
    CHECK(leat_lists_check(pool, level, stderr));
    uint64_t listed = count_chain(census, atom_load_rlx(&lists->inbox.newest)) +
                      count_chain(census, lists->chain) + count_chain(census, lists->turned.first);
    uint64_t waiting = 0;
    for (uint32_t queue = 0; queue < pool->config.queues; queue++) {
        const struct leat_list *list = &lists->lists[queue];
        listed += list->returned.count == 0 ? 0 : count_chain(census, list->returned.first);
        listed += list->swept.count == 0 ? 0 : count_chain(census, list->swept.first);
        if ((atom_load_rlx(&pool->queues[queue].waiting[level]) & LEAT_LIST_EXACT) != 0) {
            listed += count_exact(census, list);
        } else {
            listed += list->jobs.count == 0 ? 0 : count_chain(census, list->jobs.first);
        }
        waiting += atom_load_rlx(&pool->queues[queue].waiting[level]) & LEAT_LIST_WAITING;
    }
    CHECK_EQUAL(listed, waiting);
}

static void
count_places(struct census *census)
{
    struct leat_pool *pool = &census->engine->pool;
    for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
        struct leat_mpmc *ring = &pool->rings[level];
        CHECK(leat_mpmc_check(ring, stderr));
        uint64_t waiting = leat_mpmc_count(ring);
        for (uint64_t i = 0; i < waiting; i++) {
            count_items(census, ring_turn(ring));
        }
        count_listed(census, level);
    }
    for (uint32_t i = 0; i < pool->places; i++) {
        struct leat_worker *worker = &pool->workers[i];
        for (uint32_t level = 0; level < LEAT_PRIORITY_LEVELS; level++) {
            if ((worker->held >> level & 1) != 0) {
                count_item(census, worker->hand[level]);
            }
            count_local(census, &worker->local[level]);
        }
        /* So that nobody takes the pool for quiet. */
        CHECK((worker->held != 0) == (atom_load_rlx(&worker->busy) != 0));
    }
}

/* What has a timer, or is on its way to or from one. */
static void
count_wheels(struct census *census)
{
    struct leat_engine *engine = census->engine;
    CHECK(leat_wheels_check(&engine->timers.wheels, stderr));
    for (uint32_t i = 0; i < engine->jobs.capacity; i++) {
        uint64_t timer = atom_load_rlx(&engine->timers.wheels.words[i]);
        enum leat_phase phase = leat_word_phase(job_word(engine, i));
        if ((timer & (LEAT_WHEEL_ARMED | LEAT_WHEEL_INBOX)) == 0) {
            continue;
        }
        CHECK_EQUAL(census->jobs[i], 0);
        census->jobs[i] = 1;
        CHECK(leat_phase_final(phase) || waits(phase) || leat_word_pending(job_word(engine, i)));
    }
}

/* What is gathered. */
static void
count_gathered(struct census *census)
{
    CHECK(leat_gathers_check(census->engine, stderr));
    const struct leat_gather *gather = atom_load_rlx(&census->engine->gathers);
    for (; gather != NULL; gather = gather->next) {
        for (uint32_t i = 0; i < gather->count; i++) {
            count_item(census, leat_item_of(LEAT_KIND_JOB, gather->indices[i]));
        }
    }
}

/* What waits for its key, or with it for a token. */
static void
count_keys(struct census *census)
{
    struct leat_engine *engine = census->engine;
    const struct leat_slab *jobs = &engine->jobs;
    uint32_t keys = 0;
    CHECK(leat_keys_check(engine, &keys, stderr));
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        bool in_use = (leat_word_generation(job_word(engine, i)) & 1) != 0;
        if (!in_use || !leat_keys_has(engine, i)) {
            continue;
        }
        const struct leat_key *key = leat_job_extra(leat_job_record(engine, i))->key;
        bool ended = leat_phase_final(leat_word_phase(job_word(engine, i)));
        uint32_t state = atom_load_rlx(&key->state);
        CHECK(!ended || state == LEAT_KEY_OUTSIDE);
        CHECK_EQUAL(atom_load_rlx(&key->asks), 0);
        keys -= state == LEAT_KEY_HOLDS ? 1 : 0;
        if (state == LEAT_KEY_WAITS || key->waits != 0) {
            count_item(census, leat_item_of(LEAT_KIND_JOB, i));
        }
    }
    CHECK_EQUAL(keys, 0);
}

/* What waits for other jobs, or did until it was ended. */
static void
count_blocked(struct census *census)
{
    struct leat_engine *engine = census->engine;
    const struct leat_slab *jobs = &engine->jobs;
    CHECK(leat_graph_check(engine, stderr));
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        uint64_t word = job_word(engine, i);
        if ((leat_word_generation(word) & 1) != 0 && leat_graph_waits(engine, i)) {
            CHECK_EQUAL(census->jobs[i], 0);
            census->jobs[i] = 1;
            CHECK(leat_word_phase(word) == LEAT_PHASE_BLOCKED ||
                  leat_phase_final(leat_word_phase(word)));
        }
    }
}

static void
count_kept(struct census *census, const struct leat_book *book, bool dead)
{
    uint64_t kept = 0;
    for (uint32_t i = 0; i < book->max; i++) {
        uint64_t id = leat_book_at(book, i);
        if (id == 0) {
            continue;
        }
        uint32_t index = (uint32_t)(id & LEAT_INDEX_NONE);
        uint64_t word = job_word(census->engine, index);
        enum leat_phase phase = leat_word_phase(word);
        CHECK_EQUAL(leat_word_generation(word), leat_word_generation(id));
        CHECK_EQUAL(census->jobs[index], 0);
        census->jobs[index] = 1;
        CHECK(leat_phase_final(phase));
        CHECK((phase == LEAT_PHASE_DEAD) == dead);
        kept++;
    }
    CHECK_EQUAL(kept, leat_book_count(book));
}

static void
check_word(struct census *census, uint32_t index)
{
    uint64_t word = job_word(census->engine, index);
    enum leat_phase phase = leat_word_phase(word);
    bool linked = (word & LEAT_WORD_LINKED) != 0;
    bool awaited = (word & LEAT_WORD_AWAITED) != 0 && !waits(phase);
    if ((leat_word_generation(word) & 1) == 0 || phase == LEAT_PHASE_GONE) {
        CHECK_EQUAL(census->jobs[index], 0);
        return;
    }
    uint32_t completion = atom_load_rlx(&leat_job_record(census->engine, index)->notice);
    if (completion != 0 && !leat_phase_final(phase)) {
        census->reserved[leat_completion_number(completion)]++;
    }
    census->in_use++;
    CHECK(linked == (census->jobs[index] == 1));
    bool uses = leat_graph_uses(census->engine, index);
    CHECK_EQUAL(word & LEAT_WORD_HOLDS, uses ? LEAT_WORD_HOLD : 0);
    CHECK_EQUAL(word & LEAT_WORD_CLAIMED, 0);
    CHECK(phase != LEAT_PHASE_FILLING);
    CHECK(awaited == (phase == LEAT_PHASE_RUNNING));
    CHECK(linked || awaited || uses || (word & LEAT_WORD_KEPT) != 0);
    census->blocked += phase == LEAT_PHASE_BLOCKED ? 1 : 0;
    census->waiting += phase == LEAT_PHASE_PENDING ? 1 : 0;
    census->scheduled += phase == LEAT_PHASE_SCHEDULED ? 1 : 0;
    census->retrying += phase == LEAT_PHASE_RETRYING ? 1 : 0;
    bool paid = phase == LEAT_PHASE_BLOCKED && leat_node_there(census->engine, index)->paid;
    bool pending = phase == LEAT_PHASE_PENDING;
    if (paid || (pending && leat_job_counted(leat_job_record(census->engine, index)))) {
        census->limited++;
        census->limited_bytes += leat_job_payload_bytes(leat_job_record(census->engine, index));
    }
    if (leat_payload_place(leat_job_record(census->engine, index)) == LEAT_PAYLOAD_HEAP) {
        census->heap_bytes += leat_job_payload_bytes(leat_job_record(census->engine, index));
    }
    census->running += phase == LEAT_PHASE_RUNNING ? 1 : 0;
}

/* What limits count is what waits, and what tenants count is that of their queues. */
static void
check_rooms(const struct census *census)
{
    const struct leat_engine *engine = census->engine;
    uint64_t tenants[2] = {0, 0}; /* jobs and bytes */
    uint64_t jobs = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < engine->config.queues_max; i++) {
        const struct leat_queue_room *room = &engine->rooms.queues[i];
        jobs += leat_quota_used(&room->room.jobs);
        bytes += leat_quota_used(&room->room.bytes);
        if (atom_load_rlx(&room->tenant) != 0) {
            tenants[0] += leat_quota_used(&room->room.jobs);
            tenants[1] += leat_quota_used(&room->room.bytes);
        }
    }
    for (uint32_t i = 0; i < engine->config.queues_max; i++) {
        tenants[0] -= leat_quota_used(&engine->tenants.rooms[i].room.jobs);
        tenants[1] -= leat_quota_used(&engine->tenants.rooms[i].room.bytes);
    }
    CHECK_EQUAL(jobs, census->limited);
    CHECK_EQUAL(bytes, census->limited_bytes);
    CHECK_EQUAL(tenants[0], 0);
    CHECK_EQUAL(tenants[1], 0);
    uint64_t counts = engine->config.payload_bytes_total_max != 0 ? census->heap_bytes : 0;
    CHECK_EQUAL(leat_quota_used(&engine->rooms.payloads), counts);
}

__attribute__((noinline)) static void
check_statistics(const struct census *census)
{
    struct leat_statistics sum = test_statistics(census->engine);
    CHECK_EQUAL(sum.jobs_waiting, census->waiting);
    CHECK_EQUAL(sum.jobs_scheduled, census->scheduled);
    CHECK_EQUAL(sum.jobs_retrying, census->retrying);
    CHECK_EQUAL(sum.jobs_blocked, census->blocked);
    check_rooms(census);
    CHECK_EQUAL(sum.jobs_running, census->running);
    CHECK_EQUAL(sum.tasks_waiting, census->tasks_waiting + census->posted);
    CHECK_EQUAL(sum.jobs_submitted + sum.dead_retried,
                sum.jobs_completed + sum.jobs_dead + sum.jobs_cancelled + sum.jobs_waiting +
                    sum.jobs_running + sum.jobs_scheduled + sum.jobs_retrying + sum.jobs_blocked);
    CHECK_EQUAL(sum.workers, census->engine->pool.places);
    CHECK_EQUAL(sum.workers_parked, 0);
}

static void
check_completions(const struct census *census)
{
    for (uint32_t i = 0; i < LEAT_COMPLETION_QUEUES_MAX; i++) {
        struct leat_completion_queue *queue = atom_load_rlx(&census->engine->completions[i]);
        uint32_t reserved = census->reserved[i];
        CHECK(queue == NULL ? reserved == 0 : leat_completion_check(queue, reserved, stderr));
    }
}

static void
count_posted(struct census *census)
{
    const struct leat_pool *pool = &census->engine->pool;
    for (uint32_t i = 0; i < pool->places; i++) {
        uint32_t count = 0;
        CHECK(leat_posted_check(&pool->workers[i], &count, stderr));
        census->posted += count;
    }
    CHECK(leat_slab_check(&pool->posted, census->posted, stderr));
}

static void
count_all(struct census *census)
{
    count_places(census);
    count_wheels(census);
    count_gathered(census);
    count_keys(census);
    count_blocked(census);
    count_posted(census);
    count_kept(census, &census->engine->finished, false);
    count_kept(census, &census->engine->dead, true);
}

void
test_engine_check(struct leat_engine *engine)
{
    if (engine->durable != NULL) { /* it holds a job now and then */
        leat_durable_clean_stop(engine->durable);
    }
    struct census census = {.engine = engine};
    census.jobs = calloc(engine->jobs.capacity, 1);
    census.tasks = calloc(engine->pool.tasks.capacity, 1);
    CHECK(census.jobs != NULL);
    CHECK(census.tasks != NULL);
    count_all(&census);
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        census.chunks += engine->pool.workers[i].chunks_spent.count;
    }
    const struct leat_slab *jobs = &engine->jobs;
    for (uint32_t i = leat_slab_next(jobs, 0); i < jobs->capacity;
         i = leat_slab_next(jobs, i + 1)) {
        check_word(&census, i);
    }
    CHECK(leat_slab_check(&engine->jobs, census.in_use, stderr));
    CHECK(leat_claims_check(&engine->claims, stderr));
    CHECK(leat_events_check(engine, stderr));
    CHECK(leat_slab_check(&engine->pool.tasks, census.tasks_waiting, stderr));
    CHECK(leat_slab_check(&engine->pool.chunks, census.chunks, stderr));
    CHECK(leat_slab_check(&engine->pool.spawned, census.spawned, stderr));
    for (uint32_t i = 0; i < engine->pool.places; i++) {
        CHECK(leat_deque_check(&engine->pool.workers[i].deque, stderr));
        CHECK(engine->pool.config.flight_slots_log2 == 0 ||
              leat_flight_check(&engine->pool.workers[i].flight, stderr));
        CHECK(!leat_deque_ready(&engine->pool.workers[i].deque));
        CHECK_EQUAL(engine->pool.workers[i].depth, 0);
    }
    check_completions(&census);
    uint64_t bytes = 0;
    CHECK(leat_footprint_check(engine, &bytes, stderr));
    CHECK(bytes <= leat_footprint_used(&engine->footprint));
    check_statistics(&census);
    free(census.jobs);
    free(census.tasks);
}
