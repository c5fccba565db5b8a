/* graph.c - jobs that wait for others, and read what those came to. A tree in one call: parts of an
 * array are summed, two sums at a time are added. A chain: each job goes on from what the one
 * before came to. And a job that fails: of those that wait for it one is cancelled, one can do
 * without, and one waits until it is brought back. */
#include <leat.h>
#include <stdatomic.h>
#include <stdio.h>

#define PARTS  8 /* leaves of the tree; a power of two */
#define JOBS   (2 * PARTS - 1)
#define LENGTH 1000
#define ALL    (PARTS * LENGTH)

static uint32_t numbers[ALL]; /* 0, 1, 2, .. */
static atomic_bool repaired;

/* Adds what the parents came to, and the numbers of the payload. */
static struct leat_outcome
add(struct leat_run *run, void *context)
{
    size_t bytes = 0;
    const uint32_t *part = leat_run_payload(run, &bytes);
    uint64_t sum = 0;
    (void)context;
    for (uint32_t i = 0; i < leat_run_parents(run, NULL, 0); i++) {
        uint64_t term = 0;
        if (leat_run_parent_result(run, i, &term, sizeof(term), NULL) != LEAT_OK) {
            return leat_retry();
        }
        sum += term;
    }
    for (size_t i = 0; i < bytes / sizeof(*part); i++) {
        sum += part[i];
    }
    return leat_run_result(run, &sum, sizeof(sum)) == LEAT_OK ? leat_done() : leat_retry();
}

static struct leat_outcome
fetch(struct leat_run *run, void *context)
{
    (void)run;
    (void)context;
    return atomic_load(&repaired) ? leat_done() : leat_fail();
}

static struct leat_job
job_of(const char *type, const uint32_t *part)
{
    struct leat_job job = leat_job_default();
    job.type_name = type;
    job.payload = part;
    job.payload_bytes = part == NULL ? 0 : sizeof(numbers) / PARTS;
    job.flags = LEAT_JOB_KEEP_RESULT; /* for this program, which waits for it */
    return job;
}

static bool
ends(struct leat_engine *engine, leat_job_id id, enum leat_job_state state)
{
    struct leat_job_info info = leat_job_info_default();
    return leat_wait(engine, id, LEAT_FOREVER, &info) == LEAT_OK && info.state == state;
}

/* Waits for a job that is to complete with this number. */
static bool
comes_to(struct leat_engine *engine, leat_job_id id, uint64_t want)
{
    uint64_t value = 0;
    bool ok = ends(engine, id, LEAT_JOB_COMPLETED) &&
              leat_result(engine, id, &value, sizeof(value), NULL) == LEAT_OK;
    printf("%llu\n", (unsigned long long)value);
    return ok && value == want;
}

/* Job i is a term of job PARTS + i / 2; the last one is the root. */
static bool
tree(struct leat_engine *engine)
{
    struct leat_job jobs[JOBS];
    struct leat_graph_edge edges[JOBS]; /* the root's says nothing */
    struct leat_graph graph = leat_graph_default();
    leat_job_id ids[JOBS];
    for (uint32_t i = 0; i < JOBS; i++) {
        jobs[i] = job_of("add", i < PARTS ? &numbers[(size_t)i * LENGTH] : NULL);
        edges[i] = (struct leat_graph_edge){i, PARTS + i / 2};
    }
    graph.jobs = jobs;
    graph.count = JOBS;
    graph.edges = edges;
    graph.edges_count = JOBS - 1;
    return leat_submit_graph(engine, &graph, ids, NULL) == LEAT_OK &&
           comes_to(engine, ids[JOBS - 1], ALL * (ALL - 1) / 2);
}

/* The first one sums a part, the others pass it on. */
static bool
chain(struct leat_engine *engine)
{
    const struct leat_job jobs[3] = {job_of("add", numbers), job_of("add", NULL),
                                     job_of("add", NULL)};
    leat_job_id ids[3];
    return leat_submit_chain(engine, jobs, 3, ids) == LEAT_OK &&
           comes_to(engine, ids[2], LENGTH * (LENGTH - 1) / 2);
}

static bool
failure(struct leat_engine *engine)
{
    struct leat_job_options options = leat_job_options_default();
    struct leat_job job = job_of("fetch", NULL);
    leat_job_id fetched = {0};
    leat_job_id child[3] = {{0}, {0}, {0}}; /* of each policy */
    bool ok = leat_submit(engine, &job, &fetched) == LEAT_OK;
    job = job_of("add", NULL);
    job.options = &options;
    options.parents = &fetched;
    options.parents_count = 1;
    for (uint32_t i = 0; i < 3; i++) {
        options.parent_policy = (enum leat_parent_policy)i;
        ok = leat_submit(engine, &job, &child[i]) == LEAT_OK && ok;
    }
    ok = ok && ends(engine, fetched, LEAT_JOB_DEAD);
    ok = ends(engine, child[LEAT_PARENT_CANCEL], LEAT_JOB_CANCELLED) && ok;
    ok = comes_to(engine, child[LEAT_PARENT_IGNORE], 0) && ok;
    atomic_store(&repaired, true);
    enum leat_status back = LEAT_BUSY; /* while the job is on its way to the dead letters */
    while (back == LEAT_BUSY) {
        back = leat_dead_retry(engine, fetched, leat_when_now());
    }
    return comes_to(engine, child[LEAT_PARENT_WAIT], 0) && back == LEAT_OK && ok;
}

int
main(void)
{
    struct leat_engine *engine = NULL;
    if (leat_open(NULL, &engine, NULL) != LEAT_OK) {
        return 1;
    }
    for (uint32_t i = 0; i < ALL; i++) {
        numbers[i] = i;
    }
    bool ok = leat_type_register(engine, "add", add, NULL, NULL, NULL) == LEAT_OK &&
              leat_type_register(engine, "fetch", fetch, NULL, NULL, NULL) == LEAT_OK &&
              leat_start(engine) == LEAT_OK;
    ok = ok && tree(engine) && chain(engine) && failure(engine);
    ok = leat_stop(engine, LEAT_FOREVER) == LEAT_OK && leat_close(engine) == LEAT_OK && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
