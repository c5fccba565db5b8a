/* names.c - see names.h. */
#include "engine/names.h"

#include <string.h>

#include "ring/rcu.h"

struct name {
    uint32_t hash;
    uint32_t bytes; /* of this block */
    char text[];
};

/* Open addressing, linear probing; slots hold index + 1, 0 is free. At most half full. */
struct index {
    uint32_t mask;           /* I */
    uint32_t unused;         /* I */
    leat_atomic_u32 slots[]; /* W under the mutex */
};

#define INDEX_SLOTS_FIRST 64

/* FNV-1a: short names, no adversary beyond the program that embeds us. */
static uint32_t
hash_of(const char *text)
{
    uint32_t hash = 2166136261u;
    for (const char *c = text; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    }
    return hash;
}

bool
leat_name_valid(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_.:/-";
    size_t length = strnlen(text, LEAT_NAME_BYTES_MAX + 1);
    return length >= 1 && length <= LEAT_NAME_BYTES_MAX && strspn(text, allowed) == length;
}

static size_t
index_bytes(uint32_t slots)
{
    return sizeof(struct index) + sizeof(leat_atomic_u32) * slots;
}

static struct index *
index_new(const struct leat_memory *memory, uint32_t slots)
{
    struct index *index = leat_memory_take(memory, index_bytes(slots));
    if (index != NULL) {
        index->mask = slots - 1;
    }
    return index;
}

static const struct name *
name_of(const struct leat_names *names, uint32_t index)
{
    /* name:A acquire -> name:B.  Carries: the text.
     * If relaxed: a name just added could read as empty. */
    return atom_load_acq(&names->texts[index]);
}

const char *
leat_names_text(const struct leat_names *names, uint32_t index)
{
    if (index >= names->capacity) {
        return NULL;
    }
    const struct name *name = name_of(names, index);
    return name == NULL ? NULL : name->text;
}

/* The place of the name, or the free one where it would stand; *found is what the slot said when it
 * was judged, 0 where it was free. Ends: the index is half empty. */
static uint32_t
probe(const struct leat_names *names, const struct index *index, const char *text, uint32_t hash,
      uint32_t *found)
{
    uint32_t place = hash & index->mask;
    for (;;) {
        /* probe:A acquire -> probe:B.  Carries: the name behind the slot.
         * If relaxed: see name:A. */
        uint32_t slot = atom_load_acq(&index->slots[place]);
        *found = slot;
        if (slot == 0) {
            return place;
        }
        const struct name *name = name_of(names, slot - 1);
        if (name->hash == hash && strcmp(name->text, text) == 0) {
            return place;
        }
        place = (place + 1) & index->mask;
    }
}

static uint32_t
find(struct leat_names *names, const char *text)
{
    /* find:A acquire -> grow:A.  Carries: the slots of a new index.
     * If relaxed: a name could be missed. */
    const struct index *index = atom_load_acq(&names->index);
    uint32_t slot = 0;
    (void)probe(names, index, text, hash_of(text), &slot);
    return slot == 0 ? LEAT_NAME_NONE : slot - 1;
}

uint32_t
leat_names_find(struct leat_names *names, const char *text)
{
    leat_rcu_enter();
    uint32_t found = find(names, text);
    leat_rcu_leave(names->domain);
    return found;
}

/* Under the mutex. False: no memory. */
static bool
grow(struct leat_names *names)
{
    struct index *old = atom_load_rlx(&names->index); /* rlx: single writer */
    uint32_t count = atom_load_rlx(&names->count);    /* rlx: single writer */
    if (count * 2 < old->mask + 1) {
        return true;
    }
    struct index *larger = index_new(&names->memory, (old->mask + 1) * 2);
    if (larger == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t unused = 0;
        const struct name *name = name_of(names, i);
        uint32_t place = probe(names, larger, name->text, name->hash, &unused);
        atom_store_rlx(&larger->slots[place], i + 1); /* rlx: ordered by grow:A */
    }
    /* grow:A release -> find:A.  Carries: the slots.
     * If relaxed: see find:A. */
    atom_store_rel(&names->index, larger);
    leat_rcu_wait(names->domain);
    leat_memory_give(&names->memory, old, index_bytes(old->mask + 1));
    return true;
}

/* Under the mutex, for a name that is not there. */
static enum leat_names_result
append(struct leat_names *names, const char *text, uint32_t *index)
{
    uint32_t count = atom_load_rlx(&names->count); /* rlx: single writer */
    if (count == names->capacity) {
        return LEAT_NAMES_FULL;
    }
    size_t length = strlen(text);
    size_t bytes = sizeof(struct name) + length + 1;
    struct name *name = leat_memory_take(&names->memory, bytes);
    if (name == NULL) {
        return LEAT_NAMES_NO_MEMORY;
    }
    if (!grow(names)) {
        leat_memory_give(&names->memory, name, bytes);
        return LEAT_NAMES_NO_MEMORY;
    }
    name->hash = hash_of(text);
    name->bytes = (uint32_t)bytes;
    memcpy(name->text, text, length + 1);
    /* name:B release -> name:A.  Carries: the text.
     * If relaxed: see name:A. */
    atom_store_rel(&names->texts[count], name);
    atom_store_rlx(&names->count, count + 1);           /* rlx: statistic */
    struct index *slots = atom_load_rlx(&names->index); /* rlx: single writer */
    uint32_t unused = 0;
    uint32_t place = probe(names, slots, text, name->hash, &unused);
    /* probe:B release -> probe:A.  Carries: the name behind the slot.
     * If relaxed: see name:A. */
    atom_store_rel(&slots->slots[place], count + 1);
    *index = count;
    return LEAT_NAMES_OK;
}

enum leat_names_result
leat_names_add(struct leat_names *names, const char *text, uint32_t *index)
{
    LEAT_ASSERT(leat_name_valid(text));
    enum leat_names_result result = LEAT_NAMES_FOUND;
    leat_mutex_lock(&names->mutex);
    uint32_t found = find(names, text);
    if (found == LEAT_NAME_NONE) {
        result = append(names, text, index);
    } else {
        *index = found;
    }
    leat_mutex_unlock(&names->mutex);
    return result;
}

bool
leat_names_init(struct leat_names *names, uint32_t capacity, const struct leat_memory *memory,
                void *domain)
{
    names->memory = *memory;
    names->capacity = capacity;
    names->domain = domain;
    names->texts = leat_memory_take(memory, sizeof(leat_atomic_pointer) * capacity);
    struct index *index = index_new(memory, INDEX_SLOTS_FIRST);
    atom_init(&names->index, index);
    leat_mutex_init(&names->mutex);
    return names->texts != NULL && index != NULL;
}

void
leat_names_fini(struct leat_names *names)
{
    const struct leat_memory *memory = &names->memory;
    uint32_t count =
        names->texts == NULL ? 0 : atom_load_rlx(&names->count); /* rlx: single writer */
    for (uint32_t i = 0; i < count; i++) {
        struct name *name = atom_load_rlx(&names->texts[i]); /* rlx: single writer */
        leat_memory_give(memory, name, name->bytes);
    }
    struct index *index = atom_load_rlx(&names->index); /* rlx: single writer */
    if (index != NULL) {
        leat_memory_give(memory, index, index_bytes(index->mask + 1));
    }
    if (names->texts != NULL) {
        leat_memory_give(memory, names->texts, sizeof(leat_atomic_pointer) * names->capacity);
    }
    if (memory->release != NULL) {
        leat_mutex_fini(&names->mutex);
    }
}
