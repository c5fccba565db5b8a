/* op_payload.c - the bytes of all payloads that do not fit beside their records, and the limit of
 * them. A job that has ended lets go of its payload when its place lets go of it; a dead one keeps
 * it as long as its record. */
#include "tests/reference/reference.h"

void
ref_payload_config(struct ref_world *world, struct leat_config *config)
{
    static const uint64_t most[] = {300, 900, 2000};
    if (ref_chance(world, 35)) {
        config->payload_bytes_inline = 32;
        config->payload_bytes_total_max = most[ref_below(world, 3)];
    }
}

static uint64_t
counted(const struct ref_world *world, uint64_t bytes)
{
    return bytes > world->config.payload_bytes_inline ? bytes : 0;
}

uint64_t
ref_payload_right(const struct ref_world *world, uint64_t right, uint64_t bytes, uint64_t *taken)
{
    uint64_t sure = *taken + counted(world, bytes);
    uint64_t maybe = 0;
    uint64_t most = world->config.payload_bytes_total_max;
    if (most == 0 || counted(world, bytes) == 0) {
        return right;
    }
    *taken = sure;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        const struct ref_job *job = &world->jobs[i];
        if (job->id.bits != 0 && !job->gone) {
            bool unsure = ref_final(job) && (job->zombie || job->state == LEAT_JOB_DEAD);
            sure += ref_live(job) ? counted(world, job->payload_bytes) : 0;
            maybe += unsure ? counted(world, job->payload_bytes) : 0;
        }
    }
    if (sure > most) {
        return REF_ONE(LEAT_FULL);
    }
    return sure + maybe > most ? right | REF_ONE(LEAT_FULL) : right;
}
