/* seal.h - what is stored is compressed and encrypted before: bytes in, a sealed record out, and
 * the way back. Why so, and what it protects and what not: docs/design/0039.
 *
 * It knows no log. A sealed record stands alone: it says which key, which open and which place in
 * its stream of nonces it is of, so that it may be moved, copied into another segment, or be the
 * only one that is left.
 *
 *   put    data -> lz4, if that helps -> AES-256-GCM -> record
 *   take   the same way back, from any record of any open, while its master key is given
 *
 * Roles    any thread puts, looks and takes; one at a time rotates.
 * Claims   put, take  lock-free, in what is done here. They work in a slot: a context of libcrypto
 *          with a key in it, and lz4's memory. Slots are made as many as CPUs; where all are taken,
 *          one more is made and kept, which allocates. A thread that stops in one keeps that one,
 *          and no more. libcrypto takes no lock between keys; with a new one it may.
 *          look       wait-free.
 * I1       No two records of one key have the same nonce. The key is derived from the master key,
 *          the salt of this open, which is random, and position >> LEAT_SEAL_EPOCH_LOG2; the nonce
 *          is the position, of which one addition gives each value once. Nothing that is done to
 *          what was stored brings a position back: what is opened again has another salt.
 * I2       Plain bytes never leave unauthenticated: where the tag is wrong, they are wiped.
 * I3       In a child of fork nothing is sealed: the keys are not there (LEAT_FORKED).
 * Edges    seal_keys:A -> seal_keys:B     a master key that was added
 *          seal_slot:D -> seal_slot:A     what the last one left in a slot
 *          seal_slot:C -> seal_slot:B     a slot that was made
 */
#ifndef ENGINE_SEAL_SEAL_H
#define ENGINE_SEAL_SEAL_H

#include "engine/leat.h"
#include "engine/seal/cipher.h"
#include "engine/seal/key.h"
#include "ring/atomic.h"
#include "ring/memory.h"

/* Master keys at a time: the present one, and those of which there are records still. */
#define LEAT_SEAL_KEYS_MAX 16
/* Threads in put or take at one moment: preempted ones too. */
#define LEAT_SEAL_SLOTS_MAX  1024
#define LEAT_SEAL_SALT_BYTES 16
/* Data above is compressed: below, lz4 saves less than a block of the log in most cases. */
#define LEAT_SEAL_COMPRESS_ABOVE UINT32_C(1024)
#define LEAT_SEAL_COMPRESS_NEVER UINT32_MAX
/* One key encrypts 2^32 blocks of AES, 64 GiB, and then another one is derived: an observer's gain
 * from so many is below 2^-64. */
#define LEAT_SEAL_EPOCH_LOG2 32

/* ---- the format ----------------------------------------------------------------------------- */

#define LEAT_SEAL_VERSION 1

enum leat_seal_flag {
    LEAT_SEAL_COMPRESSED = 1, /* the body is one block of lz4 */
    LEAT_SEAL_ENCRYPTED = 2
};

/* Numbers are in the byte order of the machine, as in the log. What is not encrypted has the first
 * 8 bytes only, and its body. What is: all of it, the body, and the tag; authenticated are head,
 * bound and body. The nonce is the position and 4 zeros. */
struct leat_seal_head {
    uint8_t version;
    uint8_t flags;
    uint16_t zero;
    uint32_t bytes; /* of the data */
    uint64_t key;   /* identity of the master key */
    unsigned char salt[LEAT_SEAL_SALT_BYTES];
    uint64_t position;
};

#define LEAT_SEAL_PLAIN_BYTES    8
#define LEAT_SEAL_OVERHEAD_BYTES (sizeof(struct leat_seal_head) + LEAT_CIPHER_TAG_BYTES)

LEAT_STATIC(sizeof(struct leat_seal_head) == 40, "no padding");
LEAT_STATIC(offsetof(struct leat_seal_head, key) == LEAT_SEAL_PLAIN_BYTES, "what plain ones have");

/* A record of so many bytes of data is never longer. */
LEAT_INLINE size_t
leat_seal_bound(uint32_t bytes)
{
    return bytes + LEAT_SEAL_OVERHEAD_BYTES;
}

/* ---- open and close ------------------------------------------------------------------------- */

struct leat_seal_config {
    struct leat_memory memory;
    /* Master keys, the one that seals first, then older ones that are needed to read; borrowed.
     * None: nothing is encrypted. */
    const struct leat_seal_source *keys;
    uint32_t keys_count;
    uint32_t compress_above; /* LEAT_SEAL_COMPRESS_NEVER: nothing is */
    /* Of the data of one record, here and in all that is read: a constant of the user's, and no
     * setting, as a lower one would refuse what was stored. Up to LEAT_SQUEEZE_BYTES_MAX. */
    uint32_t bytes_max;
    /* With keys: takes also what is not encrypted. That is for the time until the last of it is
     * gone, as meanwhile whoever can write to the disk may put records there. */
    bool takes_plain;
};

/* On a page of its own, which children do not get and core dumps do not have. */
struct leat_seal_secret {
    uint32_t alive; /* 1, and in a child of fork 0 */
    unsigned char salt[LEAT_SEAL_SALT_BYTES];
    unsigned char keys[LEAT_SEAL_KEYS_MAX][LEAT_SEAL_KEY_BYTES];
};

/* Letters: I set at open; O one who rotates; S many writers; T. */
struct leat_seal {
    struct leat_seal_config config;                 /* I without the sources */
    struct leat_cipher cipher;                      /* I */
    struct leat_seal_secret *secret;                /* I NULL: nothing is encrypted */
    uint64_t identities[LEAT_SEAL_KEYS_MAX];        /* O before keys_count says so */
    leat_atomic_u64 taken[LEAT_SEAL_KEYS_MAX];      /* T records that were taken, by key */
    leat_atomic_u32 keys_count;                     /* W who rotates; the last one seals */
    leat_atomic_u32 slots_count;                    /* S so many are there, or more */
    leat_atomic_pointer slots[LEAT_SEAL_SLOTS_MAX]; /* S struct leat_seal_slot, from the front */
    LEAT_ALIGNED_LINE leat_atomic_u64 position;     /* S of the next record, in blocks of AES */
};

/* What this build has. */
bool leat_seal_compresses(void);
bool leat_seal_encrypts(void);

/* Takes the keys, and draws a salt. LEAT_OK; LEAT_UNSUPPORTED: this build has no lz4, or no
 * libcrypto, or that does not give AES-256-GCM; LEAT_INVALID, also for a key twice; LEAT_NO_MEMORY,
 * and as leat_seal_key_take(). Nothing is then open, and no key is left in memory. */
enum leat_status leat_seal_open(struct leat_seal *seal, const struct leat_seal_config *config,
                                struct leat_error *error);
/* pre: nobody is at it. Wipes the keys. */
void leat_seal_close(struct leat_seal *seal);
/* From its return on records are sealed with another master key; older ones are taken as before.
 * One thread at a time, beside others that put and take. LEAT_OK; LEAT_EXISTS: it is one of those
 * that are there; LEAT_FULL: LEAT_SEAL_KEYS_MAX; LEAT_WRONG_STATE: nothing is encrypted;
 * LEAT_FORKED; and as leat_seal_open(). Nothing has then changed. */
enum leat_status leat_seal_rotate(struct leat_seal *seal, const struct leat_seal_source *source,
                                  struct leat_error *error);

/* ---- records -------------------------------------------------------------------------------- */

/* What goes in: data for put, a record for look and take. `bound` is stored by the user elsewhere,
 * in the clear, and must be the same when the record is taken: what kind it is, whose. */
struct leat_seal_item {
    const void *data;
    const void *bound;
    uint32_t bytes;
    uint32_t bound_bytes; /* at most 2^30 */
};

/* Seals data into `to`, which has leat_seal_bound() bytes and is not the data. LEAT_OK and *bytes
 * of the record; LEAT_INVALID: more than bytes_max; LEAT_NO_MEMORY, LEAT_BUSY: all
 * LEAT_SEAL_SLOTS_MAX are in it; LEAT_FORKED; LEAT_SYSTEM: libcrypto failed. */
enum leat_status leat_seal_put(struct leat_seal *seal, const struct leat_seal_item *item, void *to,
                               uint32_t *bytes);

/* What a record says of itself. Nothing of it is proven: only that the numbers are possible. */
struct leat_seal_sight {
    uint32_t data_bytes;
    uint32_t room_bytes; /* that leat_seal_take() needs: more than the data if it is compressed and
                            encrypted, and less than twice as much */
    uint64_t key;        /* identity of its master key; 0: it is not encrypted */
    bool compressed;
};

/* LEAT_OK; LEAT_CORRUPT; LEAT_UNSUPPORTED: a later version. Needs no key. */
enum leat_status leat_seal_look(const struct leat_seal *seal, const void *record, uint32_t bytes,
                                struct leat_seal_sight *sight);
/* Takes the data of a record into the first *bytes of `to`, which has `room` bytes. LEAT_OK;
 * LEAT_CORRUPT: not what was put, nor with this `bound`; LEAT_WRONG_KEY: its key is not given, or
 * it has none and that is not allowed; LEAT_FULL: sight.room_bytes is more; LEAT_UNSUPPORTED: of a
 * later version, or of a build with what this one lacks; LEAT_NO_MEMORY, LEAT_BUSY, LEAT_FORKED,
 * LEAT_SYSTEM as leat_seal_put(). `to` is then of no use. */
enum leat_status leat_seal_take(struct leat_seal *seal, const struct leat_seal_item *item, void *to,
                                uint32_t room, uint32_t *bytes);

/* Why a record was not taken: one sentence. Returns `status`. */
enum leat_status leat_seal_explain(const struct leat_seal *seal, const struct leat_seal_item *item,
                                   enum leat_status status, struct leat_error *error);

/* A master key: for reports, and to know when an older one is not needed any more. */
struct leat_seal_key_sight {
    uint64_t identity; /* derived from the key: says nothing of it */
    uint64_t taken;    /* records that were taken with it since the open */
    bool seals;
};

/* False: there are no more than `index`. */
bool leat_seal_key(const struct leat_seal *seal, uint32_t index, struct leat_seal_key_sight *sight);

#endif
