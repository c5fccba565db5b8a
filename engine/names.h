/* names.h - names of types, or of queues: text to index and back. Names are only added.
 *
 * Readers probe a hash index inside a section of rcu.h, wait-free. Adding takes a mutex; when the
 * index is half full, a larger one takes its place and the old one is freed after a grace period.
 */
#ifndef ENGINE_NAMES_H
#define ENGINE_NAMES_H

#include "engine/limits.h"
#include "ring/atomic.h"
#include "ring/memory.h"
#include "ring/mutex.h"

/* Letters: I set at init; S many writers; L under the mutex. */
struct leat_names {
    struct leat_memory memory;  /* I */
    leat_atomic_pointer *texts; /* S by index: struct name, or NULL */
    uint32_t capacity;          /* I */
    leat_atomic_u32 count;      /* W under the mutex */
    leat_atomic_pointer index;  /* W struct index, under the mutex */
    void *domain;               /* I of the grace periods */
    pthread_mutex_t mutex;      /* S */
};

#define LEAT_NAME_NONE UINT32_MAX

/* 1 to LEAT_NAME_BYTES_MAX bytes of [A-Za-z0-9_.:/-]. */
bool leat_name_valid(const char *text);

/* False: no memory. `names` is zeroed. `domain` as for leat_rcu_leave(). */
bool leat_names_init(struct leat_names *names, uint32_t capacity, const struct leat_memory *memory,
                     void *domain);
void leat_names_fini(struct leat_names *names);

/* The index of a name, or LEAT_NAME_NONE. Enters its own section. Progress: wait-free. */
uint32_t leat_names_find(struct leat_names *names, const char *text);

enum leat_names_result { LEAT_NAMES_OK, LEAT_NAMES_FOUND, LEAT_NAMES_FULL, LEAT_NAMES_NO_MEMORY };

/* Adds a valid name, or finds it (FOUND). Not inside a section. Progress: blocking. */
enum leat_names_result leat_names_add(struct leat_names *names, const char *text, uint32_t *index);

/* The text of an index, or NULL. Lives as long as the table. Progress: wait-free. */
const char *leat_names_text(const struct leat_names *names, uint32_t index);

#endif
