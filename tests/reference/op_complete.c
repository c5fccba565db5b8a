/* op_complete.c - attempts that are pending: completed, or given more time. */
#include "tests/reference/reference.h"

#include <string.h>

/* The token of the attempt that runs; of one before, or of none, now and then. */
leat_token
ref_token_of(struct ref_world *world, const struct ref_target *target)
{
    leat_token token = {target->id.bits, target->job == NULL ? 1 : target->job->runs};
    if (ref_chance(world, 10)) {
        static const uint64_t away[] = {1, 64, 65536, UINT64_C(1) << 40};
        token.attempt -= away[ref_below(world, 4)];
    }
    return token;
}

static bool
completes(const struct ref_world *world, const struct ref_job *job)
{
    (void)world;
    return ref_live(job) && (job->awaited || job->handled);
}

/* The jobs that have an attempt to complete come first. */
struct ref_target
ref_complete_target(struct ref_world *world)
{
    return ref_chance(world, 75) ? ref_target_of(world, completes) : ref_target(world);
}

enum leat_status
ref_complete_right(const struct ref_target *target, leat_token token)
{
    const struct ref_job *job = target->job;
    if (job == NULL) {
        return target->missing;
    }
    bool holds = job->state == LEAT_JOB_RUNNING && token.attempt == job->runs && !job->said &&
                 !job->timed_out;
    return holds ? LEAT_OK : LEAT_STALE;
}

/* By a call that was right. */
void
ref_completed(struct ref_world *world, struct ref_job *job, struct leat_outcome outcome,
              const char *error)
{
    job->late = error != NULL;
    if (error != NULL) {
        (void)snprintf(job->late_error, sizeof(job->late_error), "%s", error);
    }
    if (job->handled) {
        job->said = true;
        job->outcome = outcome;
        return;
    }
    ref_settle(world, job, outcome);
    if (!job->gone) {
        ref_look(world, job);
    }
}

void
ref_op_complete(struct ref_world *world)
{
    struct ref_target target = ref_complete_target(world);
    leat_token token = ref_token_of(world, &target);
    struct leat_outcome outcome = ref_outcome(world);
    const char *error = ref_chance(world, 30) ? ref_error_text(world) : NULL;
    enum leat_status right = ref_complete_right(&target, token);
    if (ref_chance(world, 3)) {
        outcome =
            ref_chance(world, 50) ? leat_pending() : leat_outcome_of((enum leat_outcome_kind)0, 0);
        right = LEAT_INVALID;
    }
    ref_note(world, target.id.bits, token.attempt, (uint64_t)outcome.kind);
    ref_answer(world, target.at, REF_ONE(right),
               leat_complete(world->engine, token, outcome, error));
    if (right == LEAT_OK) {
        ref_completed(world, target.job, outcome, error);
    }
}

/* ---- with a result --------------------------------------------------------------------------- */

/* What is wrong with it, most often nothing. */
static enum leat_status
answer_spoil(struct ref_world *world, struct leat_answer *answer)
{
    if (!ref_chance(world, 6)) {
        return LEAT_OK;
    }
    switch (ref_below(world, 5)) {
    case 0:
        answer->outcome = leat_pending();
        break;
    case 1:
        answer->timed_out = true;
        answer->outcome = ref_chance(world, 50) ? leat_done() : leat_fail();
        break;
    case 2:
        answer->result = NULL;
        answer->result_bytes = 1;
        break;
    case 3:
        answer->result_bytes = world->config.payload_bytes_max + 1;
        break;
    default:
        answer->version++;
        return LEAT_UNSUPPORTED;
    }
    return LEAT_INVALID;
}

void
ref_op_complete_with(struct ref_world *world)
{
    unsigned char result[REF_RESULT_MAX];
    struct leat_answer answer = leat_answer_default();
    struct ref_target target = ref_complete_target(world);
    struct ref_job *job = target.job;
    leat_token token = ref_token_of(world, &target);
    answer.outcome = ref_outcome(world);
    answer.error = ref_chance(world, 30) ? ref_error_text(world) : NULL;
    answer.result = result;
    answer.result_bytes = ref_chance(world, 40) ? 0 : ref_below(world, REF_RESULT_MAX + 1);
    answer.timed_out = answer.outcome.kind == LEAT_OUTCOME_RETRY && ref_chance(world, 40);
    memset(result, (int)(~token.attempt & 0xff), sizeof(result));
    enum leat_status right = ref_complete_right(&target, token);
    size_t bytes = answer.result_bytes;
    enum ref_keeps keeps = job == NULL || bytes == 0 ? REF_KEEPS_NOT : ref_keeps(world, job);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is right has a job */
    bool early = right == LEAT_OK && job->handled; /* its handler has not answered */
    bool much = keeps == REF_KEEPS || answer.timed_out;
    uint64_t rights = REF_ONE(early && much ? LEAT_WRONG_STATE : right);
    rights |= early && keeps == REF_KEEPS_MAYBE ? REF_ONE(LEAT_WRONG_STATE) : 0;
    enum leat_status shape = answer_spoil(world, &answer);
    rights = shape == LEAT_OK ? rights : REF_ONE(shape);
    ref_note(world, target.id.bits, token.attempt, (uint64_t)answer.outcome.kind);
    enum leat_status got = leat_complete_with(world->engine, token, &answer);
    ref_answer(world, target.at, rights, got);
    if (got != LEAT_OK) {
        return;
    }
    if (bytes != 0 && !early) {
        ref_result_set(world, job, result, bytes);
    }
    job->tardy = answer.timed_out;
    world->counts.timed_out += answer.timed_out ? 1 : 0;
    ref_completed(world, job, answer.outcome, answer.error);
}

/* ---- more time ------------------------------------------------------------------------------- */

enum leat_status
ref_extend_right(const struct ref_target *target, leat_token token)
{
    const struct ref_job *job = target->job;
    enum leat_status right = ref_complete_right(target, token);
    bool timed = right == LEAT_OK && job->awaited && job->until.high_ns != 0;
    return right == LEAT_OK && !timed ? LEAT_WRONG_STATE : right;
}

void
ref_extended(const struct ref_world *world, struct ref_job *job, uint64_t timeout_ns)
{
    uint64_t until_ns = ref_after(ref_boot(world), timeout_ns);
    if (until_ns > job->until.low_ns) {
        job->until.low_ns = until_ns;
    }
    if (until_ns + (UINT64_C(1) << 14) > job->until.high_ns) {
        job->until.high_ns = until_ns + (UINT64_C(1) << 14);
    }
}

void
ref_op_extend(struct ref_world *world)
{
    struct ref_target target = ref_complete_target(world);
    leat_token token = ref_token_of(world, &target);
    uint64_t timeout_ns = ref_delay(world);
    enum leat_status right = ref_extend_right(&target, token);
    ref_note(world, target.id.bits, token.attempt, timeout_ns);
    ref_answer(world, target.at, REF_ONE(right),
               leat_pending_extend(world->engine, token, timeout_ns));
    if (right == LEAT_OK) {
        ref_extended(world, target.job, timeout_ns);
    }
}
