/* op_list.c - jobs are listed and counted, by all that may be asked of them, in pages: just those
 * that the model has, each once. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

#define STATES     8
#define SENTINEL   77
#define LOOK_MAX   (UINT32_C(1) << 26)
#define NO_HANDLE  9999
#define PREFIX_MAX 8

/* What is asked, as the model has it; REF_NONE: anything. */
struct asked {
    struct leat_job_query query;
    uint32_t type;
    uint32_t queue;
    uint32_t tenant;
    uint32_t key;
    char prefix[PREFIX_MAX];
};

uint32_t
ref_list(struct ref_world *world, struct leat_job_query *query, size_t capacity, leat_job_id *ids)
{
    uint32_t listed = 0;
    query->look_max = ref_chance(world, 50) ? 0 : 1 + ref_below(world, 40);
    do {
        size_t count = SENTINEL;
        size_t room = REF_RECORDS - listed < capacity ? REF_RECORDS - listed : capacity;
        enum leat_status status = leat_job_list(world->engine, query, &ids[listed], room, &count);
        if (status != LEAT_OK || count > room) {
            ref_fail(world, NULL, "leat_job_list(): %s, %zu jobs", leat_status_text(status), count);
        }
        listed += (uint32_t)count;
    } while (query->more && listed < REF_RECORDS);
    return listed;
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void
draw_handles(struct ref_world *world, struct asked *asked)
{
    uint32_t type = ref_below(world, REF_TYPES);
    uint32_t queue = ref_below(world, REF_QUEUES);
    uint32_t tenant = ref_below(world, REF_TENANTS);
    if (ref_chance(world, 20) && world->types[type].handle.bits != 0) {
        asked->type = type;
        asked->query.type = world->types[type].handle;
    }
    if (ref_chance(world, 20) && world->queues[queue].handle.bits != 0) {
        asked->queue = queue;
        asked->query.queue = world->queues[queue].handle;
    }
    if (ref_chance(world, 20) && world->tenants[tenant].handle.bits != 0) {
        asked->tenant = tenant;
        asked->query.tenant = world->tenants[tenant].handle;
    }
}

static void
draw_labels(struct ref_world *world, struct asked *asked)
{
    if (ref_chance(world, 15)) {
        asked->query.tag = ref_tag_text(ref_below(world, REF_TAGS));
    }
    if (ref_chance(world, 15)) {
        asked->key = ref_below(world, REF_KEYS);
        asked->query.key = ref_key_text(asked->key, &asked->query.key_bytes);
    }
    if (ref_chance(world, 15)) {
        const char *name = ref_name_text(ref_below(world, REF_NAMES));
        size_t bytes = ref_below(world, PREFIX_MAX);
        (void)snprintf(asked->prefix, sizeof(asked->prefix), "%.*s", (int)bytes, name);
        asked->query.name_prefix = asked->prefix;
    }
    if (ref_chance(world, 15)) {
        asked->query.submitter = world->jobs[ref_below(world, REF_RECORDS)].submitter;
    }
}

static void
draw(struct ref_world *world, struct asked *asked)
{
    memset(asked, 0, sizeof(*asked));
    asked->query = leat_job_query_default();
    asked->type = REF_NONE;
    asked->queue = REF_NONE;
    asked->tenant = REF_NONE;
    asked->key = REF_NONE;
    if (ref_chance(world, 60)) {
        asked->query.states = 2 * (1 + ref_below(world, (1U << STATES) - 1));
    }
    if (ref_chance(world, 20)) {
        asked->query.priorities = 1 + ref_below(world, (1U << leat_priority_levels()) - 1);
    }
    draw_handles(world, asked);
    draw_labels(world, asked);
}

/* ---- what is right --------------------------------------------------------------------------- */

static bool
labels_fit(const struct ref_job *job, const struct asked *asked)
{
    const struct leat_job_query *query = &asked->query;
    const char *prefix = query->name_prefix;
    const char *name = job->labels.name == REF_NONE ? "" : ref_name_text(job->labels.name);
    bool named = prefix == NULL || (*name != '\0' && strncmp(name, prefix, strlen(prefix)) == 0);
    return named && (query->tag == NULL || ref_tagged(job, query->tag)) &&
           (asked->key == REF_NONE || job->key == asked->key) &&
           (query->submitter.bits == 0 || job->submitter.bits == query->submitter.bits);
}

static bool
fits(const struct ref_world *world, const struct ref_job *job, const struct asked *asked)
{
    const struct leat_job_query *query = &asked->query;
    bool in = query->states == 0 || (query->states & LEAT_STATE_MASK(job->state)) != 0;
    bool level = query->priorities == 0 || (query->priorities >> job->level & 1) != 0;
    return job->id.bits != 0 && !job->gone && in && level &&
           (asked->type == REF_NONE || job->type == asked->type) &&
           (asked->queue == REF_NONE || job->queue == asked->queue) &&
           (asked->tenant == REF_NONE || world->queues[job->queue].tenant == asked->tenant) &&
           labels_fit(job, asked);
}

/* In a queue; REF_NONE: in all. */
static uint32_t
count_of(const struct ref_world *world, const struct asked *asked, uint32_t queue)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        bool of = queue == REF_NONE || job->queue == queue;
        count += of && fits(world, job, asked) ? 1 : 0;
    }
    return count;
}

static void
check_tally(struct ref_world *world, const struct asked *asked, const struct leat_job_tally *tally,
            uint32_t queue)
{
    uint32_t right = count_of(world, asked, queue);
    if (tally->jobs != right || (tally->longest.bits == 0) != (right == 0)) {
        ref_fail(world, NULL, "%" PRIu64 " jobs are counted of queue %u\n  expected: %u",
                 tally->jobs, queue, right);
    }
    if (right != 0 && !fits(world, ref_job_of(world, tally->longest), asked)) {
        ref_fail(world, NULL, "%" PRIx64 " is there for longest, and does not fit",
                 tally->longest.bits);
    }
}

static void
check_count(struct ref_world *world, const struct asked *asked)
{
    struct leat_job_query query = asked->query;
    struct leat_job_tally tallies[REF_QUEUES + 1];
    memset(tallies, 0, sizeof(tallies));
    query.look_max = ref_chance(world, 50) ? 0 : 1 + ref_below(world, 40);
    do {
        if (leat_job_count(world->engine, &query, tallies, REF_QUEUES + 1) != LEAT_OK) {
            ref_fail(world, NULL, "leat_job_count() fails");
        }
    } while (query.more);
    check_tally(world, asked, &tallies[0], REF_NONE);
    for (uint32_t i = 0; i < REF_QUEUES; i++) {
        if (world->queues[i].handle.bits != 0) {
            check_tally(world, asked, &tallies[world->queues[i].handle.bits], i);
        }
    }
}

static void
check_list(struct ref_world *world, const struct asked *asked)
{
    static leat_job_id ids[REF_RECORDS]; /* too much for a stack */
    struct leat_job_query query = asked->query;
    size_t capacity = ref_chance(world, 50) ? REF_RECORDS : 1 + ref_below(world, 4);
    uint32_t listed = ref_list(world, &query, capacity, ids);
    uint32_t right = count_of(world, asked, REF_NONE);
    for (uint32_t i = 0; i < listed; i++) {
        const struct ref_job *job = ref_job_of(world, ids[i]);
        bool twice = false;
        for (uint32_t j = 0; j < i; j++) {
            twice = twice || ids[j].bits == ids[i].bits;
        }
        if (twice || !fits(world, job, asked)) {
            ref_fail(world, job, "it is listed twice, or does not fit");
        }
    }
    if (listed != right) {
        ref_fail(world, NULL, "%u jobs are listed\n  expected: %u", listed, right);
    }
}

/* ---- operations ------------------------------------------------------------------------------ */

/* Something is wrong with it: so nothing is told. */
static enum leat_status
spoil(struct ref_world *world, struct leat_job_query *query, size_t *capacity)
{
    static const char longer[] = "012345678901234567890123456789012";
    switch (ref_below(world, 10)) {
    case 0:
        query->states = 1U << (STATES + 1);
        break;
    case 1:
        query->priorities = 1U << leat_priority_levels();
        break;
    case 2:
        query->look_max = LOOK_MAX + 1;
        break;
    case 3:
        query->tag = ref_chance(world, 50) ? "" : longer;
        break;
    case 4:
        query->key = longer;
        query->key_bytes = 0;
        break;
    case 5:
        *capacity = 0;
        break;
    case 6:
        query->type.bits = NO_HANDLE;
        return LEAT_NOT_FOUND;
    case 7:
        query->queue.bits = NO_HANDLE;
        return LEAT_NOT_FOUND;
    case 8:
        query->tenant.bits = NO_HANDLE;
        return LEAT_NOT_FOUND;
    default:
        query->version++;
        return LEAT_UNSUPPORTED;
    }
    return LEAT_INVALID;
}

static void
wrong(struct ref_world *world)
{
    leat_job_id id = {SENTINEL};
    size_t count = SENTINEL;
    size_t capacity = 1;
    struct leat_job_query query = leat_job_query_default();
    struct leat_job_tally tally = {.jobs = SENTINEL};
    enum leat_status right = spoil(world, &query, &capacity);
    ref_note(world, right, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_job_list(world->engine, &query, &id, capacity, &count));
    ref_answer(world, REF_AT_NOTHING, REF_ONE(right),
               leat_job_count(world->engine, &query, &tally, capacity));
    if (id.bits != SENTINEL || count != SENTINEL || tally.jobs != SENTINEL || query.more) {
        ref_fail(world, NULL, "a wrong query, and something is told");
    }
}

void
ref_op_job_list(struct ref_world *world)
{
    struct asked asked;
    if (ref_chance(world, 10)) {
        wrong(world);
        return;
    }
    ref_sync(world);
    draw(world, &asked);
    ref_note(world, asked.query.states, asked.query.priorities, asked.query.submitter.bits);
    check_list(world, &asked);
    check_count(world, &asked);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(LEAT_OK), LEAT_OK);
}
