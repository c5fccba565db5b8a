/* sealed.h - records of jobs are compressed and encrypted before they are appended, and what was is
 * read back: one function each way. What seals: engine/seal/seal.h; why so: docs/design/0039.
 *
 *   given    head + data                              as record.h says, of any tag
 *   stored   what is in the clear + a sealed record   with LEAT_DURABLE_SEALED in its tag
 *
 * In the clear stays what a reader has to know without a key: whose record it is, and how its job
 * is (struct leat_durable_state), or which id has ended. Names, keys, tags, payloads, results and
 * texts are sealed, and the part in the clear cannot be changed either: the tag and it are what the
 * sealed record is bound to. Of a tag that is not known here nothing is in the clear.
 *
 * With a key every record is sealed, also one that has nothing else: so whoever can write to the
 * disk cannot make one, and the first record of a log shows a wrong key. Without a key a record is
 * sealed if that makes it smaller, and else stored as it is given.
 */
#ifndef ENGINE_DURABLE_SEALED_H
#define ENGINE_DURABLE_SEALED_H

#include "engine/durable/record.h"
#include "engine/seal/seal.h"
#include "engine/wal/wal.h"

#define LEAT_DURABLE_SEALED (UINT32_C(1) << 8)

/* Takes the keys that a configuration names, and what it says of compression. As leat_seal_open();
 * the field of the error is the one that is wrong. */
enum leat_status leat_sealed_open(struct leat_seal *seal, const struct leat_config *config,
                                  const struct leat_memory *memory, struct leat_error *error);

/* Some records are as short as this, and are written where no memory may be asked for. */
#define LEAT_SEALED_SHORT (sizeof(struct leat_durable_state) + LEAT_SEAL_OVERHEAD_BYTES + 16)

/* A record that is to be appended, and what it stands in. */
struct leat_sealed {
    struct leat_wal_entry entry;
    unsigned char *block; /* or NULL */
    size_t block_bytes;
    unsigned char small[LEAT_SEALED_SHORT];
};

/* Fills *sealed, which stays where it is until leat_sealed_give(). LEAT_OK; LEAT_NO_MEMORY,
 * LEAT_INVALID, LEAT_BUSY, LEAT_FORKED, LEAT_SYSTEM as leat_seal_put(): then there is nothing to
 * give. */
enum leat_status leat_sealed_make(struct leat_seal *seal, const struct leat_wal_entry *entry,
                                  struct leat_sealed *sealed);
void leat_sealed_give(const struct leat_seal *seal, struct leat_sealed *sealed);

/* What a record was unsealed into; one thread's. Zeros: nothing yet. */
struct leat_unsealed {
    unsigned char *block;
    size_t bytes;
    uint64_t key; /* of the last record: the identity of its master key, or 0 */
};

/* Reads a record: *plain is as it was given, and stands in it or in *room until the next one.
 * LEAT_OK; LEAT_CORRUPT, LEAT_WRONG_KEY, LEAT_UNSUPPORTED, LEAT_NO_MEMORY, LEAT_BUSY, LEAT_FORKED,
 * LEAT_SYSTEM as leat_seal_take(). */
enum leat_status leat_sealed_read(struct leat_seal *seal, struct leat_unsealed *room,
                                  const struct leat_wal_record *record,
                                  struct leat_wal_record *plain);
/* The same ahead of its turn, by any thread, for leat_wal_config.ahead, with the seal as context:
 * 0 where it was not sealed, or cannot be read, which its reader then finds. */
size_t leat_sealed_ahead(void *seal, const struct leat_wal_record *record, void *to, size_t room);
void leat_unsealed_give(const struct leat_seal *seal, struct leat_unsealed *room);
/* Why that was not LEAT_OK: a sentence, but for how it begins. Returns `status`. */
enum leat_status leat_sealed_explain(const struct leat_seal *seal,
                                     const struct leat_wal_record *record, enum leat_status status,
                                     struct leat_error *error);

/* What can be seen of a record without any key. */
struct leat_sealed_sight {
    uint32_t tag;         /* as it was given */
    uint32_t clear_bytes; /* at the record's begin */
    bool sealed;
    bool legible; /* what is below is known */
    struct leat_seal_sight seal;
};
struct leat_sealed_sight leat_sealed_look(const struct leat_seal *seal,
                                          const struct leat_wal_record *record);

#endif
