/* fuzz_seal.c - what is taken from any bytes: nothing is read or written beyond, which a sanitizer
 * sees as every record and every room is of its exact size; no record asks for more room than is
 * allowed; and nothing is taken as encrypted but what was put. The bytes are drawn, or are records
 * that were changed: with a key, and for the reader of lz4 without.
 *
 *   fuzz_seal [ROUNDS]     more of everything */
#include <stdlib.h>
#include <string.h>

#include "engine/seal/seal.h"
#include "tests/support/check.h"
#include "tests/support/prng.h"
#include "tests/support/seal.h"

#define RECORDS    60000
#define DATA_BYTES 5000

static uint32_t rounds = 1;
static struct leat_seal seal;

/* Random bytes behind a head that may be right. */
static uint32_t
drawn(struct test_prng *prng, unsigned char *record)
{
    uint32_t bytes = test_random_below(prng, 300);
    struct leat_seal_head head = {.version = LEAT_SEAL_VERSION,
                                  .flags = (uint8_t)test_random_below(prng, 4),
                                  .bytes = test_random_below(prng, 2 * bytes + 1)};
    if (test_random_below(prng, 8) == 0) {
        head.bytes = (uint32_t)test_random(prng) >> test_random_below(prng, 32);
    }
    struct leat_seal_key_sight sight;
    if (test_random_below(prng, 2) == 0 && leat_seal_key(&seal, 0, &sight)) {
        head.key = sight.identity;
    }
    seal_test_fill(prng, record, bytes, false);
    if (test_random_below(prng, 8) != 0) {
        uint32_t some = (head.flags & LEAT_SEAL_ENCRYPTED) != 0 ? 16 : LEAT_SEAL_PLAIN_BYTES;
        memcpy(record, &head, some < bytes ? some : bytes);
    }
    return bytes;
}

/* A record of some data, of which now and then something is changed. */
static uint32_t
changed(struct test_prng *prng, unsigned char *record, bool *is_changed)
{
    static unsigned char data[DATA_BYTES];
    uint32_t sealed = 0;
    uint32_t bytes = test_random_below(prng, DATA_BYTES);
    seal_test_fill(prng, data, bytes, test_random_below(prng, 3) != 0);
    const struct leat_seal_item item = {data, "bound", bytes, 5};
    CHECK_OK(leat_seal_put(&seal, &item, record, &sealed));
    uint32_t changes = test_random_below(prng, 4);
    *is_changed = changes != 0;
    for (uint32_t i = 0; i < changes; i++) {
        uint32_t at = test_random_below(prng, test_random_below(prng, 2) == 0 ? 60 : sealed);
        record[at % sealed] ^= (unsigned char)(1 + test_random_below(prng, 255));
    }
    return changes > 1 ? test_random_below(prng, sealed + 1) : sealed;
}

/* Takes it from memory of its exact size into memory of its exact size. */
static enum leat_status
take(const unsigned char *record, uint32_t bytes)
{
    unsigned char *exact = malloc(bytes == 0 ? 1 : bytes);
    struct leat_seal_sight sight = {0};
    CHECK(exact != NULL);
    memcpy(exact, record, bytes);
    enum leat_status status = leat_seal_look(&seal, exact, bytes, &sight);
    if (status == LEAT_OK) {
        CHECK(sight.data_bytes <= SEAL_TEST_BYTES_MAX);
        CHECK(sight.room_bytes <= 2 * SEAL_TEST_BYTES_MAX);
        unsigned char *room = malloc(sight.room_bytes == 0 ? 1 : sight.room_bytes);
        CHECK(room != NULL);
        uint32_t taken = 0;
        const struct leat_seal_item item = {exact, "bound", bytes, 5};
        status = leat_seal_take(&seal, &item, room, sight.room_bytes, &taken);
        CHECK(status != LEAT_OK || taken == sight.data_bytes);
        struct leat_error error;
        (void)leat_seal_explain(&seal, &item, status, &error);
        free(room);
    }
    free(exact);
    return status;
}

static void
takes_any_bytes(const struct seal_test_setting *setting)
{
    static unsigned char record[DATA_BYTES + LEAT_SEAL_OVERHEAD_BYTES];
    struct test_prng prng = {test_seed("fuzz_seal")};
    uint32_t counts[2] = {0, 0};
    seal_test_open(&seal, setting);
    for (uint32_t i = 0; i < RECORDS * rounds; i++) {
        bool is_drawn = test_random_below(&prng, 2) == 0;
        bool is_changed = true;
        uint32_t bytes = is_drawn ? drawn(&prng, record) : changed(&prng, record, &is_changed);
        enum leat_status status = take(record, bytes);
        counts[status == LEAT_OK]++;
        CHECK(is_changed || status == LEAT_OK);
        /* Two changes can take each other back, but not often three of them. */
        if (setting->keys_count != 0 && is_drawn) {
            CHECK(status != LEAT_OK);
        }
    }
    test_say("%u refused, %u taken\n", counts[0], counts[1]);
    CHECK(counts[0] > 0 && counts[1] > 0);
    leat_seal_close(&seal);
}

static void
with_a_key(void **state)
{
    (void)state;
    const struct seal_test_setting setting = {
        .keys = {1},
        .keys_count = 1,
        .compress_above = leat_seal_compresses() ? 100 : LEAT_SEAL_COMPRESS_NEVER};
    if (!leat_seal_encrypts()) {
        skip();
    }
    takes_any_bytes(&setting);
}

static void
without_a_key(void **state)
{
    (void)state;
    const struct seal_test_setting setting = {
        .compress_above = leat_seal_compresses() ? 100 : LEAT_SEAL_COMPRESS_NEVER};
    takes_any_bytes(&setting);
}

int
main(int argc, char **argv)
{
    if (argc > 1) {
        rounds = (uint32_t)strtoul(argv[1], NULL, 10);
    }
    rounds = rounds > 0 ? rounds : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_key),
        cmocka_unit_test(without_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
