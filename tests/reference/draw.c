/* draw.c - jobs that are to be submitted: with all options, and with one mistake now and then. */
#include "tests/reference/submit.h"

#include <string.h>

#define TIMEOUT_BAD 1

static void
draw_type(struct ref_world *world, struct spec *spec)
{
    spec->type = ref_below(world, REF_TYPES - (ref_chance(world, 95) ? 2 : 0));
    const struct ref_type *type = &world->types[spec->type];
    if (type->handle.bits != 0 && ref_chance(world, 60)) {
        spec->job.type = type->handle;
    } else {
        spec->job.type_name = ref_type_name(spec->type);
    }
}

static void
draw_queue(struct ref_world *world, struct spec *spec)
{
    spec->queue = ref_chance(world, 40) ? 0 : ref_below(world, REF_QUEUES);
    /* Most are left to queue_create, which draws their options. */
    if (world->queues[spec->queue].handle.bits == 0 && ref_chance(world, 90)) {
        spec->queue = 0;
    }
    const struct ref_queue *queue = &world->queues[spec->queue];
    if (queue->handle.bits != 0 && ref_chance(world, 60)) {
        spec->job.queue = queue->handle;
    } else if (spec->queue != 0 || ref_chance(world, 50)) {
        spec->job.queue_name = ref_queue_name(spec->queue);
    }
}

static void
draw_payload(struct ref_world *world, struct spec *spec)
{
    static const uint32_t most[] = {0, 16, 64, REF_PAYLOAD_MAX};
    uint32_t bytes = ref_below(world, most[ref_below(world, 4)] + 1);
    for (uint32_t i = 0; i < bytes; i += 8) {
        uint64_t random = test_random(&world->prng);
        memcpy(&spec->payload[i], &random, bytes - i < 8 ? bytes - i : 8);
    }
    spec->job.payload = spec->payload;
    spec->job.payload_bytes = bytes;
}

static void
draw_options(struct ref_world *world, struct spec *spec)
{
    spec->options = leat_job_options_default();
    spec->job.options = &spec->options;
    spec->options.order_priority = ref_below(world, 4);
    if (spec->job.delay_ns == 0 && ref_chance(world, 40)) {
        spec->options.run_at_ns = ref_chance(world, 3) ? UINT64_MAX : ref_wall_draw(world);
    }
    if (ref_chance(world, 40)) {
        spec->options.expires_in_ns = ref_chance(world, 5) ? LEAT_FOREVER - 1 : ref_delay(world);
    }
    if (ref_chance(world, 30)) {
        spec->options.timeout_ns = ref_chance(world, 50) ? 0 : (1 + ref_below(world, 9)) * REF_MS;
    }
    if (ref_chance(world, 40)) {
        spec->policy = ref_below(world, REF_POLICY_BAD);
        spec->retry = ref_policy(spec->policy);
        spec->options.retry = &spec->retry;
    }
    if (ref_chance(world, 20)) {
        uint64_t index = ref_below(world, REF_RECORDS);
        spec->options.submitter.bits = ref_chance(world, 80) ? world->jobs[index].id.bits : index;
    }
    if (ref_chance(world, 50)) {
        spec->shape = ref_key_draw(world, &spec->options, &spec->key);
    }
    if (ref_chance(world, 60)) {
        enum leat_status shape = ref_labels_draw(world, &spec->options, &spec->labels);
        spec->shape = spec->shape == LEAT_OK ? shape : spec->shape;
    }
    if (ref_chance(world, 60)) {
        enum leat_status shape = ref_ties_draw(world, &spec->options, &spec->ties);
        spec->shape = spec->shape == LEAT_OK ? shape : spec->shape;
    }
}

/* Of the job itself. */
static void
draw_mistake(struct ref_world *world, struct spec *spec)
{
    spec->shape = LEAT_INVALID;
    switch (ref_below(world, 7)) {
    case 0:
        spec->job.priority = leat_priority_levels();
        break;
    case 1:
        spec->job.payload_bytes = world->config.payload_bytes_max + 1;
        break;
    case 2:
        spec->job.max_attempts = 65536;
        break;
    case 3:
        spec->job.flags |= 2;
        spec->shape = LEAT_UNSUPPORTED;
        break;
    case 4:
        spec->job.delay_ns = 1;
        spec->options = leat_job_options_default();
        spec->options.run_at_ns = 1;
        spec->job.options = &spec->options;
        break;
    case 5:
        spec->options = leat_job_options_default();
        spec->options.timeout_ns = TIMEOUT_BAD;
        spec->job.options = &spec->options;
        break;
    default:
        spec->options = leat_job_options_default();
        spec->retry = ref_policy(REF_POLICY_BAD);
        spec->options.retry = &spec->retry;
        spec->job.options = &spec->options;
        break;
    }
}

/* Of what it names. */
static void
draw_wrong_name(struct ref_world *world, struct spec *spec)
{
    switch (ref_below(world, 4)) {
    case 0:
        spec->job.type.bits = 9999;
        spec->type = REF_NONE;
        break;
    case 1:
        spec->job.type.bits = 0;
        spec->job.type_name = "not a name";
        spec->type = REF_NONE;
        break;
    case 2:
        spec->job.queue.bits = 9999;
        spec->queue = REF_NONE;
        break;
    default:
        spec->job.queue.bits = 0;
        spec->job.queue_name = "";
        spec->queue = REF_NONE;
        break;
    }
}

static bool
is_exact(const struct ref_world *world, const struct spec *spec)
{
    return spec->queue != REF_NONE && world->queues[spec->queue].exact;
}

void
ref_spec_nothing(struct spec *spec)
{
    memset(spec, 0, sizeof(*spec));
    spec->job = leat_job_default();
    spec->type = REF_NONE;
    spec->policy = REF_NONE;
    spec->completions = REF_NONE;
    spec->key = REF_NONE;
    spec->labels.key = REF_NONE;
    spec->labels.name = REF_NONE;
}

void
ref_spec_draw(struct ref_world *world, struct spec *spec)
{
    ref_spec_nothing(spec);
    draw_type(world, spec);
    draw_queue(world, spec);
    draw_payload(world, spec);
    spec->job.priority = ref_chance(world, is_exact(world, spec) ? 95 : 60)
                             ? LEAT_PRIORITY_OF_QUEUE
                             : ref_below(world, leat_priority_levels());
    spec->job.flags = ref_chance(world, 25) ? LEAT_JOB_KEEP_RESULT : 0;
    spec->job.max_attempts =
        ref_chance(world, 60) ? 0 : 1 + ref_below(world, ref_chance(world, 20) ? 20 : 4);
    spec->job.delay_ns = ref_chance(world, 20) ? ref_delay(world) : 0;
    spec->job.delay_ns = ref_chance(world, 1) ? LEAT_FOREVER : spec->job.delay_ns;
    if (ref_chance(world, 35)) {
        draw_options(world, spec);
    }
    uint32_t queue = ref_below(world, REF_COMPLETIONS);
    if (ref_chance(world, 25) && world->completions[queue].queue != NULL) {
        spec->completions = queue;
        spec->job.completions = world->completions[queue].queue;
        spec->job.user = &world->jobs[ref_below(world, REF_RECORDS)];
    }
    if (ref_chance(world, 3)) {
        draw_mistake(world, spec);
    } else if (ref_chance(world, 3)) {
        draw_wrong_name(world, spec);
    }
}

/* ---- batches -------------------------------------------------------------------------------- */

uint32_t
ref_batch_draw(struct ref_world *world, struct spec *specs, struct leat_job *jobs, bool all)
{
    uint32_t count = ref_below(world, ref_chance(world, 20) ? REF_BATCH + 1 : 6);
    uint32_t level = ref_below(world, leat_priority_levels());
    bool one_level = ref_chance(world, 50);
    bool grouped = all && ref_chance(world, 95);
    bool one_queue = all && ref_chance(world, 30); /* so that their order is seen */
    for (uint32_t i = 0; i < count; i++) {
        ref_spec_draw(world, &specs[i]);
        if (one_queue && specs[0].queue != REF_NONE && specs[i].queue != REF_NONE) {
            specs[i].queue = specs[0].queue;
            specs[i].job.queue = specs[0].job.queue;
            specs[i].job.queue_name = specs[0].job.queue_name;
        }
        if (grouped && specs[i].shape == LEAT_OK) {
            specs[i].labels.conflict = LEAT_UNIQUE_REJECT;
            specs[i].options.unique_conflict = LEAT_UNIQUE_REJECT;
        }
        if (one_level && specs[i].job.priority != leat_priority_levels() &&
            !is_exact(world, &specs[i])) {
            specs[i].job.priority = level;
        }
        jobs[i] = specs[i].job;
        ref_labels_look(world, specs[i].type, &specs[i].labels);
    }
    return count;
}
