/* campaign_reference.c - random operations against the engine and a model of it, compared after
 * each one: tests/reference/reference.h says how.
 *
 *   campaign_reference [--ops N] [--seed S] [--episode E] [--shrink] [--table] [--cells]
 *
 * An episode is an engine from its opening to its end, of STEPS steps. Each step draws from a seed
 * of its own, so --shrink can leave steps out until as few as possible are left that fail.
 * --episode runs one alone; --table prints how often each operation gave each answer; --cells the
 * rows of reached.c. A run of the usual length says of each operation how often it was done and how
 * often refused. The last line says what was counted. Exit status: 0 all right; 1 engine and
 * model do not agree, or something that is always met was not, or an operation of a long run was
 * never done; 2 it cannot run like this. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/reference/reference.h"
#include "tests/support/check.h"

#define STEPS     4000
#define OFTEN     20 /* so often is met what is always met */
#define ALL       UINT64_MAX
#define OPS_PLAIN REF_STEPS
#define OPS_LONG  UINT64_C(1000000) /* in so many each operation must have succeeded */

struct options {
    uint64_t ops;
    uint64_t seed;
    uint64_t episode;
    bool shrink;
    bool table;
    bool cells;
};

static struct ref_world world;
static struct ref_coverage coverage;
static bool shrinks;

/* ---- one episode ----------------------------------------------------------------------------- */

/* An assertion of the engine: the operations before it say how it came to that. */
static void
crashed(int signal)
{
    /* It is lost anyway. NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c) */
    ref_report(&world, stderr);
    (void)fprintf(stderr, "reference: signal %d\n", signal);
    /* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */
    _exit(1);
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
    struct test_prng prng = {a ^ (b * UINT64_C(0xd1342543de82ef95))};
    return test_random(&prng);
}

static uint32_t
row_draw(void)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < ref_operations_count; i++) {
        total += ref_operations[i].weight;
    }
    uint32_t drawn = ref_below(&world, total);
    uint32_t row = 0;
    while (drawn >= ref_operations[row].weight) {
        drawn -= ref_operations[row].weight;
        row++;
    }
    return row;
}

/* `left_out` has a byte for each step, or is NULL. */
static void
episode(uint64_t seed, uint64_t number, uint64_t steps, const unsigned char *left_out)
{
    memset(&world, 0, sizeof(world));
    world.seed = seed;
    world.episode = number;
    world.coverage = &coverage;
    world.shrinks = shrinks;
    world.prng.state = mix(seed, number);
    uint64_t base = test_random(&world.prng);
    ref_open(&world);
    for (world.step = 0; world.step < steps; world.step++) {
        if (left_out != NULL && left_out[world.step] != 0) {
            continue;
        }
        world.prng.state = mix(base, world.step);
        world.operation = row_draw();
        ref_operations[world.operation].run(&world);
        ref_order_look(&world);
        coverage.steps++;
    }
    world.prng.state = mix(base, steps);
    ref_finish(&world);
    ref_close(&world);
}

/* ---- shrinking ------------------------------------------------------------------------------- */

/* The exit status of an episode in a process of its own. */
static int
fails(const struct options *options, const unsigned char *left_out, bool say)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        if (!say) {
            CHECK(freopen("/dev/null", "w", stderr) != NULL);
        }
        shrinks = true;
        episode(options->seed, options->episode, STEPS, left_out);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

/* Leaves out pieces of `size` steps, where it fails without them in the same way. */
static void
thin(const struct options *options, int status, uint64_t size, unsigned char *left_out)
{
    static unsigned char before[STEPS];
    for (uint64_t at = 0; at < STEPS; at += size) {
        uint64_t count = STEPS - at < size ? STEPS - at : size;
        memcpy(before, left_out, sizeof(before));
        memset(left_out + at, 1, count);
        if (memcmp(before, left_out, sizeof(before)) != 0 &&
            fails(options, left_out, false) != status) {
            memcpy(left_out, before, sizeof(before));
        }
    }
}

static int
shrink(const struct options *options)
{
    static unsigned char left_out[STEPS];
    int status = fails(options, left_out, false);
    if (status == 0) {
        printf("reference: episode %" PRIu64 " does not fail\n", options->episode);
        return 0;
    }
    for (uint32_t round = 0; round < 2; round++) {
        for (uint64_t size = STEPS / 2; size > 0; size /= 2) {
            thin(options, status, size, left_out);
        }
    }
    uint64_t left = 0;
    for (uint64_t i = 0; i < STEPS; i++) {
        left += left_out[i] == 0 ? 1 : 0;
    }
    (void)fails(options, left_out, true);
    printf("reference: %" PRIu64 " steps are left\n", left);
    return 1;
}

/* ---- what was met ---------------------------------------------------------------------------- */

static const char *
at_text(uint32_t at)
{
    switch (at) {
    case REF_AT_NOTHING:
        return "-";
    case REF_AT_AWAITED:
        return "awaited";
    case REF_AT_GONE:
        return "gone";
    default:
        return leat_job_state_text((enum leat_job_state)at);
    }
}

/* Prints each that was met at least so often: as a row of reached.c, or with its count. */
static void
cells_print(uint64_t least, bool rows)
{
    for (uint32_t cell = 0; cell < ref_operations_count * LEAT_STATUS_COUNT * REF_AT_COUNT;
         cell++) {
        uint32_t at = cell % REF_AT_COUNT;
        uint32_t status = cell / REF_AT_COUNT % LEAT_STATUS_COUNT;
        uint32_t row = cell / REF_AT_COUNT / LEAT_STATUS_COUNT;
        uint64_t count = coverage.cells[row][status][at];
        if (count < least) {
            continue;
        }
        if (rows) {
            printf("    \"%s %u %s\",\n", ref_operations[row].name, status, at_text(at));
        } else {
            printf("%-18s %-10s %9" PRIu64 "  %s\n", ref_operations[row].name, at_text(at), count,
                   leat_status_text((enum leat_status)status));
        }
    }
}

static uint64_t
cell_count(const char *row)
{
    char name[32];
    char at[32];
    unsigned status = 0;
    /* NOLINTNEXTLINE(cert-err34-c): rows of our own */
    CHECK_EQUAL(sscanf(row, "%31s %u %31s", name, &status, at), 3);
    for (uint32_t i = 0; i < ref_operations_count; i++) {
        for (uint32_t j = 0; j < REF_AT_COUNT; j++) {
            if (strcmp(ref_operations[i].name, name) == 0 && strcmp(at_text(j), at) == 0) {
                return coverage.cells[i][status][j];
            }
        }
    }
    return 0;
}

/* Returns how many of those that are always met were not. */
static uint32_t
missed(void)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ref_reached_count; i++) {
        if (cell_count(ref_reached[i]) == 0) {
            printf("reference: never met: %s\n", ref_reached[i]);
            count++;
        }
    }
    for (uint32_t i = 0; i < REF_MET_COUNT; i++) {
        if (coverage.met[i] == 0) {
            printf("reference: never met: %s\n", ref_met_names[i]);
            count++;
        }
    }
    return count;
}

/* How often each operation came to something, and how often it was refused. Returns how many never
 * came to anything. */
static uint32_t
balance(void)
{
    uint32_t vain = 0;
    for (uint32_t i = 0; i < ref_operations_count; i++) {
        uint64_t good = 0;
        uint64_t refused = 0;
        for (uint32_t cell = 0; cell < LEAT_STATUS_COUNT * REF_AT_COUNT; cell++) {
            uint32_t status = cell / REF_AT_COUNT;
            uint64_t count = coverage.cells[i][status][cell % REF_AT_COUNT];
            bool done = status == LEAT_OK || status == LEAT_JOINED;
            good += done ? count : 0;
            refused += done ? 0 : count;
        }
        vain += good == 0 ? 1 : 0;
        printf("%-18s %9" PRIu64 " done %9" PRIu64 " refused%s\n", ref_operations[i].name, good,
               refused, good == 0 ? "  never done" : "");
    }
    return vain;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static double
seconds_now(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
run(const struct options *options)
{
    double begin = seconds_now();
    uint64_t number = options->episode == ALL ? 0 : options->episode;
    uint64_t left = options->episode == ALL ? options->ops : STEPS;
    while (left > 0) {
        uint64_t steps = left < STEPS ? left : STEPS;
        episode(options->seed, number, steps, NULL);
        number++;
        left -= steps;
    }
    if (options->table) {
        cells_print(1, false);
        for (uint32_t i = 0; i < REF_MET_COUNT; i++) {
            printf("%9" PRIu64 "  %s\n", coverage.met[i], ref_met_names[i]);
        }
    }
    if (options->cells) {
        cells_print(OFTEN, true);
    }
    bool full = options->episode == ALL && options->ops >= REF_STEPS && !options->cells;
    uint32_t never = full ? missed() : 0;
    uint32_t vain = full ? balance() : 0;
    never += options->ops >= OPS_LONG ? vain : 0;
    printf("reference: seed %" PRIu64 ", %" PRIu64 " steps, %" PRIu64 " attempts, %" PRIu64
           " looks, %.1f s: %s\n",
           options->seed, coverage.steps, coverage.begins, coverage.checks, seconds_now() - begin,
           never == 0 ? "model and engine agree" : "something was never met");
    return never == 0 ? 0 : 1;
}

static int
usage(void)
{
    (void)fputs("usage: campaign_reference [--ops N] [--seed S] [--episode E] [--shrink] "
                "[--table] [--cells]\n",
                stderr);
    return 2;
}

static bool
number_read(const char *text, uint64_t *number)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || value < 0 || value > 1e18) {
        return false;
    }
    /* 1e7 and the like; a seed may be longer than a double is exact. */
    *number = strpbrk(text, "eE.") == NULL ? strtoull(text, NULL, 10) : (uint64_t)value;
    return true;
}

int
main(int count, char **arguments)
{
    static const struct option known[] = {{"ops", required_argument, NULL, 'o'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"episode", required_argument, NULL, 'e'},
                                          {"shrink", no_argument, NULL, 'k'},
                                          {"table", no_argument, NULL, 't'},
                                          {"cells", no_argument, NULL, 'c'},
                                          {NULL, 0, NULL, 0}};
    struct options options = {.ops = OPS_PLAIN, .seed = 1, .episode = ALL};
    int letter = 0;
    bool good = true;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    while ((letter = getopt_long(count, arguments, "", known, NULL)) != -1) {
        switch (letter) {
        case 'o':
            good = good && number_read(optarg, &options.ops);
            break;
        case 's':
            good = good && number_read(optarg, &options.seed);
            break;
        case 'e':
            good = good && number_read(optarg, &options.episode);
            break;
        case 'k':
            options.shrink = true;
            break;
        case 't':
            options.table = true;
            break;
        case 'c':
            options.cells = true;
            break;
        default:
            good = false;
            break;
        }
    }
    if (!good || optind != count || (options.shrink && options.episode == ALL)) {
        return usage();
    }
    (void)signal(SIGABRT, crashed);
    return options.shrink ? shrink(&options) : run(&options);
}
