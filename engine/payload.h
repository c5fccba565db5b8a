/* payload.h - where the bytes of a payload stand, by how many there are: in the record, in the
 * array beside the records, or in a block of the allocator, which payload_bytes_total_max bounds.
 * leat_job_reclaim() gives them back. */
#ifndef ENGINE_PAYLOAD_H
#define ENGINE_PAYLOAD_H

#include <string.h>

#include "engine/engine_internal.h"
#include "engine/room.h"

/* Copies the payload of a job to the record that is being filled. LEAT_FULL, LEAT_TIMEOUT (there is
 * no room for it at present), LEAT_NO_MEMORY: it has none then. */
LEAT_INLINE enum leat_status
leat_payload_copy(struct leat_engine *engine, uint32_t index, const struct leat_job *job)
{
    struct leat_job_record *record = leat_job_record(engine, index);
    size_t bytes = job->payload_bytes;
    uint32_t room = engine->config.payload_bytes_inline;
    atom_store_rlx(&record->payload_bytes, (uint32_t)bytes); /* rlx: ordered by submit:A */
    if (bytes == 0) {
        leat_payload_place_set(record, LEAT_PAYLOAD_NONE);
    } else if (bytes <= LEAT_PAYLOAD_RECORD_BYTES) {
        leat_payload_place_set(record, LEAT_PAYLOAD_RECORD);
        memcpy(record->payload.bytes, job->payload, bytes);
    } else if (bytes <= room) {
        leat_payload_place_set(record, LEAT_PAYLOAD_INLINE);
        memcpy(leat_job_inline(engine, index), job->payload, bytes);
    } else {
        leat_payload_place_set(record, LEAT_PAYLOAD_NONE);
        enum leat_status status = leat_room_payload_take(engine, bytes);
        if (status != LEAT_OK) {
            return status;
        }
        void *copy = leat_memory_take(&engine->footprint.below, bytes);
        if (copy == NULL) {
            leat_room_payload_give(engine, bytes);
            return LEAT_NO_MEMORY;
        }
        memcpy(copy, job->payload, bytes);
        record->payload.pointer = copy;
        leat_payload_place_set(record, LEAT_PAYLOAD_HEAP);
    }
    return LEAT_OK;
}

#endif
