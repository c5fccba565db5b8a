/* model_spsc.c - the ring for one producer and one consumer explored, see ring_body.h. Full and
 * empty may come from a call of the other side that is under way. Holds I1, I2 and all edges. */
#include "ring/spsc.h"

#define RING(name) leat_spsc##name
#define RING_NAME  "spsc"
#define RING_EXACT NONE_EXACT
#define RING_ONE   1
#include "tests/model/ring_body.h"

/* Two at once, in both directions: what comes out is what went in, and its plain data is there. */
static void
push_n_thread(void *argument)
{
    struct state *state = argument;
    uint32_t next = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t items[2] = {next, next + 1};
        for (uint32_t j = 0; j < 2; j++) {
            explore_plain_write(&state->payload[items[j]], "payload");
            state->payload[items[j]] = items[j] + 1;
        }
        next += leat_spsc_push_n(&state->ring, items, 2);
    }
}

static void
pop_n_thread(void *argument)
{
    struct state *state = argument;
    uint32_t next = 0;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t items[2] = {0};
        uint32_t count = leat_spsc_pop_n(&state->ring, items, 2);
        for (uint32_t j = 0; j < count; j++) {
            EXPLORE_CHECK(items[j] == next);
            explore_plain_read(&state->payload[next], "payload");
            EXPLORE_CHECK(state->payload[next] == next + 1);
            next++;
        }
    }
}

static const struct model models_own[] = {
    HISTORY("1p1c_6", BEFORE_WRAP, "++++++", "------"),
    HISTORY("look", BEFORE_WRAP, "+++", "--", "?#"),
    PROTOCOL("many", 0, push_n_thread, pop_n_thread),
};

int
main(void)
{
    return MODELS_RUN(models_common) + MODELS_RUN(models_own) == 0 ? 0 : 1;
}
