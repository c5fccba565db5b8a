/* slot.h - what one thread at a time seals with. */
#ifndef ENGINE_SEAL_SLOT_H
#define ENGINE_SEAL_SLOT_H

#include "engine/seal/seal.h"

/* Which key a context has, and for which way. */
struct leat_seal_name {
    uint64_t epoch;
    unsigned char salt[LEAT_SEAL_SALT_BYTES];
    uint32_t key; /* index */
    uint32_t way; /* 0: none yet */
};

#define LEAT_SEAL_WAY_SEAL   1
#define LEAT_SEAL_WAY_UNSEAL 2

/* Letters: O who holds it. */
struct leat_seal_slot {
    leat_atomic_u32 busy;       /* S */
    struct leat_seal_name name; /* O of the key in the context */
    void *context;              /* O of libcrypto; NULL: nothing is encrypted */
    void *state;                /* O of lz4; NULL: nothing is compressed */
};

/* Makes the first `count` of them. False: no memory; then leat_seal_slots_free(). */
bool leat_seal_slots_make(struct leat_seal *seal, uint32_t count);
/* pre: nobody holds one. */
void leat_seal_slots_free(struct leat_seal *seal);
/* LEAT_OK and a slot; LEAT_NO_MEMORY, LEAT_BUSY. */
enum leat_status leat_seal_slot_claim(struct leat_seal *seal, struct leat_seal_slot **slot);
void leat_seal_slot_give(struct leat_seal_slot *slot);
/* The context of the slot has that key. False: libcrypto failed. */
bool leat_seal_slot_key(const struct leat_seal *seal, struct leat_seal_slot *slot,
                        const struct leat_seal_name *name);

/* Master keys that are there: the last one seals. */
uint32_t leat_seal_keys_there(const struct leat_seal *seal);

#endif
