/* slab.c - the loop of slab.h, over a slab of the shape that a pool's tasks have. */
#include "bench/kernels/slab.h"

#include <stdlib.h>

#include "bench/kernels/machine.h"
#include "ring/os.h"
#include "ring/slab.h"

/* Enough for every record to come round; the pool's default is larger, which changes nothing here,
 * since records are not used beyond the rotation. */
#define CAPACITY     16384
#define RECORD_BYTES 16

struct bench_slab {
    struct leat_slab slab;
};

struct bench_slab *
bench_slab_create(void)
{
    size_t bytes = leat_round_up(sizeof(struct bench_slab), LEAT_LINE_BYTES);
    struct bench_slab *made = aligned_alloc(LEAT_LINE_BYTES, bytes);
    LEAT_ASSERT(made != NULL);
    uint32_t cpus = bench_cpus();
    struct leat_slab_config config = {.capacity = CAPACITY,
                                      .shards =
                                          cpus < LEAT_SLAB_SHARDS_MAX ? cpus : LEAT_SLAB_SHARDS_MAX,
                                      .record_bytes = RECORD_BYTES,
                                      .generation_start = 0};
    bool ready = leat_slab_init(&made->slab, &config);
    LEAT_ASSERT(ready);
    return made;
}

void
bench_slab_destroy(struct bench_slab *slab)
{
    leat_slab_fini(&slab->slab);
    free(slab);
}

uint64_t
bench_slab_solo(struct bench_slab *slab, uint64_t count)
{
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < count; i++) {
        /* As a submit and a worker do: each looks up its CPU. */
        uint32_t index = 0;
        if (!leat_slab_take(&slab->slab, leat_os_cpu(), &index)) {
            return 0;
        }
        leat_slab_give(&slab->slab, leat_os_cpu(), index);
    }
    return leat_os_monotonic_ns() - begin_ns;
}
