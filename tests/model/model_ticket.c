/* model_ticket.c - the ticket ring explored, see ring_body.h: linearisable with every answer exact.
 * Waits for a slot and for a credit are pauses of the explorer. Holds I1 to I3 and all edges. */
#include "ring/ticket.h"

#define RING(name) leat_ticket##name
#define RING_NAME  "ticket"
#define RING_EXACT ALL_EXACT
#define RING_DEEP  true
#include "tests/model/ring_body.h"

static const struct model models_own[] = {
    HISTORY("1p1c_3", BEFORE_WRAP, "+++", "---"),
    HISTORY("both_1", BEFORE_WRAP, "+-", "-+"),
    HISTORY("both_2", BEFORE_WRAP, "+-+", "-+"),
    HISTORY("ready_1", BEFORE_WRAP, "+-", "+", "?"),
    HISTORY("count_1", BEFORE_TURN_WRAP, "+-", "+", "#"),
    /* Full and empty at once are one too many. */
    HISTORY("full_or_ready", BEFORE_WRAP, "+++", "-?"),
    HISTORY("full_or_count", BEFORE_WRAP, "+++", "-#"),
};

int
main(void)
{
    return MODELS_RUN(models_common) + MODELS_RUN(models_own) == 0 ? 0 : 1;
}
