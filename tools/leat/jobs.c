/* jobs.c - records of the engine's in a log (engine/durable/record.h), field by field. What is not
 * one of them is shown by its bytes. */
#include <string.h>

#include "engine/config.h"
#include "engine/durable/internal.h"
#include "engine/job.h"
#include "tools/leat/wal.h"

/* ---- kinds ----------------------------------------------------------------------------------- */

/* What of a job is in the clear. */
static void
state_print(struct wal_verb *verb, const struct leat_durable_state *state)
{
    wal_field_word(verb, "kind", state->image != 0 ? "image" : "step");
    wal_field(verb, "id", state->id);
    wal_field(verb, "version", state->version);
    wal_field_word(verb, "state",
                   state->phase == LEAT_PHASE_FILLING
                       ? "pending"
                       : leat_job_state_text((enum leat_job_state)state->phase));
    if (leat_phase_final(state->phase)) {
        wal_field_text(verb, "reason", leat_reason_text((enum leat_reason)state->reason));
    }
    wal_field(verb, "priority", state->level);
    wal_field(verb, "attempts", state->attempts);
    wal_field(verb, "crashes", state->crashes);
    if (state->due_ns != 0) {
        wal_field(verb, "due_unix_ns", state->due_ns);
    }
    wal_field(verb, "content_bytes", state->content_bytes);
    wal_field(verb, "error_bytes", state->error_bytes);
    wal_field(verb, "result_bytes", state->result_bytes);
}

static void
content_print(struct wal_verb *verb, const struct leat_durable_found *found)
{
    wal_field_text(verb, "type", found->job.type_name);
    wal_field_text(verb, "queue", found->job.queue_name);
    if (found->options.name != NULL) {
        wal_field_text(verb, "name", found->options.name);
    }
    wal_field(verb, "max_attempts", found->job.max_attempts);
    wal_field(verb, "submit_unix_ns", found->submit_ns);
    wal_field(verb, "payload_bytes", found->job.payload_bytes);
    if (verb->payload) {
        wal_field_hex(verb, "payload", found->job.payload, found->job.payload_bytes);
    }
}

static void
tail_print(struct wal_verb *verb, const struct leat_durable_parts *parts)
{
    char text[LEAT_ERROR_BYTES] = "";
    size_t bytes = parts->state.error_bytes;
    if (bytes != 0) {
        memcpy(text, parts->error, bytes < sizeof(text) ? bytes : sizeof(text) - 1);
        wal_field_text(verb, "error", text);
    }
    if (verb->payload && parts->state.result_bytes != 0) {
        wal_field_hex(verb, "result", parts->result, parts->state.result_bytes);
    }
}

static bool
job_print(struct wal_verb *verb, const struct leat_wal_record *plain)
{
    struct leat_durable_parts parts;
    struct leat_durable_found found;
    bool good = leat_durable_parts_read(&parts, plain->data, plain->bytes) == LEAT_OK;
    bool image = good && parts.state.image != 0;
    good = good && (!image || leat_durable_content_read(&found, parts.content,
                                                        parts.state.content_bytes) == LEAT_OK);
    if (good) {
        state_print(verb, &parts.state);
        tail_print(verb, &parts);
    }
    if (good && image) {
        content_print(verb, &found);
    }
    return good;
}

static bool
end_print(struct wal_verb *verb, const struct leat_wal_record *plain)
{
    uint64_t id = 0;
    if (plain->bytes != sizeof(id)) {
        return false;
    }
    memcpy(&id, plain->data, sizeof(id));
    wal_field_word(verb, "kind", "end");
    wal_field(verb, "id", id);
    return true;
}

static bool
ids_print(struct wal_verb *verb, const struct leat_wal_record *plain)
{
    struct leat_durable_ids ids;
    if (plain->bytes != sizeof(ids)) {
        return false;
    }
    memcpy(&ids, plain->data, sizeof(ids));
    if (ids.format != LEAT_DURABLE_FORMAT) {
        return false;
    }
    wal_field_word(verb, "kind", "ids");
    wal_field(verb, "ceiling", ids.ceiling);
    return true;
}

static bool
queue_print(struct wal_verb *verb, const struct leat_wal_record *plain)
{
    struct leat_durable_queue queue;
    char name[LEAT_NAME_BYTES_MAX + 1] = "";
    if (plain->bytes <= sizeof(queue) || plain->bytes - sizeof(queue) > LEAT_NAME_BYTES_MAX) {
        return false;
    }
    memcpy(&queue, plain->data, sizeof(queue));
    memcpy(name, plain->data + sizeof(queue), plain->bytes - sizeof(queue));
    if (queue.format != LEAT_DURABLE_FORMAT) {
        return false;
    }
    wal_field_word(verb, "kind", "queue");
    wal_field_text(verb, "queue", name);
    wal_field(verb, "priority", queue.priority);
    wal_field(verb, "pull", queue.pull);
    wal_field(verb, "exact", queue.exact);
    return true;
}

static bool
count_print(struct wal_verb *verb, const struct leat_wal_record *plain)
{
    struct leat_durable_count count;
    if (plain->bytes != sizeof(count)) {
        return false;
    }
    memcpy(&count, plain->data, sizeof(count));
    if (count.format != LEAT_DURABLE_FORMAT) {
        return false;
    }
    wal_field_word(verb, "kind", "count");
    wal_field(verb, "id", count.id);
    wal_field(verb, "number", count.number);
    wal_field(verb, "completed", count.completed);
    wal_field(verb, "dead", count.dead);
    wal_field(verb, "cancelled", count.cancelled);
    wal_field(verb, "closed", (count.flags & LEAT_DURABLE_CLOSED) != 0);
    return true;
}

static void
rate_print(struct wal_verb *verb, const struct leat_durable_tuning *tuning)
{
    if ((tuning->tuned & LEAT_TUNED_RATE) != 0) {
        wal_field(verb, "rate_jobs", tuning->rate.jobs);
        wal_field(verb, "rate_per_ns", tuning->rate.per_ns);
        wal_field(verb, "rate_burst", tuning->rate.burst);
    }
    if ((tuning->tuned & LEAT_TUNED_KEY_RATE) != 0) {
        wal_field(verb, "key_rate_jobs", tuning->key_rate.jobs);
        wal_field(verb, "key_rate_per_ns", tuning->key_rate.per_ns);
        wal_field(verb, "key_rate_burst", tuning->key_rate.burst);
    }
}

/* What a call has set, and no more. */
static bool
tuning_print(struct wal_verb *verb, const struct leat_wal_record *plain)
{
    struct leat_durable_named named;
    if (leat_durable_tuning_read(&named, plain) != LEAT_OK) {
        return false;
    }
    const struct leat_durable_tuning *tuning = &named.tuning;
    wal_field_word(verb, "kind", "tuning");
    wal_field_text(verb, "queue", named.name);
    wal_field(verb, "version", tuning->version);
    if ((tuning->tuned & LEAT_TUNED_PAUSE) != 0) {
        wal_field(verb, "paused", (tuning->flags & LEAT_DURABLE_PAUSED) != 0);
    }
    if ((tuning->tuned & LEAT_TUNED_RUNNING_MAX) != 0) {
        wal_field(verb, "running_max", tuning->running_max);
    }
    if ((tuning->tuned & LEAT_TUNED_RUNNING_MIN) != 0) {
        wal_field(verb, "running_min", tuning->running_min);
    }
    if ((tuning->tuned & LEAT_TUNED_WEIGHT) != 0) {
        wal_field(verb, "weight", tuning->weight);
    }
    if ((tuning->tuned & LEAT_TUNED_LIMITS) != 0) {
        wal_field(verb, "waiting_max", tuning->waiting_max);
        wal_field(verb, "waiting_bytes_max", tuning->waiting_bytes_max);
        wal_field(verb, "full", tuning->full);
        wal_field(verb, "block_ns", tuning->block_ns);
    }
    rate_print(verb, tuning);
    return true;
}

/* False: it is none of these, and nothing was printed. */
static bool
plain_print(struct wal_verb *verb, const struct leat_wal_record *plain)
{
    switch (plain->tag) {
    case LEAT_DURABLE_JOB:
        return job_print(verb, plain);
    case LEAT_DURABLE_END:
        return end_print(verb, plain);
    case LEAT_DURABLE_IDS:
        return ids_print(verb, plain);
    case LEAT_DURABLE_QUEUE:
        return queue_print(verb, plain);
    case LEAT_DURABLE_COUNT:
        return count_print(verb, plain);
    case LEAT_DURABLE_TUNING:
        return tuning_print(verb, plain);
    default:
        return false;
    }
}

/* ---- sealed ones ----------------------------------------------------------------------------- */

/* What can be seen of a record that cannot be read. */
static void
clear_print(struct wal_verb *verb, const struct leat_wal_record *record,
            const struct leat_sealed_sight *sight)
{
    struct leat_wal_record clear = {record->data, sight->clear_bytes, sight->tag, NULL};
    struct leat_durable_state state;
    if (sight->tag == LEAT_DURABLE_JOB) {
        memcpy(&state, record->data, sizeof(state));
        state.phase = state.phase < LEAT_PHASE_COUNT ? state.phase : 0;
        state_print(verb, &state);
    } else if (sight->tag != LEAT_DURABLE_END || !end_print(verb, &clear)) {
        wal_field_word(verb, "kind", "sealed");
    }
}

static void
sight_print(struct wal_verb *verb, const struct leat_sealed_sight *sight)
{
    unsigned char key[sizeof(sight->seal.key)];
    uint64_t rest = sight->seal.key;
    for (size_t i = sizeof(key); i-- > 0; rest >>= 8) {
        key[i] = (unsigned char)rest;
    }
    wal_field(verb, "compressed", sight->seal.compressed ? 1 : 0);
    if (sight->seal.key != 0) {
        wal_field_hex(verb, "key", key, sizeof(key));
    }
}

void
wal_record_print(struct wal_verb *verb, const struct leat_wal_record *record)
{
    const struct leat_sealed_sight sight = leat_sealed_look(verb->seal, record);
    struct leat_wal_record plain;
    enum leat_status status = leat_sealed_read(verb->seal, &verb->room, record, &plain);
    bool shown = status == LEAT_OK && plain_print(verb, &plain);
    if (!shown && status == LEAT_OK) {
        wal_field_hex(verb, "data", plain.data, plain.bytes);
    } else if (!shown && sight.legible) {
        clear_print(verb, record, &sight);
        wal_field_text(verb, "refused", leat_status_text(status));
    } else if (!shown) {
        wal_field_hex(verb, "data", record->data, record->bytes);
    }
    if (sight.legible) {
        sight_print(verb, &sight);
    }
}

enum leat_status
wal_record_verify(struct wal_verb *verb, const struct leat_wal_record *record,
                  struct leat_error *error)
{
    struct leat_wal_record plain;
    struct leat_durable_parts parts;
    struct leat_durable_found found;
    enum leat_status status = leat_sealed_read(verb->seal, &verb->room, record, &plain);
    if (status != LEAT_OK) {
        return leat_sealed_explain(verb->seal, record, status, error);
    }
    if (plain.tag == LEAT_DURABLE_JOB) {
        status = leat_durable_parts_read(&parts, plain.data, plain.bytes);
    }
    if (status == LEAT_OK && plain.tag == LEAT_DURABLE_JOB && parts.state.image != 0) {
        status = leat_durable_content_read(&found, parts.content, parts.state.content_bytes);
    }
    return status == LEAT_OK ? LEAT_OK
                             : leat_error_set(error, status, "", "a record is none of a job");
}
