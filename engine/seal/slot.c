/* slot.c - what one thread at a time seals with. There are as many as CPUs at first. Where all that
 * are there are held, which is so when threads were preempted in one, another one is made: so the
 * number comes to what was once held at a moment, and then nothing is allocated any more. */
#include "engine/seal/slot.h"

#include <string.h>

#include "engine/seal/squeeze.h"
#include "ring/os.h"

static void
slot_free(const struct leat_seal *seal, struct leat_seal_slot *slot)
{
    const struct leat_memory *memory = &seal->config.memory;
    leat_cipher_context_give(slot->context);
    leat_memory_give(memory, slot->state, leat_squeeze_state_bytes());
    leat_memory_give(memory, slot, sizeof(*slot));
}

/* A slot that is held already; or NULL. */
static struct leat_seal_slot *
slot_make(const struct leat_seal *seal)
{
    const struct leat_memory *memory = &seal->config.memory;
    struct leat_seal_slot *slot = leat_memory_take_lines(memory, sizeof(*slot));
    if (slot == NULL) {
        return NULL;
    }
    atom_init(&slot->busy, 1);
    bool squeezes = seal->config.compress_above != LEAT_SEAL_COMPRESS_NEVER;
    if (squeezes) {
        slot->state = leat_memory_take(memory, leat_squeeze_state_bytes());
    }
    if (seal->secret != NULL) {
        slot->context = leat_cipher_context();
    }
    if ((squeezes && slot->state == NULL) || (seal->secret != NULL && slot->context == NULL)) {
        slot_free(seal, slot);
        return NULL;
    }
    return slot;
}

/* Behind the last one. False: there is no place. */
static bool
slot_add(struct leat_seal *seal, struct leat_seal_slot *slot)
{
    /* rlx: hint, re-checked at seal_slot:C */
    uint32_t first = atom_load_rlx(&seal->slots_count);
    for (uint32_t i = first; i < LEAT_SEAL_SLOTS_MAX; i++) {
        void *expected = NULL;
        /* seal_slot:C release -> seal_slot:B.  Carries: the slot as it was made.
         * If relaxed: seal_slot:B reads a slot with no context. */
        if (atom_cas_rel(&seal->slots[i], &expected, slot)) {
            atom_add_rlx(&seal->slots_count, 1); /* rlx: hint, re-checked at seal_slot:B */
            return true;
        }
    }
    return false;
}

bool
leat_seal_slots_make(struct leat_seal *seal, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < LEAT_SEAL_SLOTS_MAX; i++) {
        struct leat_seal_slot *slot = slot_make(seal);
        if (slot == NULL) {
            return false;
        }
        (void)slot_add(seal, slot);
        leat_seal_slot_give(slot);
    }
    return true;
}

void
leat_seal_slots_free(struct leat_seal *seal)
{
    for (uint32_t i = 0; i < LEAT_SEAL_SLOTS_MAX; i++) {
        struct leat_seal_slot *slot = atom_load_rlx(&seal->slots[i]); /* rlx: not shared yet */
        if (slot != NULL) {
            slot_free(seal, slot);
        }
        atom_init(&seal->slots[i], NULL);
    }
}

enum leat_status
leat_seal_slot_claim(struct leat_seal *seal, struct leat_seal_slot **slot)
{
    /* rlx: hint, re-checked at seal_slot:B */
    uint32_t count = atom_load_rlx(&seal->slots_count);
    uint32_t start = leat_os_cpu();
    for (uint32_t i = 0; i < count; i++) {
        /* seal_slot:B acquire -> seal_slot:C.  Carries: the slot as it was made.
         * If relaxed: its fields can be read as they were before. */
        struct leat_seal_slot *one = atom_load_acq(&seal->slots[(start + i) % count]);
        uint32_t expected = 0;
        /* seal_slot:A acquire -> seal_slot:D.  Carries: the key's name and the context behind it.
         * If relaxed: the name is new and the context still has the key of before. */
        if (one != NULL && atom_cas_acq(&one->busy, &expected, 1)) {
            *slot = one;
            return LEAT_OK;
        }
    }
    if (count >= LEAT_SEAL_SLOTS_MAX) {
        return LEAT_BUSY;
    }
    struct leat_seal_slot *made = slot_make(seal);
    if (made == NULL) {
        return LEAT_NO_MEMORY;
    }
    if (!slot_add(seal, made)) {
        slot_free(seal, made);
        return LEAT_BUSY;
    }
    *slot = made;
    return LEAT_OK;
}

void
leat_seal_slot_give(struct leat_seal_slot *slot)
{
    /* seal_slot:D release -> seal_slot:A.  Carries: what was done in the slot.
     * If relaxed: the next one can find half of a key in it. */
    atom_store_rel(&slot->busy, 0);
}

static bool
name_is(const struct leat_seal_name *name, const struct leat_seal_name *other)
{
    return name->way == other->way && name->key == other->key && name->epoch == other->epoch &&
           memcmp(name->salt, other->salt, sizeof(name->salt)) == 0;
}

bool
leat_seal_slot_key(const struct leat_seal *seal, struct leat_seal_slot *slot,
                   const struct leat_seal_name *name)
{
    static const char purpose[] = "leat seal 1";
    unsigned char info[sizeof(purpose) + sizeof(name->epoch)];
    unsigned char key[LEAT_CIPHER_KEY_BYTES];
    if (name_is(&slot->name, name)) {
        return true;
    }
    slot->name.way = 0;
    memcpy(info, purpose, sizeof(purpose));
    memcpy(info + sizeof(purpose), &name->epoch, sizeof(name->epoch));
    const struct leat_cipher_source source = {
        .key = seal->secret->keys[name->key],
        .key_bytes = LEAT_SEAL_KEY_BYTES,
        .salt = name->salt,
        .salt_bytes = sizeof(name->salt),
        .info = info,
        .info_bytes = sizeof(info),
    };
    bool good = leat_cipher_derive(&seal->cipher, &source, key, sizeof(key)) &&
                leat_cipher_key(&seal->cipher, slot->context, key, name->way == LEAT_SEAL_WAY_SEAL);
    explicit_bzero(key, sizeof(key));
    if (good) {
        slot->name = *name;
    }
    return good;
}
