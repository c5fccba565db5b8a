/* log_run.c - the runs of log.h. What puts the entries in is a process of its own, which ends as in
 * a crash: so nobody is asked to close his files, and what is counted afterwards is what a crash
 * leaves. */
#include "bench/rivals/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring/os.h"

/* The most that the entries before a measured run take: one on each connection. */
#define WARM_NS UINT64_C(10000000)
/* Entries handed over at a time where they are only to be there. */
#define FILL_DEPTH UINT32_C(1000)

void
bench_log_must(bool held, const char *what)
{
    if (!held) {
        (void)fprintf(stderr, "leat_rivals: %s\n", what);
        _exit(2);
    }
}

void *
bench_log_memory(size_t bytes)
{
    void *memory = calloc(1, bytes);
    bench_log_must(memory != NULL, "no memory");
    return memory;
}

bool
bench_log_is_entry(const struct bench_log_setup *setup, const void *data, size_t bytes)
{
    return bytes == setup->payload_bytes &&
           (bytes == 0 || memcmp(data, setup->payload, bytes) == 0);
}

/* ---- putting entries in --------------------------------------------------------------------- */

/* One run's, in memory that the process that did it shares with the one that asked. */
struct outcome {
    uint64_t elapsed_ns;
    uint64_t submitted; /* the warm-up included, as below */
    uint64_t acknowledged;
    uint64_t samples;
};

/* A log in use, and since when what is on its way is. */
struct drive {
    const struct bench_log_kind *kind;
    const struct bench_log_setup *setup;
    void *log;
    uint64_t *since_ns; /* of each lane a ring of setup->depth / setup->lanes */
    uint64_t submitted[BENCH_LOG_LANES];
    uint64_t acknowledged[BENCH_LOG_LANES];
};

static uint64_t *
since_of(struct drive *drive, uint32_t lane, uint64_t number)
{
    uint32_t room = drive->setup->depth / drive->setup->lanes;
    return &drive->since_ns[(uint64_t)lane * room + number % room];
}

/* Hands over what there is room for, at most `most`; returns how many. */
static uint64_t
submit(struct drive *drive, uint64_t most)
{
    uint32_t room = drive->setup->depth / drive->setup->lanes;
    uint64_t all = 0;
    for (uint32_t lane = 0; lane < drive->setup->lanes && all < most; lane++) {
        uint64_t free = room - (drive->submitted[lane] - drive->acknowledged[lane]);
        uint64_t count = free < most - all ? free : most - all;
        uint64_t now_ns = leat_os_monotonic_ns();
        if (count == 0) {
            continue;
        }
        for (uint64_t i = 0; i < count; i++) {
            *since_of(drive, lane, drive->submitted[lane] + i) = now_ns;
        }
        drive->kind->submit(drive->log, lane, (uint32_t)count);
        drive->submitted[lane] += count;
        all += count;
    }
    return all;
}

/* Waits, and notes how long it took; samples may be NULL. Returns how many are acknowledged. */
static uint64_t
wait_some(struct drive *drive, double *samples)
{
    uint64_t before[BENCH_LOG_LANES];
    uint64_t all = 0;
    memcpy(before, drive->acknowledged, sizeof(before));
    drive->kind->wait(drive->log, drive->acknowledged);
    uint64_t now_ns = leat_os_monotonic_ns();
    for (uint32_t lane = 0; lane < drive->setup->lanes; lane++) {
        bench_log_must(drive->acknowledged[lane] <= drive->submitted[lane],
                       "more is acknowledged than was handed over");
        for (uint64_t i = before[lane]; i < drive->acknowledged[lane]; i++, all++) {
            if (samples != NULL) {
                samples[all] = (double)(now_ns - *since_of(drive, lane, i));
            }
        }
    }
    return all;
}

/* Keeps the log at its depth until `items` are acknowledged, or for so long; then until all that
 * was handed over is. */
static void
keep(struct drive *drive, uint64_t items, uint64_t for_ns, double *samples, struct outcome *outcome)
{
    uint64_t start_ns = leat_os_monotonic_ns();
    uint64_t now_ns = start_ns;
    uint64_t handed = 0;
    uint64_t done = 0;
    do {
        if (now_ns - start_ns < for_ns) {
            handed += submit(drive, items - handed);
        }
        done += wait_some(drive, samples == NULL ? NULL : samples + done);
        now_ns = leat_os_monotonic_ns();
    } while (done < handed || (handed < items && now_ns - start_ns < for_ns));
    outcome->elapsed_ns = now_ns - start_ns;
    outcome->samples = done;
    outcome->submitted += handed;
    outcome->acknowledged += done;
}

static void
put(const struct bench_log_kind *kind, const struct bench_log_setup *setup, uint64_t items,
    double *samples, struct outcome *outcome)
{
    struct drive drive = {.kind = kind, .setup = setup, .log = kind->open(setup)};
    drive.since_ns = bench_log_memory(setup->depth * sizeof(*drive.since_ns));
    if (setup->fills) {
        keep(&drive, items, UINT64_MAX, NULL, outcome);
    } else {
        keep(&drive, setup->lanes, WARM_NS, NULL, outcome);
        keep(&drive, items, BENCH_LOG_NS, samples, outcome);
    }
    if (kind->kill != NULL) {
        kind->kill(drive.log);
    }
}

/* The same in a process that ends without closing anything. */
static struct outcome
put_and_die(const struct bench_log_kind *kind, const struct bench_log_setup *setup, uint64_t items,
            double *samples)
{
    size_t bytes = sizeof(struct outcome) + items * sizeof(double);
    int status = 0;
    struct outcome *shared =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_log_must(shared != MAP_FAILED, "no memory");
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        put(kind, setup, items, (double *)(shared + 1), shared);
        _exit(0);
    }
    bench_log_must(child > 0 && waitpid(child, &status, 0) == child && status == 0, kind->name);
    struct outcome outcome = *shared;
    if (samples != NULL) {
        memcpy(samples, shared + 1, outcome.samples * sizeof(double));
    }
    munmap(shared, bytes);
    return outcome;
}

/* ---- runs ----------------------------------------------------------------------------------- */

static struct bench_log_setup
setup_of(const struct bench_log_case *one, uint32_t depth)
{
    const struct bench_log_kind *kind = one->kind;
    unsigned char *payload = bench_log_memory(one->payload_bytes + 1);
    for (uint32_t i = 0; i < one->payload_bytes; i++) {
        payload[i] = (unsigned char)('a' + i % 26);
    }
    return (struct bench_log_setup){
        .depth = depth,
        .lanes = kind->lanes == NULL ? 1 : kind->lanes(depth, one->payload_bytes),
        .payload_bytes = one->payload_bytes,
        .payload = payload,
    };
}

/* Opens, counts, and says how much is wrong, and how long it took until all was counted. */
static uint64_t
count_again(const struct bench_log_kind *kind, const struct bench_log_setup *setup,
            const struct outcome *outcome, uint64_t *took_ns)
{
    uint64_t start_ns = leat_os_monotonic_ns();
    void *log = kind->open(setup);
    uint64_t found = kind->count(log);
    *took_ns = leat_os_monotonic_ns() - start_ns;
    if (kind->kill != NULL) {
        kind->kill(log);
    }
    if (kind->close != NULL) {
        kind->close(log);
    }
    uint64_t lost = found < outcome->acknowledged ? outcome->acknowledged - found : 0;
    return found > outcome->submitted ? found - outcome->submitted : lost;
}

struct bench_log_result
bench_log_measure(const struct bench_log_case *one, double *samples)
{
    struct bench_log_setup setup = setup_of(one, one->depth);
    struct outcome outcome = put_and_die(one->kind, &setup, one->items, samples);
    uint64_t took_ns = 0;
    return (struct bench_log_result){
        .ns = (double)outcome.elapsed_ns / (double)outcome.samples,
        .wrong = one->kind->count == NULL ? 0 : count_again(one->kind, &setup, &outcome, &took_ns),
        .samples = outcome.samples,
    };
}

struct bench_log_result
bench_log_recover(const struct bench_log_case *one)
{
    struct bench_log_setup setup = setup_of(one, FILL_DEPTH);
    setup.lanes = 1;
    setup.fills = true;
    struct outcome outcome = put_and_die(one->kind, &setup, one->items, NULL);
    setup.fills = false;
    uint64_t took_ns = 0;
    uint64_t wrong = count_again(one->kind, &setup, &outcome, &took_ns);
    return (struct bench_log_result){(double)took_ns / (double)one->items, wrong, 0};
}
