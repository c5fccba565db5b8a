/* sights.c - how long jobs are in their states, see sights.h. */
#include "engine/sights.h"

#include "engine/engine_internal.h"
#include "ring/os.h"

#define TIME_MASK       ((UINT64_C(1) << LEAT_SIGHT_TIME_BITS) - 1)
#define PHASE_BITS      4
#define ATTEMPT_BITS    6
#define GENERATION_BITS 20

LEAT_STATIC(GENERATION_BITS + ATTEMPT_BITS + PHASE_BITS + LEAT_SIGHT_TIME_BITS == 64,
            "a sight is a word");
LEAT_STATIC(LEAT_WORD_PHASE >> PHASE_BITS == 0, "a phase has its bits");
LEAT_STATIC(LEAT_WORD_ATTEMPT >> LEAT_WORD_ATTEMPT_SHIFT >> ATTEMPT_BITS == 0,
            "an attempt has its bits");

static leat_atomic_u64 *
words_of(const struct leat_engine *engine)
{
    /* sights:A acquire -> sights:B.  Carries: that all words are 0.
     * If relaxed: nothing on any machine that maps pages of zeros. */
    return atom_load_acq(&engine->sights);
}

static size_t
words_bytes(const struct leat_engine *engine)
{
    return sizeof(leat_atomic_u64) * engine->jobs.capacity;
}

bool
leat_sights_make(struct leat_engine *engine)
{
    if (words_of(engine) != NULL) {
        return true;
    }
    void *words = leat_os_map(words_bytes(engine));
    if (words == NULL) {
        return false;
    }
    void *none = NULL;
    /* sights:B release -> sights:A.  Carries: as sights:A.
     * If relaxed: as sights:A. */
    if (!atom_cas_rel(&engine->sights, &none, words)) {
        leat_os_unmap(words, words_bytes(engine)); /* two first ones met here */
    }
    return true;
}

size_t
leat_sights_resident(const struct leat_engine *engine)
{
    void *words = words_of(engine);
    return words == NULL ? 0 : leat_os_resident(words, words_bytes(engine));
}

void
leat_sights_fini(struct leat_engine *engine)
{
    leat_os_unmap(words_of(engine), words_bytes(engine));
}

/* What is seen, above the bits of the time. */
static uint64_t
sight_of(uint64_t word)
{
    uint64_t seen = leat_word_generation(word) >> 1; /* in use, so odd */
    seen = seen << ATTEMPT_BITS | (word & LEAT_WORD_ATTEMPT) >> LEAT_WORD_ATTEMPT_SHIFT;
    seen = seen << PHASE_BITS | (word & LEAT_WORD_PHASE);
    return seen << LEAT_SIGHT_TIME_BITS;
}

uint64_t
leat_sights_look(const struct leat_engine *engine, uint32_t index, uint64_t word, uint64_t now_ns)
{
    leat_atomic_u64 *place = &words_of(engine)[index];
    uint64_t before = atom_load_rlx(place); /* rlx: statistic */
    uint64_t seen = sight_of(word);
    uint64_t now = now_ns >> LEAT_SIGHT_NS_LOG2;
    if ((before & ~TIME_MASK) != seen) {
        atom_store_rlx(place, seen | (now & TIME_MASK)); /* rlx: statistic */
        return 0;
    }
    uint64_t steps = (now - before) & TIME_MASK;
    /* The first step may have been nearly over when it was seen. Where another thread's look was
     * later than this one's time, it is none. */
    bool behind = steps > TIME_MASK / 2;
    return steps == 0 || behind ? 0 : (steps - 1) << LEAT_SIGHT_NS_LOG2;
}
