/* campaign_ring.c - any number of items through one ring: none lost, none twice, none out of order
 * (tests/support/stream.h, and when an item counts as what). Half of the threads push, the others
 * pop, and now and then some are stopped within a push or a pop, while the others go on, for many
 * laps maybe. In rounds: after each the ring must be empty and sound, and then it goes on as it
 * stands.
 *
 *   campaign_ring [--ops N] [--seed S] [--threads T] [--slots-log2 L] [--ring NAME]
 *
 * N may be written as 1e9; without it, the campaign is as long as a stress test. On a terminal it
 * shows how far it is. The last line says what was counted. Exit status: 0 all right; 1 something
 * was wrong, or nothing moved any more; 2 it cannot run like this. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/preempt.h"
#include "tests/support/prng.h"
#include "tests/support/rings.h"
#include "tests/support/stream.h"
#include "tests/support/threads.h"

/* Items of one round: the barrier between two costs little, and a watcher sees progress. */
#define ROUND_ITEMS (UINT32_C(1) << 20)
/* Items that a thread pushes in a row, at most. */
#define BURST_MAX 256
/* Pops between two exchanges of readers. */
#define EXCHANGE_POPS 64
/* As often a thread looks again at a full or empty ring, before it lets others have the CPU. */
#define SPINS 64
/* Between two stops of threads, at most: those that are stopped move little meanwhile. */
#define STOPS_APART_NS_MAX (UINT64_C(10) * TEST_MS)
/* No round takes so long, also with many threads under a sanitizer. */
#define STALL_NS (UINT64_C(60000) * TEST_MS)

/* Half of them on each side. */
#define THREADS_MAX 64

LEAT_STATIC(THREADS_MAX <= 2 * STREAM_PRODUCERS_MAX, "producers");
LEAT_STATIC(THREADS_MAX <= 2 * STREAM_READERS_MAX, "readers");

/* The largest integers that a double has all of: what 1e9 is read as. */
#define OPS_MAX 1e15

struct options {
    uint64_t ops; /* 0: as long as a stress test */
    uint64_t seed;
    uint32_t threads;
    uint32_t slots_log2;
    const struct test_ring_kind *kind;
};

struct campaign {
    struct options options;
    uint32_t producers;
    struct test_ring ring;
    struct stream stream;                  /* changes between two barriers, by one thread */
    uint32_t pushed[STREAM_PRODUCERS_MAX]; /* in this round, by its producer */
    uint64_t deadline_ns;
    bool sound;
    bool ending;
    pthread_barrier_t barrier;
    LEAT_ALIGNED_LINE leat_atomic_u32 producing; /* producers at work in this round */
    LEAT_ALIGNED_LINE leat_atomic_u64 moved;     /* items of the rounds that are over */
    leat_atomic_u32 stuck;                       /* nothing moves any more */
    leat_atomic_u32 ended;
};

/* ---- the threads ----------------------------------------------------------------------------- */

/* False: nothing moves any more, and the thread has to give up. */
static bool
wait_a_little(const struct campaign *campaign, uint32_t *spins)
{
    *spins += 1;
    if (*spins % SPINS == 0) {
        leat_os_yield();
    } else {
        leat_pause();
    }
    return atom_load_acq(&campaign->stuck) == 0;
}

static bool
push(struct campaign *campaign, uint32_t item)
{
    preempt_here = 1;
    bool pushed = campaign->options.kind->push(campaign->ring.state, item);
    preempt_here = 0;
    return pushed;
}

static void
produce(struct campaign *campaign, uint32_t producer, struct test_prng *prng)
{
    uint32_t goal = campaign->stream.goals[producer];
    uint32_t sequence = 0;
    uint32_t spins = 0;
    bool going = true;
    while (sequence < goal && going) {
        uint32_t burst = 1 + test_random_below(prng, BURST_MAX);
        uint32_t end = goal - sequence < burst ? goal : sequence + burst;
        while (sequence < end && going) {
            if (push(campaign, stream_item(&campaign->stream, producer, sequence))) {
                sequence++;
            } else {
                going = wait_a_little(campaign, &spins);
            }
        }
        for (uint32_t i = test_random_below(prng, SPINS); i > 0; i--) {
            leat_pause();
        }
    }
    campaign->pushed[producer] = sequence;
    (void)atom_sub_acq_rel(&campaign->producing, 1);
}

static bool
pop(struct campaign *campaign, uint32_t *item)
{
    preempt_here = 1;
    bool popped = campaign->options.kind->pop(campaign->ring.state, item);
    preempt_here = 0;
    return popped;
}

static void
consume(struct campaign *campaign, struct stream_reader *reader)
{
    uint32_t spins = 0;
    for (;;) {
        /* Read first: no producer at work, then an empty ring stays empty. */
        bool last = atom_load_acq(&campaign->producing) == 0;
        uint32_t item = 0;
        uint32_t pops = 0;
        while (pops < EXCHANGE_POPS && pop(campaign, &item)) {
            stream_note(&campaign->stream, reader, item);
            pops++;
        }
        stream_exchange(&campaign->stream, reader);
        if (pops < EXCHANGE_POPS && (last || !wait_a_little(campaign, &spins))) {
            return;
        }
    }
}

/* Between two barriers. */
static void
next_round(struct campaign *campaign)
{
    struct stream *stream = &campaign->stream;
    if (stream->round > 0) {
        stream_round_end(stream, campaign->pushed);
        campaign->sound = campaign->ring.kind->check(campaign->ring.state, stderr);
        atom_store_rlx(&campaign->moved, stream->counts.pushed);
    }
    uint64_t ops = campaign->options.ops;
    uint64_t left = ops == 0 ? ROUND_ITEMS : ops - stream->counts.pushed;
    uint32_t items = left < ROUND_ITEMS ? (uint32_t)left : ROUND_ITEMS;
    campaign->ending = !campaign->sound || atom_load_acq(&campaign->stuck) != 0 || items == 0 ||
                       (ops == 0 && test_now_ns() > campaign->deadline_ns);
    uint32_t goals[STREAM_PRODUCERS_MAX];
    uint32_t most = (items + campaign->producers - 1) / campaign->producers;
    for (uint32_t i = 0; i < campaign->producers; i++) {
        goals[i] = most < STREAM_SEQUENCES_MAX ? most : STREAM_SEQUENCES_MAX;
        goals[i] = goals[i] < items ? goals[i] : items;
        items -= goals[i];
    }
    atom_store_rlx(&campaign->producing, campaign->producers);
    stream_round_begin(stream, goals);
}

static void
side(void *shared, uint32_t number)
{
    struct campaign *campaign = shared;
    struct test_prng prng = {campaign->options.seed + 1 + number};
    for (;;) {
        /* One of them is chosen for what is between two rounds. */
        if (pthread_barrier_wait(&campaign->barrier) != 0) {
            next_round(campaign);
        }
        (void)pthread_barrier_wait(&campaign->barrier);
        if (campaign->ending) {
            break;
        }
        if (number < campaign->producers) {
            produce(campaign, number, &prng);
        } else {
            consume(campaign, &campaign->stream.readers[number - campaign->producers]);
        }
    }
    (void)atom_add_acq_rel(&campaign->ended, 1);
}

/* ---- the watch ------------------------------------------------------------------------------- */

static void
show_progress(const struct campaign *campaign, uint64_t moved, uint64_t elapsed_ns)
{
    double seconds = (double)elapsed_ns / 1e9;
    (void)fprintf(stderr, "\r%.0f million, %.1f million a second", (double)moved / 1e6,
                  (double)moved / 1e6 / seconds);
    if (campaign->options.ops != 0) {
        (void)fprintf(stderr, ", %.1f %%", 100.0 * (double)moved / (double)campaign->options.ops);
    }
    (void)fprintf(stderr, "   ");
}

/* Until all threads have ended. False: one will never end, although all were told to. */
static bool
watch(struct campaign *campaign, struct test_threads *threads, uint64_t begin_ns)
{
    struct test_prng prng = {campaign->options.seed};
    bool terminal = isatty(STDERR_FILENO) == 1;
    uint64_t moved = 0;
    uint64_t moved_ns = begin_ns;
    while (atom_load_acq(&campaign->ended) < campaign->options.threads) {
        test_sleep_ns(test_random(&prng) % STOPS_APART_NS_MAX);
        preempt_all(threads);
        uint64_t now_ns = test_now_ns();
        if (atom_load_rlx(&campaign->moved) != moved) {
            moved = atom_load_rlx(&campaign->moved);
            moved_ns = now_ns;
            if (terminal) {
                show_progress(campaign, moved, now_ns - begin_ns);
            }
        } else if (now_ns - moved_ns > STALL_NS) {
            if (atom_load_rlx(&campaign->stuck) != 0) {
                return false;
            }
            (void)fprintf(stderr, "nothing has moved for %.0f s\n", (double)STALL_NS / 1e9);
            atom_store_rel(&campaign->stuck, 1);
            moved_ns = now_ns;
        }
    }
    if (terminal) {
        (void)fprintf(stderr, "\r\033[K");
    }
    return true;
}

static int
report(const struct campaign *campaign, uint64_t elapsed_ns)
{
    const struct stream_counts *counts = &campaign->stream.counts;
    (void)printf("ring %s: %" PRIu64 " pushed, %" PRIu64 " popped, %" PRIu64 " lost, %" PRIu64
                 " duplicated, %" PRIu64 " reordered, %.1f s, seed %" PRIu64 "\n",
                 campaign->options.kind->name, counts->pushed, counts->popped, counts->lost,
                 counts->duplicated, counts->reordered, (double)elapsed_ns / 1e9,
                 campaign->options.seed);
    (void)fflush(stdout);
    bool right = campaign->sound && atom_load_acq(&campaign->stuck) == 0 &&
                 counts->pushed == counts->popped && counts->lost == 0 && counts->duplicated == 0 &&
                 counts->reordered == 0;
    return right ? 0 : 1;
}

static int
run(const struct options *options)
{
    struct test_threads *threads = calloc(1, sizeof(*threads));
    struct campaign *campaign = aligned_alloc(LEAT_LINE_BYTES, sizeof(*campaign));
    struct test_prng prng = {options->seed};
    CHECK(threads != NULL);
    CHECK(campaign != NULL);
    campaign->options = *options;
    campaign->producers = options->threads / 2;
    campaign->ring = test_ring_create(options->kind, options->slots_log2, &prng);
    campaign->sound = true;
    campaign->ending = false;
    stream_init(&campaign->stream, campaign->producers, options->threads - campaign->producers);
    CHECK(pthread_barrier_init(&campaign->barrier, NULL, options->threads) == 0);
    atom_init(&campaign->producing, 0);
    atom_init(&campaign->moved, 0);
    atom_init(&campaign->stuck, 0);
    atom_init(&campaign->ended, 0);
    uint64_t begin_ns = test_now_ns();
    campaign->deadline_ns = begin_ns + test_duration_ns();
    preempt_init();
    test_threads_start(threads, options->threads, side, campaign);
    if (!watch(campaign, threads, begin_ns)) {
        (void)fprintf(stderr, "a thread does not come back\n");
        (void)report(campaign, test_now_ns() - begin_ns);
        _exit(1);
    }
    test_threads_join(threads);
    int status = report(campaign, test_now_ns() - begin_ns);
    if (!campaign->sound) {
        return status;
    }
    (void)pthread_barrier_destroy(&campaign->barrier);
    stream_fini(&campaign->stream);
    test_ring_destroy(campaign->ring);
    free(campaign);
    free(threads);
    return status;
}

/* ---- options --------------------------------------------------------------------------------- */

static _Noreturn void
usage(void)
{
    (void)fprintf(stderr,
                  "usage: campaign_ring [--ops N] [--seed S] [--threads 2..%d]"
                  " [--slots-log2 %d..%d] [--ring NAME]\nrings:",
                  THREADS_MAX, LEAT_RING_SLOTS_LOG2_MIN, LEAT_RING_SLOTS_LOG2_MAX);
    for (size_t i = 0; i < test_rings_count; i++) {
        (void)fprintf(stderr, " %s", test_rings[i].name);
    }
    (void)fprintf(stderr, "; wrong on purpose:");
    for (size_t i = 0; i < test_rings_faulty_count; i++) {
        (void)fprintf(stderr, " %s", test_rings_faulty[i].name);
    }
    (void)fprintf(stderr, "\n");
    _exit(2);
}

/* A whole number in [least, most], 1e9 and the like included. */
static uint64_t
number(const char *text, uint64_t least, uint64_t most)
{
    char *end = NULL;
    double value = strtod(text, &end);
    bool whole = end != text && *end == '\0' && value >= 0 && value <= OPS_MAX;
    uint64_t result = whole ? (uint64_t)value : 0;
    if (!whole || (double)result < value || result < least || result > most) {
        (void)fprintf(stderr, "%s is no number from %" PRIu64 " to %" PRIu64 "\n", text, least,
                      most);
        usage();
    }
    return result;
}

static uint32_t
default_threads(void)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    /* Several on each side, also on a small machine. */
    return cpus < 4 ? 4 : cpus > THREADS_MAX ? THREADS_MAX : (uint32_t)cpus;
}

static void
parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"ops", required_argument, NULL, 'n'},     {"seed", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'}, {"slots-log2", required_argument, NULL, 'l'},
        {"ring", required_argument, NULL, 'r'},    {NULL, 0, NULL, 0}};
    bool seeded = false;
    char *end = NULL;
    int name = 0;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet. */
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (name) {
        case 'n':
            options->ops = number(optarg, 1, (uint64_t)OPS_MAX);
            break;
        case 's':
            options->seed = strtoull(optarg, &end, 10);
            seeded = end != optarg && *end == '\0';
            if (!seeded) {
                usage();
            }
            break;
        case 't':
            options->threads = (uint32_t)number(optarg, 2, THREADS_MAX);
            break;
        case 'l':
            options->slots_log2 =
                (uint32_t)number(optarg, LEAT_RING_SLOTS_LOG2_MIN, LEAT_RING_SLOTS_LOG2_MAX);
            break;
        case 'r':
            options->kind = test_ring_find(optarg);
            break;
        default:
            usage();
        }
    }
    if (options->kind == NULL || optind != argc) {
        usage();
    }
    if (!seeded) {
        options->seed = test_seed("campaign_ring");
    }
}

int
main(int argc, char **argv)
{
    struct options options = {
        .threads = default_threads(), .slots_log2 = 10, .kind = test_ring_default()};
    parse(argc, argv, &options);
    return run(&options);
}
