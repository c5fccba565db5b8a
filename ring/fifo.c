/* fifo.c - the check of fifo.h. */
#include "ring/fifo.h"

#include <inttypes.h>

bool
leat_fifo_check(const struct leat_fifo *fifo, struct leat_fifo_links links, FILE *why)
{
    uint32_t last = LEAT_INDEX_NONE;
    uint32_t index = fifo->first;
    uint32_t count = 0;
    while (count < fifo->count && index < LEAT_INDEX_NONE) {
        last = index;
        index = leat_fifo_link(links, index);
        count++;
    }
    if (count == fifo->count && index == LEAT_INDEX_NONE && last == fifo->last) {
        return true;
    }
    if (why != NULL) {
        (void)fprintf(why,
                      "fifo: I1: %" PRIu32 " of %" PRIu32 " records, then %" PRIu32
                      "; the last is %" PRIu32 ", not %" PRIu32 "\n",
                      count, fifo->count, index, last, fifo->last);
    }
    return false;
}
