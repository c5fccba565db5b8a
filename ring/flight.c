/* flight.c - start and check of a flight recorder, see flight.h. */
#include "ring/flight.h"

#include <inttypes.h>

#include "ring/limits.h"

/* No position of a record. */
#define NONE UINT64_MAX

size_t
leat_flight_bytes(uint32_t slots_log2)
{
    LEAT_ASSERT(slots_log2 >= 1);
    LEAT_ASSERT(slots_log2 <= LEAT_FLIGHT_SLOTS_LOG2_MAX);
    return sizeof(struct leat_flight_slot) << slots_log2;
}

void
leat_flight_init(struct leat_flight *flight, uint32_t slots_log2, void *memory, uint64_t start)
{
    LEAT_ASSERT(slots_log2 >= 1);
    LEAT_ASSERT(slots_log2 <= LEAT_FLIGHT_SLOTS_LOG2_MAX);
    LEAT_ASSERT(memory != NULL);
    flight->slots = memory;
    flight->mask = (UINT64_C(1) << slots_log2) - 1;
    atom_init(&flight->end, start);
}

static uint64_t
first_word(const struct leat_flight *flight, uint64_t at)
{
    return atom_load_rlx(&flight->slots[at & flight->mask].words[0]); /* rlx: not shared yet */
}

bool
leat_flight_check(const struct leat_flight *flight, FILE *why)
{
    uint64_t end = atom_load_rlx(&flight->end); /* rlx: not shared yet */
    uint64_t slots = flight->mask + 1;
    uint64_t oldest = end < slots ? 0 : end - slots;
    uint64_t wrong = NONE;
    for (uint64_t at = oldest + 1; at < end && wrong == NONE; at++) {
        wrong = first_word(flight, at) < first_word(flight, at - 1) ? at : NONE;
    }
    for (uint64_t at = end; at < slots && wrong == NONE; at++) {
        wrong = first_word(flight, at) != 0 ? at : NONE;
    }
    if (wrong != NONE && why != NULL) {
        (void)fprintf(why, "flight: record %" PRIu64 " of %" PRIu64 " is out of order\n", wrong,
                      end);
    }
    return wrong == NONE;
}
