/* model_turn.c - the turn-per-slot ring explored, see ring_body.h. It is BLOCKING: an answer of
 * full or empty may come from a call of the other kind that is under way. Holds I1, I2 and all
 * edges. */
#include "ring/turn.h"

#define RING(name) leat_turn##name
#define RING_NAME  "turn"
#define RING_EXACT NONE_EXACT
#include "tests/model/ring_body.h"

static const struct model models_own[] = {
    HISTORY("2p1c_3", BEFORE_WRAP, "++", "++", "---"),
    HISTORY("2p2c_2", BEFORE_WRAP, "++", "++", "-", "-"),
};

int
main(void)
{
    return MODELS_RUN(models_common) + MODELS_RUN(models_own) == 0 ? 0 : 1;
}
