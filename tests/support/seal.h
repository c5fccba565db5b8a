/* seal.h - what tests of engine/seal share: keys of numbers, and whether a nonce came twice. */
#ifndef TESTS_SUPPORT_SEAL_H
#define TESTS_SUPPORT_SEAL_H

#include "engine/seal/seal.h"
#include "tests/support/prng.h"

/* A master key for each number. */
struct leat_seal_source seal_test_key(uint32_t number);

/* A setting: what of both, with which keys, of numbers keys[0] .. */
struct seal_test_setting {
    uint32_t keys[LEAT_SEAL_KEYS_MAX + 1];
    uint32_t keys_count;
    uint32_t compress_above;
    bool takes_plain;
};

#define SEAL_TEST_BYTES_MAX (UINT32_C(1) << 20)

/* Opens; the test fails where that does. */
void seal_test_open(struct leat_seal *seal, const struct seal_test_setting *setting);
enum leat_status seal_test_try(struct leat_seal *seal, const struct seal_test_setting *setting,
                               struct leat_error *error);

/* Bytes that lz4 makes smaller, or cannot. */
void seal_test_fill(struct test_prng *prng, unsigned char *data, uint32_t bytes, bool compressible);

/* What records say of their nonces. */
struct seal_test_nonce {
    uint64_t key;
    uint64_t salt[2];
    uint64_t position;
    uint64_t blocks;
};

struct seal_test_nonce seal_test_nonce_of(const void *record, uint32_t bytes);
/* How many of them repeat one, or begin inside the blocks of one. Sorts them. */
uint64_t seal_test_repeats(struct seal_test_nonce *nonces, uint64_t count);

/* Those of all sealed records of a log of jobs, read again and again. */
#define SEAL_TEST_NONCES_MAX 4096

struct seal_test_nonces {
    struct {
        struct seal_test_nonce nonce;
        uint32_t crc; /* of the record: one that was copied as it is has the same */
    } all[SEAL_TEST_NONCES_MAX];
    uint32_t count;
};

/* The test fails where a record is not encrypted. */
void seal_test_nonces_read(struct seal_test_nonces *nonces, const char *directory);
/* How many stand in two different records. */
uint32_t seal_test_nonces_repeat(const struct seal_test_nonces *nonces);

#endif
