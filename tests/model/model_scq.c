/* model_scq.c - the SCQ ring explored, see ring_body.h. Empty is exact; full may come from a push
 * or a pop that is under way. Holds I1, I2 and all edges. */
#include "ring/scq.h"

#define RING(name) leat_scq##name
#define RING_NAME  "scq"
#define RING_EXACT EMPTY_EXACT
#define RING_DEEP  true
#include "tests/model/ring_body.h"

static const struct model models_own[] = {
    /* From the highest threshold to below 0 while a push looks at it. */
    {.scenario = {.threads = {"+-", "------"}, .start = BEFORE_WRAP, .used = 1},
     .explore = {.name = "scq_threshold", .check = history_check}},
    /* The same by two, who know nothing of each other. */
    {.scenario = {.threads = {"+-", "-", "-----"}, .start = BEFORE_WRAP, .used = 1},
     .explore =
         {.name = "scq_threshold_2", .check = history_check, .bounded = true, .preemptions = 1}},
    HISTORY("both_1", BEFORE_WRAP, "+-", "-+"),
    HISTORY("both_2", BEFORE_WRAP, "+-+", "-+"),
    HISTORY("ready_1", BEFORE_WRAP, "+-", "+", "?"),
    HISTORY("count_1", BEFORE_WRAP, "+-", "+", "#"),
    HISTORY("1p1c_3", BEFORE_WRAP, "+++", "---"),
};

int
main(void)
{
    return MODELS_RUN(models_common) + MODELS_RUN(models_own) == 0 ? 0 : 1;
}
