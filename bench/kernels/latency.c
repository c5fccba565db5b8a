/* latency.c - the sender of latency.h. It waits on the clock, without sleeping: a sleep would add
 * the wake of the sender to each sample. */
#include "bench/kernels/latency.h"

#include <stdlib.h>
#include <string.h>

#include "bench/kernels/thread.h"

/* Before the first item: the sender finds its CPU, the workers find that there is nothing. */
#define LEAD_NS UINT64_C(1000000)

/* What becomes of the items. The sender writes sent_ns only, so that no line goes to and fro. */
struct samples {
    leat_atomic_u64 *started_ns; /* 0: not yet */
    uint64_t *sent_ns;
    uint64_t count;
    uint64_t begin_ns; /* when the first one is due */
    uint64_t period_ns;
};

static void
started(void *argument)
{
    leat_atomic_u64 *started_ns = argument;
    atom_store_rel(started_ns, leat_os_monotonic_ns());
}

static uint64_t
due_ns(const struct samples *samples, uint64_t item)
{
    return samples->begin_ns + item * samples->period_ns;
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = 0;
    uint64_t y = 0;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

/* The least value that at least part / 10 000 of all values do not exceed. Sorts them. */
static struct bench_percentiles
percentiles_of(uint64_t *values, uint64_t count)
{
    static const uint64_t parts[] = {5000, 9000, 9900, 9990, 9999};
    uint64_t found[sizeof(parts) / sizeof(parts[0])];
    qsort(values, count, sizeof(*values), compare);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint64_t rank = (count * parts[i] + 9999) / 10000;
        found[i] = values[rank - 1];
    }
    struct bench_percentiles percentiles = {found[0], found[1], found[2],
                                            found[3], found[4], values[count - 1]};
    return percentiles;
}

/* Returns when the last item has started. */
static void
send_all(struct bench_pool *pool, const struct samples *samples)
{
    for (uint64_t i = 0; i < samples->count; i++) {
        uint64_t now_ns = leat_os_monotonic_ns();
        while (now_ns < due_ns(samples, i)) {
            leat_pause();
            now_ns = leat_os_monotonic_ns();
        }
        samples->sent_ns[i] = now_ns;
        bench_pool_call(pool, started, &samples->started_ns[i]);
    }
    for (uint64_t i = 0; i < samples->count; i++) {
        while (atom_load_acq(&samples->started_ns[i]) == 0) {
            bench_wait(bench_pool_crowded(pool), 1);
        }
    }
}

struct bench_latency
bench_latency_run(struct bench_pool *pool, uint64_t count, uint64_t period_ns)
{
    LEAT_ASSERT(count >= 1);
    struct samples samples = {.started_ns = malloc(count * sizeof(*samples.started_ns)),
                              .sent_ns = malloc(count * sizeof(*samples.sent_ns)),
                              .count = count,
                              .period_ns = period_ns};
    LEAT_ASSERT(samples.started_ns != NULL);
    LEAT_ASSERT(samples.sent_ns != NULL);
    /* No page is met for the first time while it counts. */
    for (uint64_t i = 0; i < count; i++) {
        atom_init(&samples.started_ns[i], 0);
        samples.sent_ns[i] = 0;
    }
    cpu_set_t before;
    bench_pin_last(&before);
    samples.begin_ns = leat_os_monotonic_ns() + LEAD_NS;
    send_all(pool, &samples);
    bench_unpin(&before);

    struct bench_latency latency;
    uint64_t *values = samples.sent_ns;
    for (uint64_t i = 0; i < count; i++) {
        values[i] -= due_ns(&samples, i);
    }
    latency.late_ns = percentiles_of(values, count);
    for (uint64_t i = 0; i < count; i++) {
        values[i] = atom_load_acq(&samples.started_ns[i]) - due_ns(&samples, i);
    }
    latency.start_ns = percentiles_of(values, count);
    free(samples.sent_ns);
    free(samples.started_ns);
    return latency;
}
