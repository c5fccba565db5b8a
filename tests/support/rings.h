/* rings.h - the ring family as a table, so that one test or campaign runs on every algorithm; and
 * rings that are wrong on purpose, with which a test shows that it can fail. */
#ifndef TESTS_SUPPORT_RINGS_H
#define TESTS_SUPPORT_RINGS_H

#include "ring/slot.h"
#include "tests/support/prng.h"

struct test_ring_kind {
    const char *name;
    /* Full and empty are also answered while an operation of the other kind is half done. */
    bool busy_answers;
    size_t state_bytes;
    size_t (*bytes)(uint32_t slots_log2);
    void (*init)(void *state, const struct leat_ring_config *config);
    bool (*push)(void *state, uint32_t item);
    bool (*pop)(void *state, uint32_t *item);
    bool (*check)(const void *state, FILE *why);
};

struct test_ring {
    const struct test_ring_kind *kind;
    void *state;
};

/* Those that claim to be FIFO queues of exact capacity. */
extern const struct test_ring_kind test_rings[];
extern const size_t test_rings_count;

/* The packed ring, but now and then it loses an item, delivers one twice, lets one pass another, or
 * says empty though it is not. */
extern const struct test_ring_kind test_rings_faulty[];
extern const size_t test_rings_faulty_count;

/* The one behind leat_mpmc_*. */
const struct test_ring_kind *test_ring_default(void);
/* NULL: no ring, right or faulty, has that name. */
const struct test_ring_kind *test_ring_find(const char *name);

/* A ring of so many slots, empty. Its first position is 0, or shortly before the turn or the
 * position wraps, or anywhere. */
struct test_ring test_ring_create(const struct test_ring_kind *kind, uint32_t slots_log2,
                                  struct test_prng *prng);
/* Checks the ring first: nobody uses it any more. */
void test_ring_destroy(struct test_ring ring);

#endif
