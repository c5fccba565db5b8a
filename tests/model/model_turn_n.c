/* model_turn_n.c - leat_turn_push_n() explored: the models of ring_body.h in which each push is a
 * batch of one, so that all edges of push_n are on their way. */
#include "ring/turn.h"

static bool
push_batch(struct leat_turn *ring, uint32_t item)
{
    return leat_turn_push_n(ring, &item, 1);
}

#define RING(name)     leat_turn##name
#define RING_NAME      "turn_n"
#define RING_EXACT     NONE_EXACT
#define RING_PUSH(...) push_batch(__VA_ARGS__)
#include "tests/model/ring_body.h"

int
main(void)
{
    return MODELS_RUN(models_common) == 0 ? 0 : 1;
}
