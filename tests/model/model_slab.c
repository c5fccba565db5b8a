/* model_slab.c - every interleaving of two or three threads over a slab of one to three records,
 * with C11 memory.
 *
 * Each thread takes records, writes plain data into them and gives them back. Two owners at a
 * time, or an owner who does not know what the one before did (edge give:B -> take:A), are a data
 * race. Generations are odd while a record is in use and go up by two (I3); I1 and I2 are checked
 * at the end, when every record can be taken once more.
 *
 * "None" is exact: it is justified only if the others can have held all records at one moment. Each
 * other thread was somewhere between the last thing that this one knows of it and the first thing
 * that knows of the answer; the most that each held in between must make up the capacity.
 */
#include <stdio.h>

#include "ring/slab.h"
#include "tests/support/explore.h"

#define RECORDS_MAX 4
#define STEPS_MAX   16

/* ---- what happened -------------------------------------------------------------------------- */

/* One take or give of a thread. */
struct step {
    struct explore_event end;
    uint8_t knew[EXPLORE_THREADS_MAX]; /* events of each thread when it began */
    uint8_t held;                      /* records afterwards */
    uint8_t within;                    /* the most at a time, of a trim */
    bool none;                         /* a take that found nothing */
};

struct scenario {
    uint32_t capacity;
    uint32_t shards;
    uint32_t rounds;         /* of each thread: take, use, give */
    uint32_t more;           /* rounds of the first thread only */
    uint32_t hold;           /* records that a thread holds at a time */
    uint64_t generation;     /* of a record never used */
    uint32_t uses_to_retire; /* of each record; 0: far away */
    bool used;               /* all records were given back to the first shard */
    bool inside;             /* links stand in the records */
    bool several;            /* a thread takes and gives what it holds at once */
    bool trimmed;            /* the last thread trims, */
    bool uses_first;         /* behind its rounds */
    bool deep;               /* see explore.h */
};

struct record {
    uint64_t generation; /* plain: of its last use; or the link */
    uint64_t mark;       /* plain */
};

struct state {
    struct leat_slab slab;
    struct step steps[EXPLORE_THREADS_MAX][STEPS_MAX];
    uint8_t steps_count[EXPLORE_THREADS_MAX];
    uint8_t held[EXPLORE_THREADS_MAX];
    uint8_t released; /* by a trim */
};

static struct state state_now;
static const struct scenario *scenario;

static struct step *
step_begin(struct state *state)
{
    uint32_t self = explore_thread();
    struct step *step = &state->steps[self][state->steps_count[self]];
    state->steps_count[self]++;
    for (uint8_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        struct explore_event event = {.thread = i, .number = 1};
        while (i != self && explore_knows(event)) {
            step->knew[i] = event.number;
            event.number++;
        }
    }
    return step;
}

static void
step_end(struct state *state, struct step *step, bool none)
{
    step->held = state->held[explore_thread()];
    step->none = none;
    step->end = explore_event();
}

/* The most records that a thread can have held at a moment when `self` was inside `answer`. */
static uint32_t
held_most(const struct state *state, uint32_t thread, uint32_t self, const struct step *answer)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < state->steps_count[thread]; i++) {
        const struct step *step = &state->steps[thread][i];
        bool before = step->end.number <= answer->knew[thread];
        bool after = answer->end.number <= step->knew[self];
        if (before) {
            most = step->held; /* at least there */
        } else if (!after) {
            most = most > step->held ? most : step->held;
            most = most > step->within ? most : step->within;
        }
    }
    return most;
}

static void
nones_check(const struct state *state)
{
    for (uint32_t i = 0; i < EXPLORE_THREADS_MAX; i++) {
        for (uint32_t j = 0; j < state->steps_count[i]; j++) {
            const struct step *answer = &state->steps[i][j];
            uint32_t held = answer->held;
            for (uint32_t k = 0; k < EXPLORE_THREADS_MAX; k++) {
                held += k != i ? held_most(state, k, i, answer) : 0;
            }
            EXPLORE_CHECK(!answer->none || held >= scenario->capacity);
        }
    }
}

/* ---- threads -------------------------------------------------------------------------------- */

/* What the owner of a record does: nobody else may be there. */
static void
record_use(struct state *state, uint32_t index)
{
    struct record *record = leat_slab_record(&state->slab, index);
    if (scenario->inside) {
        /* What a take that comes too late may read for a link. */
        uint64_t link = index == 0 ? scenario->capacity : index;
        atom_store_rlx((leat_atomic_u64 *)(void *)record, link); /* rlx: ordered by give:B */
        explore_plain_write(&record->mark, "record");
        return;
    }
    uint64_t word = atom_load_rlx(leat_slab_word(&state->slab, index)); /* rlx: single writer */
    uint64_t generation = leat_word_generation(word);
    explore_plain_write(record, "record");
    EXPLORE_CHECK(generation % 2 == 1);
    EXPLORE_CHECK(record->generation == 0 ? generation == scenario->generation + 1
                                          : generation == record->generation + 2);
    record->generation = generation;
}

static void
slab_setup(void *argument)
{
    struct state *state = argument;
    struct leat_slab_config config = {.capacity = scenario->capacity,
                                      .shards = scenario->shards,
                                      .record_bytes = sizeof(struct record),
                                      .generation_start = scenario->generation,
                                      .without_ids = scenario->inside,
                                      .link_inside = scenario->inside};
    EXPLORE_CHECK(leat_slab_init(&state->slab, &config));
    uint32_t indices[RECORDS_MAX] = {0};
    for (uint32_t i = 0; i < scenario->capacity && scenario->used; i++) {
        EXPLORE_CHECK(leat_slab_take(&state->slab, i, &indices[i]));
        record_use(state, indices[i]);
    }
    for (uint32_t i = 0; i < scenario->capacity && scenario->used; i++) {
        leat_slab_give(&state->slab, 0, indices[i]);
    }
}

static bool
record_take(struct state *state, uint32_t *index)
{
    uint32_t self = explore_thread();
    struct step *step = step_begin(state);
    bool taken = leat_slab_take(&state->slab, self, index);
    state->held[self] = (uint8_t)(state->held[self] + (taken ? 1U : 0U));
    step_end(state, step, !taken);
    if (taken) {
        EXPLORE_CHECK(*index < scenario->capacity);
        record_use(state, *index);
    }
    return taken;
}

static void
record_give(struct state *state, uint32_t index)
{
    uint32_t self = explore_thread();
    struct step *step = step_begin(state);
    leat_slab_give(&state->slab, self, index);
    state->held[self]--;
    step_end(state, step, false);
}

static void
hold_one_by_one(struct state *state)
{
    uint32_t indices[RECORDS_MAX] = {0};
    uint32_t count = 0;
    while (count < scenario->hold && record_take(state, &indices[count])) {
        count++;
    }
    for (uint32_t j = 0; j < count; j++) {
        record_give(state, indices[j]);
    }
}

/* Fewer than wanted is an answer like "none". */
static void
hold_several(struct state *state)
{
    uint32_t self = explore_thread();
    uint32_t indices[RECORDS_MAX] = {0};
    struct step *step = step_begin(state);
    uint32_t count = leat_slab_take_n(&state->slab, self, indices, scenario->hold);
    EXPLORE_CHECK(count <= scenario->hold);
    state->held[self] = (uint8_t)(state->held[self] + count);
    step_end(state, step, count < scenario->hold);
    for (uint32_t j = 0; j < count; j++) {
        EXPLORE_CHECK(indices[j] < scenario->capacity);
        record_use(state, indices[j]);
    }
    if (count != 0) {
        step = step_begin(state);
        leat_slab_give_n(&state->slab, self, indices, count);
        state->held[self] = (uint8_t)(state->held[self] - count);
        step_end(state, step, false);
    }
}

static void
user_thread(void *argument)
{
    struct state *state = argument;
    uint32_t rounds = scenario->rounds + (explore_thread() == 0 ? scenario->more : 0);
    for (uint32_t i = 0; i < rounds; i++) {
        if (scenario->several) {
            hold_several(state);
        } else {
            hold_one_by_one(state);
        }
    }
}

/* The memory behind free records is nobody's: whoever is at one now is a race. */
static void
record_release(void *context, uint32_t first, uint32_t count)
{
    struct state *state = context;
    EXPLORE_CHECK(first + count <= scenario->capacity);
    for (uint32_t i = first; i < first + count; i++) {
        explore_plain_write(leat_slab_record(&state->slab, i), "record");
    }
    state->released = (uint8_t)(state->released + count);
}

static void
trim_thread(void *argument)
{
    struct state *state = argument;
    struct leat_slab_trim trim;
    bool more = true;
    if (scenario->uses_first) {
        user_thread(argument);
    }
    leat_slab_trim_begin(&state->slab, &trim);
    while (more) {
        struct step *step = step_begin(state);
        more = leat_slab_trim_step(&state->slab, &trim, 1, record_release, state);
        step->within = LEAT_SLAB_RUN << LEAT_SLAB_UNIT_LOG2;
        step_end(state, step, false);
    }
}

static void
slab_check(void *argument)
{
    struct state *state = argument;
    struct leat_slab *slab = &state->slab;
    EXPLORE_CHECK(leat_slab_check(slab, 0, stdout));
    if (scenario->uses_to_retire == 0) {
        nones_check(state);
    }
    uint32_t retired = atom_load_rlx(&slab->retired); /* rlx: not shared yet */
    uint32_t index = 0;
    uint32_t seen = 0;
    for (uint32_t i = 0; i < scenario->capacity - retired; i++) {
        EXPLORE_CHECK(leat_slab_take(slab, 0, &index));
        EXPLORE_CHECK((seen >> index & 1) == 0);
        seen |= 1U << index;
    }
    EXPLORE_CHECK(!leat_slab_take(slab, 0, &index));
    EXPLORE_CHECK(leat_slab_check(slab, scenario->capacity - retired, stdout));
}

/* ---- all ------------------------------------------------------------------------------------ */

struct model {
    const char *name;
    uint32_t threads;
    struct scenario scenario;
};

/* The longest last: whoever looks for a fault finds it sooner. */
static const struct model models[] = {
    {"slab_2t_1r", 2, {.capacity = 1, .shards = 1, .rounds = 2, .hold = 1}},
    {"slab_2t_2r", 2, {.capacity = 2, .shards = 1, .rounds = 2, .hold = 1}},
    {"slab_2t_2r_hold", 2, {.capacity = 2, .shards = 1, .rounds = 1, .hold = 2}},
    {"slab_2t_2r_shards", 2, {.capacity = 2, .shards = 2, .rounds = 2, .hold = 1}},
    {"slab_trim_2r",
     2,
     {.capacity = 2,
      .shards = 1,
      .rounds = 1,
      .more = 1,
      .hold = 1,
      .used = true,
      .trimmed = true}},
    {"slab_trim_2r_hold",
     2,
     {.capacity = 2, .shards = 1, .rounds = 1, .hold = 2, .used = true, .trimmed = true}},
    {"slab_trim_1r_user",
     2,
     {.capacity = 1,
      .shards = 1,
      .rounds = 1,
      .hold = 1,
      .used = true,
      .trimmed = true,
      .uses_first = true}},
    {"slab_trim_3r_shards",
     2,
     {.capacity = 3, .shards = 2, .rounds = 1, .hold = 2, .used = true, .trimmed = true}},
    {"slab_2t_2r_used", 2, {.capacity = 2, .shards = 1, .rounds = 2, .hold = 1, .used = true}},
    {"slab_2t_2r_used_shards",
     2,
     {.capacity = 2, .shards = 2, .rounds = 2, .hold = 1, .used = true}},
    {"slab_2t_2r_search",
     2,
     {.capacity = 2, .shards = 2, .rounds = 1, .more = 3, .hold = 1, .used = true}},
    {"slab_2t_3r", 2, {.capacity = 3, .shards = 1, .rounds = 1, .hold = 2}},
    {"slab_3t_2r", 3, {.capacity = 2, .shards = 1, .rounds = 1, .hold = 1}},
    {"slab_2t_retire",
     2,
     {.capacity = 1,
      .shards = 1,
      .rounds = 2,
      .hold = 1,
      .generation = LEAT_GENERATION_LAST - 3,
      .uses_to_retire = 2}},
    {"slab_2t_2r_inside",
     2,
     {.capacity = 2, .shards = 1, .rounds = 2, .hold = 1, .used = true, .inside = true}},
    {"slab_2t_3r_several",
     2,
     {.capacity = 3, .shards = 1, .rounds = 1, .hold = 2, .used = true, .several = true}},
    {"slab_2t_3r_several_inside",
     2,
     {.capacity = 3,
      .shards = 1,
      .rounds = 1,
      .more = 1,
      .hold = 2,
      .used = true,
      .inside = true,
      .several = true}},
    {"slab_trim_4r",
     2,
     {.capacity = 4, .shards = 1, .rounds = 1, .hold = 4, .used = true, .trimmed = true}},
    {"slab_trim_3t_2r_deep",
     3,
     {.capacity = 2,
      .shards = 1,
      .rounds = 1,
      .hold = 1,
      .used = true,
      .trimmed = true,
      .deep = true}},
    {"slab_3t_2r_used", 3, {.capacity = 2, .shards = 1, .rounds = 1, .hold = 1, .used = true}},
};

int
main(void)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        struct explore_model model = {.name = models[i].name,
                                      .state = &state_now,
                                      .state_bytes = sizeof(state_now),
                                      .setup = slab_setup,
                                      .check = slab_check,
                                      .deep = models[i].scenario.deep};
        struct explore_counts counts;
        scenario = &models[i].scenario;
        for (uint32_t j = 0; j < models[i].threads; j++) {
            bool trims = models[i].scenario.trimmed && j == models[i].threads - 1;
            model.threads[j] = trims ? trim_thread : user_thread;
        }
        wrong += explore(&model, &counts) ? 0 : 1;
    }
    return wrong == 0 ? 0 : 1;
}
