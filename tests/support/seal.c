/* seal.c - see seal.h. */
#include "tests/support/seal.h"

#include <stdlib.h>
#include <string.h>

#include "engine/durable/sealed.h"
#include "engine/seal/squeeze.h"
#include "engine/wal/crc32c.h"
#include "tests/support/check.h"

static bool
key_write(void *context, unsigned char key[LEAT_SEAL_KEY_BYTES])
{
    struct test_prng prng = {*(const uint32_t *)context + UINT64_C(0x5ea1)};
    for (uint32_t i = 0; i < LEAT_SEAL_KEY_BYTES; i++) {
        key[i] = (unsigned char)test_random(&prng);
    }
    return true;
}

struct leat_seal_source
seal_test_key(uint32_t number)
{
    static uint32_t numbers[1024];
    CHECK(number < TEST_COUNT_OF(numbers));
    numbers[number] = number;
    return (struct leat_seal_source){.key = key_write, .context = &numbers[number]};
}

enum leat_status
seal_test_try(struct leat_seal *seal, const struct seal_test_setting *setting,
              struct leat_error *error)
{
    struct leat_seal_source sources[LEAT_SEAL_KEYS_MAX + 1];
    for (uint32_t i = 0; i < setting->keys_count; i++) {
        sources[i] = seal_test_key(setting->keys[i]);
    }
    const struct leat_seal_config config = {.memory = leat_memory_default(),
                                            .keys = sources,
                                            .keys_count = setting->keys_count,
                                            .compress_above = setting->compress_above,
                                            .bytes_max = SEAL_TEST_BYTES_MAX,
                                            .takes_plain = setting->takes_plain};
    return leat_seal_open(seal, &config, error);
}

void
seal_test_open(struct leat_seal *seal, const struct seal_test_setting *setting)
{
    struct leat_error error;
    CHECK_OK(seal_test_try(seal, setting, &error));
}

void
seal_test_fill(struct test_prng *prng, unsigned char *data, uint32_t bytes, bool compressible)
{
    for (uint32_t i = 0; i < bytes; i++) {
        data[i] = (unsigned char)(compressible ? i / 16 % 7 : (uint32_t)test_random(prng));
    }
}

struct seal_test_nonce
seal_test_nonce_of(const void *record, uint32_t bytes)
{
    struct leat_seal_head head;
    struct seal_test_nonce nonce;
    CHECK(bytes >= LEAT_SEAL_OVERHEAD_BYTES);
    memcpy(&head, record, sizeof(head));
    nonce.key = head.key;
    memcpy(nonce.salt, head.salt, sizeof(nonce.salt));
    nonce.position = head.position;
    nonce.blocks = 1 + (bytes - LEAT_SEAL_OVERHEAD_BYTES) / 16;
    return nonce;
}

static int
nonce_order(const void *left, const void *right)
{
    const struct seal_test_nonce *one = left;
    const struct seal_test_nonce *other = right;
    int order = memcmp(one->salt, other->salt, sizeof(one->salt));
    if (order != 0) {
        return order;
    }
    return one->position < other->position ? -1 : one->position > other->position;
}

uint64_t
seal_test_repeats(struct seal_test_nonce *nonces, uint64_t count)
{
    uint64_t repeats = 0;
    qsort(nonces, count, sizeof(nonces[0]), nonce_order);
    for (uint64_t i = 1; i < count; i++) {
        const struct seal_test_nonce *before = &nonces[i - 1];
        bool same = memcmp(before->salt, nonces[i].salt, sizeof(before->salt)) == 0;
        repeats += same && nonces[i].position < before->position + before->blocks ? 1 : 0;
    }
    return repeats;
}

static bool
nonce_add(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    static struct leat_seal seal = {.config.bytes_max = LEAT_SQUEEZE_BYTES_MAX};
    struct seal_test_nonces *nonces = context;
    const struct leat_sealed_sight sight = leat_sealed_look(&seal, record);
    (void)place;
    CHECK(sight.legible && sight.seal.key != 0);
    CHECK(nonces->count < SEAL_TEST_NONCES_MAX);
    nonces->all[nonces->count].nonce =
        seal_test_nonce_of(record->data + sight.clear_bytes, record->bytes - sight.clear_bytes);
    nonces->all[nonces->count++].crc = leat_crc32c(0, record->data, record->bytes);
    return true;
}

void
seal_test_nonces_read(struct seal_test_nonces *nonces, const char *directory)
{
    struct leat_wal_report report;
    const struct leat_wal_config config = {.files = &leat_wal_files_system,
                                           .directory = directory,
                                           .memory = leat_memory_default(),
                                           .segment_bytes = UINT64_C(1) << 18,
                                           .ring_bytes = UINT64_C(1) << 17};
    const struct leat_wal_reader reader = {nonce_add, nonces};
    CHECK_OK(leat_wal_read(&config, &reader, &report));
}

uint32_t
seal_test_nonces_repeat(const struct seal_test_nonces *nonces)
{
    uint32_t repeats = 0;
    for (uint32_t i = 0; i < nonces->count; i++) {
        const struct seal_test_nonce *one = &nonces->all[i].nonce;
        for (uint32_t j = 0; j < i; j++) {
            const struct seal_test_nonce *other = &nonces->all[j].nonce;
            bool same = one->key == other->key && one->position == other->position &&
                        memcmp(one->salt, other->salt, sizeof(one->salt)) == 0;
            repeats += same && nonces->all[i].crc != nonces->all[j].crc ? 1 : 0;
        }
    }
    return repeats;
}
