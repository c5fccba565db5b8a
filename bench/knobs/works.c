/* works.c - see works.h. Where a work has a queue or a type of its own, these are called "queue"
 * and "job", as in the cases. */
#include "bench/knobs/works.h"

#include <stdlib.h>
#include <string.h>

#include "bench/cost/cases.h"
#include "bench/kernels/latency.h"
#include "bench/kernels/machine.h"
#include "bench/kernels/slab.h"
#include "bench/kernels/thread.h"
#include "bench/kernels/timer.h"

/* Each work takes a tenth of a second or less; a few of it a hundredth of that. */
#define FEW 100

#define NS_PER_MS UINT64_C(1000000)

static uint64_t
part(uint64_t count, bool few)
{
    return few ? count / FEW + 1 : count;
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

/* Sorts them. */
static double
median(uint64_t *values, uint64_t count)
{
    qsort(values, count, sizeof(*values), compare);
    uint64_t middle = values[count / 2];
    return (double)middle;
}

/* ---- on a pool of bench/kernels -------------------------------------------------------------- */

static double
burst(struct bench_pool_config config, const struct bench_setting *settings, bool few)
{
    uint64_t count = part(200000, few);
    struct bench_pool *pool = bench_pool_open_set(&config, settings);
    bench_pool_burst(pool, count / 4);
    uint64_t elapsed_ns = bench_pool_burst(pool, count);
    bench_pool_close(pool);
    return (double)elapsed_ns / (double)count;
}

static double
tasks_run(const struct bench_setting *settings, bool few)
{
    return burst((struct bench_pool_config){BENCH_POOL_TASKS, 1, 0}, settings, few);
}

static double
tasks_crowd_run(const struct bench_setting *settings, bool few)
{
    return burst((struct bench_pool_config){BENCH_POOL_TASKS, 2, 0}, settings, few);
}

static double
jobs_run(const struct bench_setting *settings, bool few)
{
    return burst((struct bench_pool_config){BENCH_POOL_JOBS, 1, 0}, settings, few);
}

static double
jobs_all_run(const struct bench_setting *settings, bool few)
{
    return burst((struct bench_pool_config){BENCH_POOL_JOBS, bench_cpus(), 0}, settings, few);
}

static double
latency(uint64_t count, uint64_t period_ns, const struct bench_setting *settings)
{
    const struct bench_pool_config config = {BENCH_POOL_JOBS, 1, 0};
    struct bench_pool *pool = bench_pool_open_set(&config, settings);
    bench_latency_run(pool, count / 4 + 1, period_ns);
    struct bench_latency found = bench_latency_run(pool, count, period_ns);
    bench_pool_close(pool);
    return (double)found.start_ns.p50;
}

static double
near_run(const struct bench_setting *settings, bool few)
{
    return latency(part(1200, few), 40000, settings);
}

static double
idle_run(const struct bench_setting *settings, bool few)
{
    return latency(part(250, few), 250000, settings);
}

static void
flag_set(void *argument)
{
    leat_atomic_u64 *flag = argument;
    atom_store_rel(flag, 1);
}

/* Each call finds the worker asleep. */
static double
call_run(const struct bench_setting *settings, bool few)
{
    static leat_atomic_u64 flag;
    static uint64_t taken_ns[256];
    const struct bench_pool_config config = {BENCH_POOL_TASKS, 1, 0};
    uint64_t count = part(250, few);
    cpu_set_t before;
    struct bench_pool *pool = bench_pool_open_set(&config, settings);
    bench_pin_last(&before);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t due_ns = leat_os_monotonic_ns() + 250000;
        while (leat_os_monotonic_ns() < due_ns) {
            leat_pause();
        }
        atom_store_rel(&flag, 0);
        uint64_t begin_ns = leat_os_monotonic_ns();
        bench_pool_call(pool, flag_set, &flag);
        taken_ns[i] = leat_os_monotonic_ns() - begin_ns;
        while (atom_load_acq(&flag) == 0) {
            leat_pause();
        }
    }
    bench_unpin(&before);
    bench_pool_close(pool);
    return median(taken_ns, count);
}

/* The first jobs of engines, whose records nobody has touched. */
static double
first_run(const struct bench_setting *settings, bool few)
{
    const struct bench_pool_config config = {BENCH_POOL_JOBS, 0, 0};
    uint64_t engines = few ? 1 : 3;
    uint64_t elapsed_ns = 0;
    for (uint64_t i = 0; i < engines; i++) {
        struct bench_pool *pool = bench_pool_open_set(&config, settings);
        elapsed_ns += bench_pool_calls_time(pool, BENCH_POOL_CALLS_MAX).post_ns;
        bench_pool_close(pool);
    }
    return (double)elapsed_ns / (double)(engines * BENCH_POOL_CALLS_MAX);
}

/* All jobs wait before the first one runs. */
static double
deep_run(const struct bench_setting *settings, bool few)
{
    const struct bench_pool_config config = {BENCH_POOL_JOBS, 0, 0};
    uint64_t rounds = part(20, few);
    uint64_t elapsed_ns = 0;
    struct bench_pool *pool = bench_pool_open_set(&config, settings);
    bench_pool_calls_time(pool, BENCH_POOL_CALLS_MAX);
    for (uint64_t i = 0; i < rounds; i++) {
        struct bench_pool_calls one = bench_pool_calls_time(pool, BENCH_POOL_CALLS_MAX);
        elapsed_ns += one.post_ns + one.run_ns;
    }
    bench_pool_close(pool);
    return (double)elapsed_ns / (double)(rounds * BENCH_POOL_CALLS_MAX);
}

/* ---- timers and the slab --------------------------------------------------------------------- */

static double
wheel(enum bench_timer_use use, bool few)
{
    uint32_t count = (uint32_t)part(100000, few);
    struct bench_timer_plan *plan = bench_timer_plan_create(count);
    struct bench_timer_run run = bench_timer_measure(&bench_timers_leat[0], plan, use);
    LEAT_ASSERT(run.wrong == 0);
    bench_timer_plan_destroy(plan);
    return (double)run.elapsed_ns / (double)count;
}

static double
wheel_arm_run(const struct bench_setting *settings, bool few)
{
    (void)settings;
    return wheel(BENCH_TIMER_ARM, few);
}

static double
wheel_fire_run(const struct bench_setting *settings, bool few)
{
    (void)settings;
    return wheel(BENCH_TIMER_FIRE, few);
}

static double
slab_run(const struct bench_setting *settings, bool few)
{
    (void)settings;
    uint64_t count = part(1000000, few);
    struct bench_slab *slab = bench_slab_create();
    bench_slab_solo(slab, 32000);
    uint64_t elapsed_ns = bench_slab_solo(slab, count);
    LEAT_ASSERT(elapsed_ns != 0);
    bench_slab_destroy(slab);
    return (double)elapsed_ns / (double)count;
}

/* ---- on an engine of its own ----------------------------------------------------------------- */

/* One at a time. What runs on workers writes `took_ns` last, or counts `ran`. */
struct stage {
    struct leat_engine *engine;
    struct leat_settings *settings;
    uint64_t rounds;
    uint64_t begin_ns;
    leat_atomic_u64 ran;
    leat_atomic_u64 took_ns; /* 0: not yet */
};

static struct stage stage;

static void
stage_open(uint32_t workers, uint64_t rounds, const struct bench_setting *settings)
{
    struct leat_config config = leat_config_default();
    const struct leat_config *set = NULL;
    config.workers = workers;
    config.retained_max = 0;
    stage.settings = bench_settings_over(&config, settings);
    bench_must(leat_settings_config(stage.settings, &set, NULL));
    bench_must(leat_open(set, &stage.engine, NULL));
    bench_must(leat_start(stage.engine));
    stage.rounds = rounds;
    atom_store_rel(&stage.ran, 0);
    atom_store_rel(&stage.took_ns, 0);
}

static void
stage_close(void)
{
    bench_must(leat_stop(stage.engine, LEAT_FOREVER));
    bench_must(leat_close(stage.engine));
    leat_settings_destroy(stage.settings);
}

/* Sleeps meanwhile: the workers may need this CPU. */
static void
stage_wait(const leat_atomic_u64 *word, uint64_t least)
{
    const struct timespec pause = {0, 200000};
    while (atom_load_acq(word) < least) {
        (void)nanosleep(&pause, NULL);
    }
}

static void
stage_done(void)
{
    atom_store_rel(&stage.took_ns, leat_os_monotonic_ns() - stage.begin_ns);
}

static void
nothing(void *argument)
{
    (void)argument;
}

/* Runs `root` on a worker; nanoseconds until its stage_done(). */
static double
rooted(leat_task_function root)
{
    bench_must(leat_post(stage.engine, LEAT_PRIORITY_NORMAL, root, NULL));
    stage_wait(&stage.took_ns, 1);
    double took_ns = (double)atom_load_acq(&stage.took_ns);
    stage_close();
    return took_ns;
}

#define SPAWNS 4096

static void
spawn_all(void *argument)
{
    (void)argument;
    stage.begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < stage.rounds; i++) {
        struct leat_group group;
        bench_must(leat_group_init(&group, stage.engine));
        for (uint32_t j = 0; j < SPAWNS; j++) {
            bench_must(leat_group_spawn(&group, nothing, NULL));
        }
        bench_must(leat_group_wait(&group, LEAT_FOREVER));
    }
    stage_done();
}

static double
group_run(const struct bench_setting *settings, bool few)
{
    stage_open(2, part(200, few), settings);
    return rooted(spawn_all) / (double)(stage.rounds * SPAWNS);
}

/* Two tasks of some microseconds, so that each wait is for the other worker. */
static void
spin_briefly(void *argument)
{
    (void)argument;
    uint64_t end_ns = leat_os_monotonic_ns() + 5000;
    while (leat_os_monotonic_ns() < end_ns) {
        leat_pause();
    }
}

static void
join_all(void *argument)
{
    (void)argument;
    stage.begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < stage.rounds; i++) {
        struct leat_group group;
        bench_must(leat_group_init(&group, stage.engine));
        bench_must(leat_group_spawn(&group, spin_briefly, NULL));
        bench_must(leat_group_spawn(&group, spin_briefly, NULL));
        bench_must(leat_group_wait(&group, LEAT_FOREVER));
    }
    stage_done();
}

static double
join_run(const struct bench_setting *settings, bool few)
{
    stage_open(2, part(4000, few), settings);
    return rooted(join_all) / (double)stage.rounds;
}

#define LOOP_LENGTH ((size_t)1 << 16)

static _Thread_local uint64_t sum;

static void
range_sum(size_t begin, size_t end, void *argument)
{
    (void)argument;
    uint64_t own = sum;
    for (size_t i = begin; i < end; i++) {
        own = own * UINT64_C(6364136223846793005) + i;
    }
    sum = own;
}

static double
loop_run(const struct bench_setting *settings, bool few)
{
    const struct leat_range range = {0, LOOP_LENGTH, 0};
    stage_open(2, part(500, few), settings);
    uint64_t begin_ns = leat_os_monotonic_ns();
    for (uint64_t i = 0; i < stage.rounds; i++) {
        bench_must(leat_parallel_for(stage.engine, &range, range_sum, NULL));
    }
    uint64_t took_ns = leat_os_monotonic_ns() - begin_ns;
    stage_close();
    return (double)took_ns / (double)stage.rounds;
}

#define FAN 64

/* Posts tasks from a task, and itself behind them. */
static void
fan(void *argument)
{
    if (stage.rounds == 0) {
        stage_done();
        return;
    }
    stage.rounds--;
    for (uint32_t i = 1; i < FAN; i++) {
        bench_must(leat_post(stage.engine, LEAT_PRIORITY_NORMAL, nothing, argument));
    }
    bench_must(leat_post(stage.engine, LEAT_PRIORITY_NORMAL, fan, argument));
}

static double
fan_run(const struct bench_setting *settings, bool few)
{
    uint64_t rounds = part(10000, few);
    stage_open(1, rounds, settings);
    stage.begin_ns = leat_os_monotonic_ns();
    return rooted(fan) / (double)(rounds * FAN);
}

static void
count_one(void *argument)
{
    (void)argument;
    atom_store_rel(&stage.ran, atom_load_rlx(&stage.ran) + 1);
}

/* ---- jobs on an engine of its own ------------------------------------------------------------ */

#define FLOOD  2048
#define URGENT 64

static uint64_t last_ns;

static struct leat_outcome
flood_job(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return leat_done();
}

static struct leat_outcome
urgent_job(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    last_ns = leat_os_monotonic_ns();
    return leat_done();
}

/* Until the last of the jobs of a queue has begun that came behind a flood. */
static double
urgent_run(const struct bench_setting *settings, bool few)
{
    struct leat_job flood = leat_job_default();
    struct leat_job urgent = leat_job_default();
    const struct leat_queue_options *options = NULL;
    stage_open(0, part(100, few), settings);
    bench_must(leat_settings_queue(stage.settings, "queue", NULL, &options));
    bench_must(leat_queue_create(stage.engine, "queue", options, &urgent.queue));
    bench_must(leat_type_register(stage.engine, "flood", flood_job, NULL, NULL, &flood.type));
    bench_must(leat_type_register(stage.engine, "job", urgent_job, NULL, NULL, &urgent.type));
    uint64_t took_ns = 0;
    for (uint64_t i = 0; i < stage.rounds; i++) {
        for (uint32_t j = 0; j < FLOOD + URGENT; j++) {
            bench_must(leat_submit(stage.engine, j < FLOOD ? &flood : &urgent, NULL));
        }
        uint64_t begin_ns = leat_os_monotonic_ns();
        while (leat_run_some(stage.engine, FLOOD + URGENT, NULL) == LEAT_OK) {
        }
        took_ns += last_ns - begin_ns;
    }
    stage_close();
    return (double)took_ns / (double)(stage.rounds * URGENT);
}

#define DELAYED 64

static uint64_t due_ns[DELAYED];
static uint64_t late_ns[DELAYED];

static struct leat_outcome
delayed_job(struct leat_run *run, void *context)
{
    (void)context;
    uint64_t now_ns = leat_os_monotonic_ns();
    uint32_t index = 0;
    memcpy(&index, leat_run_payload(run, NULL), sizeof(index));
    late_ns[index] = now_ns > due_ns[index] ? now_ns - due_ns[index] : 0;
    count_one(NULL);
    return leat_done();
}

/* Due one behind the other, from 2 to 10 ms from now: at any place within a tick. */
static double
late_run(const struct bench_setting *settings, bool few)
{
    struct leat_job job = leat_job_default();
    uint32_t count = (uint32_t)part(DELAYED, few);
    count = count > DELAYED ? DELAYED : count;
    stage_open(1, 1, settings);
    bench_must(leat_type_register(stage.engine, "job", delayed_job, NULL, NULL, &job.type));
    for (uint32_t i = 0; i < count; i++) {
        job.delay_ns = 2 * NS_PER_MS + i * (8 * NS_PER_MS / DELAYED);
        job.payload = &i;
        job.payload_bytes = sizeof(i);
        due_ns[i] = leat_os_monotonic_ns() + job.delay_ns;
        bench_must(leat_submit(stage.engine, &job, NULL));
    }
    stage_wait(&stage.ran, count);
    stage_close();
    return median(late_ns, count);
}

/* ---- by name --------------------------------------------------------------------------------- */

struct work {
    const char *name;
    const char *text; /* what the nanoseconds are of */
    double (*run)(const struct bench_setting *settings, bool few);
};

static const struct work works[] = {
    {"tasks", "a task, from outside to one worker", tasks_run},
    {"tasks_crowd", "the same to two workers, more threads than CPUs", tasks_crowd_run},
    {"jobs", "a job, from outside to one worker", jobs_run},
    {"jobs_all", "a job, from outside to a worker on each CPU, more threads than CPUs",
     jobs_all_run},
    {"near", "from submit to start, p50, a job each 40 us", near_run},
    {"idle", "from submit to start, p50, a job each 250 us", idle_run},
    {"call", "the call that posts, p50, while the worker sleeps", call_run},
    {"first", "a submit of the first jobs of an engine", first_run},
    {"deep", "a job of 8 192 that wait before one runs", deep_run},
    {"wheel_arm", "arming a timer of 100 000", wheel_arm_run},
    {"wheel_fire", "firing a timer of 100 000", wheel_fire_run},
    {"slab", "taking a record and giving it back", slab_run},
    {"group", "a task of a group of 4 096, two workers", group_run},
    {"join", "a group of two tasks of 5 us, two workers", join_run},
    {"loop", "a parallel loop over 65 536 numbers, two workers", loop_run},
    {"fan", "a task that a task posts", fan_run},
    {"urgent", "a job of a queue behind a flood, until it begins", urgent_run},
    {"late", "from when a delayed job is due to its start, p50", late_run},
};

#define WORKS (sizeof(works) / sizeof(works[0]))

static const struct work *
work_find(const char *name)
{
    for (size_t i = 0; i < WORKS; i++) {
        if (strcmp(works[i].name, name) == 0) {
            return &works[i];
        }
    }
    return NULL;
}

double
knob_work_run(const char *name, const struct bench_setting *settings, bool few)
{
    const struct work *work = work_find(name);
    if (work != NULL) {
        return work->run(settings, few);
    }
    double ns = 0;
    enum cost_ran ran = cost_run(name, part(200000, few), settings, &ns);
    LEAT_ASSERT(ran == COST_RAN);
    return ns;
}

const char *
knob_work_text(const char *name)
{
    const struct work *work = work_find(name);
    if (work != NULL) {
        return work->text;
    }
    const struct cost_case *one = cost_case_at(0);
    for (size_t i = 1; one != NULL && strcmp(one->name, name) != 0; i++) {
        one = cost_case_at(i);
    }
    return one == NULL ? NULL : one->text;
}
