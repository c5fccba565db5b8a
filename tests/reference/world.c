/* world.c - drawing, noting what was called, and judging what came back. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

/* ---- drawing --------------------------------------------------------------------------------- */

uint32_t
ref_below(struct ref_world *world, uint32_t below)
{
    return test_random_below(&world->prng, below);
}

bool
ref_chance(struct ref_world *world, uint32_t percent)
{
    return ref_below(world, 100) < percent;
}

uint64_t
ref_delay(struct ref_world *world)
{
    switch (ref_below(world, 8)) {
    case 0:
        return 0;
    case 1:
        return 1 + ref_below(world, 1000);
    case 2:
        return 1 + ref_below(world, 2000000);
    case 3:
    case 4:
        return ref_below(world, 20) * REF_MS;
    case 5:
        return ref_below(world, 500) * REF_MS;
    case 6:
        return ref_below(world, 20) * REF_S;
    default:
        break;
    }
    return 1 + ref_below(world, 8) * REF_MS;
}

/* ---- clocks ---------------------------------------------------------------------------------- */

uint64_t
ref_boot(const struct ref_world *world)
{
    return atom_load_rlx(&world->clock.boot);
}

uint64_t
ref_wall(const struct ref_world *world)
{
    return atom_load_rlx(&world->clock.wall);
}

uint64_t
ref_monotonic(const struct ref_world *world)
{
    return ref_boot(world) - atom_load_rlx(&world->clock.suspended);
}

uint64_t
ref_wall_draw(struct ref_world *world)
{
    uint64_t ahead_ns = ref_delay(world);
    uint64_t back_ns = ref_below(world, 2) * REF_S;
    return ref_wall(world) + ahead_ns - back_ns;
}

uint64_t
ref_after(uint64_t now_ns, uint64_t delay_ns)
{
    return delay_ns > REF_FAR - now_ns ? REF_FAR : now_ns + delay_ns;
}

/* ---- noting ---------------------------------------------------------------------------------- */

void
ref_note(struct ref_world *world, uint64_t a, uint64_t b, uint64_t c)
{
    struct ref_entry *entry = &world->journal[world->journal_count % REF_JOURNAL];
    world->journal_count++;
    entry->name = ref_operations[world->operation].name;
    entry->step = world->step;
    entry->values[0] = a;
    entry->values[1] = b;
    entry->values[2] = c;
    entry->status = -1;
    entry->nested = world->current != NULL;
    world->noted = entry;
}

void
ref_answer(struct ref_world *world, uint32_t at, uint64_t right, enum leat_status got)
{
    world->noted->status = (int)got;
    world->coverage->cells[world->operation][got][at]++;
    if ((right & REF_ONE(got)) != 0) {
        return;
    }
    char text[400] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < LEAT_STATUS_COUNT; i++) {
        if ((right & REF_ONE(i)) != 0 && used < sizeof(text) - 100) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                                     used == 0 ? "" : " | ", leat_status_text((enum leat_status)i));
        }
    }
    ref_fail(world, NULL, "answered: %s\n  expected: %s", leat_status_text(got), text);
}

void
ref_met(struct ref_world *world, enum ref_met what)
{
    world->coverage->met[what]++;
}

void
ref_report(const struct ref_world *world, FILE *to)
{
    uint64_t first = world->journal_count > REF_JOURNAL ? world->journal_count - REF_JOURNAL : 0;
    (void)fprintf(to,
                  "reference: seed %" PRIu64 ", episode %" PRIu64 ", step %" PRIu64
                  "\n  again:   --seed %" PRIu64 " --episode %" PRIu64
                  "\n  shorter: --seed %" PRIu64 " --episode %" PRIu64 " --shrink\n",
                  world->seed, world->episode, world->step, world->seed, world->episode,
                  world->seed, world->episode);
    (void)fprintf(to,
                  "  engine: jobs_max %u, retained_max %u, dead_max %u, starvation_picks %u, "
                  "timer_tick_log2 %u\n",
                  world->config.jobs_max, world->config.retained_max, world->config.dead_max,
                  world->config.starvation_picks, world->config.timer_tick_log2);
    for (uint64_t i = first; i < world->journal_count; i++) {
        const struct ref_entry *entry = &world->journal[i % REF_JOURNAL];
        const char *status =
            entry->status < 0 ? "..." : leat_status_text((enum leat_status)entry->status);
        (void)fprintf(to, "  %6" PRIu64 " %s%-16s %" PRIx64 " %" PRIu64 " %" PRIu64 ": %s\n",
                      entry->step, entry->nested ? "    " : "", entry->name, entry->values[0],
                      entry->values[1], entry->values[2], status);
    }
}

static void
gate_report(const char *what, const struct ref_gate *gate, const struct ref_bucket *bucket,
            FILE *to)
{
    (void)fprintf(
        to, "  its %s: %u inside of %u%s%s, rate %" PRIu64 " in %" PRIu64 ", at once %" PRIu64 "\n",
        what, gate->inside, gate->most, gate->used ? ", used" : "", gate->paused ? ", paused" : "",
        bucket->jobs, bucket->per_ns, bucket->burst);
}

static void
node_report(const struct ref_world *world, const struct ref_job *job, FILE *to)
{
    const struct ref_node *node = &job->node;
    (void)fprintf(to, "  %u uses%s%s%s%s, policy %u, cohort %" PRIx64 "\n", node->uses,
                  node->leans ? ", leans" : "", node->lingers ? ", lingers" : "",
                  node->leaves ? ", leaves" : "", node->cohort.is ? ", a cohort" : "",
                  (unsigned)node->policy, node->cohort_id.bits);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct ref_edge *edge = &node->edges[i];
        const struct ref_job *parent = &world->jobs[edge->parent.bits % REF_RECORDS];
        (void)fprintf(to, "  its parent %" PRIx64 "%s: %s%s%s\n", edge->parent.bits,
                      edge->counted ? ", counted" : "", leat_job_state_text(parent->state),
                      parent->unlisted ? ", no letter" : "", parent->gone ? ", gone" : "");
    }
}

static void
job_report(const struct ref_world *world, const struct ref_job *job, FILE *to)
{
    (void)fprintf(to,
                  "  job %" PRIx64 " in the model: %s, %s%s%s%s%s%s, type %u, queue %u, level %u, "
                  "runs %u, attempts %u, due in %" PRId64 " to %" PRId64 "%s, expires in %" PRId64
                  ", order %" PRIu64 " to %" PRIu64 ", said \"%s\"\n",
                  job->id.bits, leat_job_state_text(job->state), leat_reason_text(job->reason),
                  job->kept ? ", kept" : "", job->gone ? ", gone" : "",
                  job->awaited ? ", awaited" : "", job->moved ? ", moved" : "",
                  job->cancel ? ", cancel asked" : "", job->type, job->queue, job->level, job->runs,
                  job->attempts, (int64_t)(job->due.low_ns - ref_boot(world)),
                  (int64_t)(job->due.high_ns - ref_boot(world)), job->due.wall ? " (wall)" : "",
                  (int64_t)(job->expires_ns - ref_boot(world)), job->low, job->high, job->error);
    node_report(world, job, to);
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *other = &world->jobs[i];
        if (ref_live(other) && other->state == LEAT_JOB_RUNNING) {
            (void)fprintf(to, "  %" PRIx64 " runs: type %u, queue %u%s\n", other->id.bits,
                          other->type, other->queue, other->inside ? ", inside" : "");
        }
    }
    gate_report("queue", &world->queues[job->queue].gate, &world->queues[job->queue].bucket, to);
    gate_report("type", &world->types[job->type].gate, &world->types[job->type].bucket, to);
}

/* One for each kind of failure, as far as 8 bits go. */
static int
exit_status(const struct ref_world *world, const char *format)
{
    uint32_t hash = world->operation;
    for (const char *at = format; *at != '\0'; at++) {
        hash = hash * 31 + (unsigned char)*at;
    }
    return world->shrinks ? 2 + (int)(hash % 200) : 1;
}

void
ref_fail(struct ref_world *world, const struct ref_job *job, const char *format, ...)
{
    ref_report(world, stderr);
    if (job != NULL) {
        job_report(world, job, stderr);
    }
    va_list values;
    va_start(values, format);
    (void)fprintf(stderr, "reference: step %" PRIu64 ": ", world->step);
    (void)vfprintf(stderr, format, values);
    (void)fprintf(stderr, "\n");
    va_end(values);
    exit(exit_status(world, format)); /* NOLINT(concurrency-mt-unsafe): the only thread */
}

/* ---- nested ---------------------------------------------------------------------------------- */

void
ref_run_nested(struct ref_world *world)
{
    uint32_t before = world->operation;
    uint32_t row = 0;
    do {
        row = ref_below(world, ref_operations_count);
    } while (!ref_operations[row].in_handlers);
    world->operation = row;
    ref_operations[row].run(world);
    ref_order_look(world);
    world->operation = before;
}
