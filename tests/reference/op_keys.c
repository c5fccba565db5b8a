/* op_keys.c - order per key. Of all jobs with a key one has it, from its first attempt to its end,
 * or from its turn on; the others stand in a line, before their gates. The line is in the order in
 * which they came to wait for a worker. */
#include "tests/reference/reference.h"

#include <string.h>

#define KEY_BYTES_MAX 128

/* ---- drawing --------------------------------------------------------------------------------- */

const unsigned char *
ref_key_text(uint32_t key, size_t *bytes)
{
    static const unsigned char texts[REF_KEYS][KEY_BYTES_MAX + 1] = {{'a'}, {'a'}, {'b'}, {'c'}};
    static const size_t sizes[REF_KEYS] = {1, 2, 1, 1, KEY_BYTES_MAX, KEY_BYTES_MAX - 1};
    *bytes = sizes[key];
    return texts[key];
}

enum leat_status
ref_key_draw(struct ref_world *world, struct leat_job_options *options, uint32_t *key)
{
    *key = ref_below(world, REF_KEYS);
    options->key = ref_key_text(*key, &options->key_bytes);
    if (!ref_chance(world, 2)) {
        return LEAT_OK;
    }
    switch (ref_below(world, 3)) {
    case 0:
        options->key = NULL;
        break;
    case 1:
        options->key_bytes = 0;
        break;
    default:
        options->key_bytes = KEY_BYTES_MAX + 1;
        break;
    }
    return LEAT_INVALID;
}

/* ---- the line -------------------------------------------------------------------------------- */

static bool
same_key(const struct ref_job *job, const struct ref_job *other)
{
    return other != job && ref_live(other) && other->key == job->key && job->key != REF_NONE;
}

void
ref_key_enter(struct ref_job *job, uint64_t low, uint64_t high)
{
    if (!job->key_placed) {
        job->key_placed = true;
        job->key_low = low;
        job->key_high = high;
    }
}

void
ref_key_leave(struct ref_job *job)
{
    job->key_placed = false;
}

void
ref_key_end(struct ref_job *job)
{
    job->key_begun = false;
    job->key_placed = false;
}

void
ref_key_look(struct ref_world *world, const struct ref_job *job)
{
    ref_graph_catch_up(world);
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        if (same_key(job, &world->jobs[i])) {
            ref_peek(world, &world->jobs[i]);
        }
    }
}

bool
ref_key_may_begin(const struct ref_world *world, const struct ref_job *job)
{
    bool may = true;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *other = &world->jobs[i];
        /* Whatever holds that one back: keys come before gates, and before levels. */
        bool first = other->key_begun ||
                     (other->key_placed && !job->key_begun && other->key_high < job->key_low);
        may = may && !(same_key(job, other) && first);
    }
    return may;
}

/* Another one has its key, or may come to it before. */
bool
ref_key_waits(const struct ref_world *world, const struct ref_job *job)
{
    bool waits = false;
    for (uint32_t i = 0; i < REF_RECORDS && !job->key_begun; i++) {
        const struct ref_job *other = &world->jobs[i];
        bool before = other->key_placed && other->key_low <= job->key_high;
        waits = waits || (same_key(job, other) && (other->key_begun || before));
    }
    return waits;
}

bool
ref_key_holds(const struct ref_world *world, const struct ref_job *job)
{
    bool held = false;
    for (uint32_t i = 0; i < REF_RECORDS && !job->key_begun; i++) {
        const struct ref_job *other = &world->jobs[i];
        bool has = other->key_begun || (other->key_placed && other->key_low <= job->key_high &&
                                        ref_held_but(world, other, ref_key_holds));
        held = held || (same_key(job, other) && has);
    }
    return held;
}

/* Behind its turn it stands behind those that came to their places meanwhile. */
bool
ref_key_reorders(const struct ref_world *world, const struct ref_job *job,
                 const struct ref_job *other)
{
    (void)world;
    (void)job;
    return other->key != REF_NONE;
}

void
ref_key_begun(struct ref_world *world, struct ref_job *job)
{
    (void)world;
    job->key_begun = job->key != REF_NONE;
}
