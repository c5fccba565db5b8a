/* model_packed.c - the packed-slot ring explored, see ring_body.h: linearisable with every answer
 * exact. Beyond that its own: hints that fell back by laps, in setup and by a thread that sleeps in
 * front of its store, on rings of two and of four slots; leat_packed_find() is on the way of all of
 * them. Holds I1 to I4 and all edges. */
#include "ring/packed.h"

#define RING(name) leat_packed##name
#define RING_NAME  "packed"
#define RING_EXACT ALL_EXACT
#define RING_HINTS_BACK(ring, tail_back, head_back)                                                \
    do {                                                                                           \
        (void)atom_sub_rlx(&(ring)->tail, (tail_back)); /* rlx: not shared yet */                  \
        (void)atom_sub_rlx(&(ring)->head, (head_back)); /* rlx: not shared yet */                  \
    } while (0)
#include "tests/model/ring_body.h"

#define BACK(model_name, ...)                                                                      \
    {                                                                                              \
        .scenario = {.start = BEFORE_WRAP, __VA_ARGS__}, .explore = {                              \
            .name = "packed_" model_name,                                                          \
            .check = history_check                                                                 \
        }                                                                                          \
    }

/* The other may be quicker. */
static void
note_and_try_thread(void *argument)
{
    struct state *state = argument;
    uint32_t item = 0;
    note_write(state);
    (void)RING(_pop)(&state->ring, &item);
}

/* Empty: the only item is gone, and what its consumer did before is known. */
static void
pop_and_read_thread(void *argument)
{
    struct state *state = argument;
    uint32_t item = 0;
    if (!RING(_pop)(&state->ring, &item)) {
        note_read(state);
    }
}

static void
note_and_push_thread(void *argument)
{
    struct state *state = argument;
    note_write(state);
    (void)RING(_push)(&state->ring, 1);
}

/* Full: the last slot is taken, and what its producer did before is known. */
static void
full_and_read_thread(void *argument)
{
    struct state *state = argument;
    if (!RING(_push)(&state->ring, 0)) {
        note_read(state);
    }
}

static const struct model models_own[] = {
    PROTOCOL("empty_done", 1, note_and_try_thread, pop_and_read_thread),
    PROTOCOL("full_done", 1, note_and_push_thread, full_and_read_thread),
    /* Full and empty at once are one too many. */
    HISTORY("full_or_ready", BEFORE_WRAP, "+++", "-?"),
    HISTORY("full_or_count", BEFORE_WRAP, "+++", "-#"),
    /* A thread sleeps in front of its store, for up to two laps. */
    HISTORY("sleeper_tail", BEFORE_WRAP, "+", "-+-+-+-+"),
    HISTORY("sleeper_head", BEFORE_WRAP, "-", "+-+-+-+-"),
    HISTORY("sleepers", BEFORE_TURN_WRAP, "+-", "-+-+-+"),
    HISTORY("sleeper_full", BEFORE_WRAP, "+", "+-+-+", "+"),
    HISTORY("sleeper_empty", BEFORE_WRAP, "-+", "+-+-", "-"),
    HISTORY_DEEP(true, "2p2c_2", BEFORE_WRAP, "++", "++", "-", "-"),
    BACK("back_lap", .used = 8, .tail_back = 3, .head_back = 2, .threads = {"+-", "-+"}),
    BACK("back_laps", .used = 8, .tail_back = 8, .head_back = 7, .threads = {"+-", "-+"}),
    BACK("back_full", .used = 8, .filled = 2, .tail_back = 7, .head_back = 5,
         .threads = {"+", "-+", "+"}),
    BACK("back_empty", .used = 8, .tail_back = 5, .head_back = 7, .threads = {"-", "+-", "-"}),
    BACK("back_ready", .used = 8, .filled = 1, .tail_back = 5, .head_back = 7,
         .threads = {"-", "+-", "?#"}),
    BACK("back_4", .slots_log2 = 2, .used = 16, .filled = 2, .tail_back = 3, .head_back = 2,
         .threads = {"+-", "-+", "+"}),
    BACK("back_4_laps", .slots_log2 = 2, .used = 20, .filled = 3, .tail_back = 17, .head_back = 14,
         .threads = {"+-", "-+"}),
    BACK("back_4_full", .slots_log2 = 2, .used = 20, .filled = 4, .tail_back = 21, .head_back = 19,
         .threads = {"+-", "-+", "+"}),
    BACK("back_4_empty", .slots_log2 = 2, .used = 20, .tail_back = 18, .head_back = 19,
         .threads = {"-+", "+-", "?#"}),
};

int
main(void)
{
    return MODELS_RUN(models_common) + MODELS_RUN(models_own) == 0 ? 0 : 1;
}
