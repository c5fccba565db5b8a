/* unit_seal_nonce.c - no nonce comes twice under one key: over many opens, cut ends of what was
 * stored, changes of the master key and of the derived one. What would break that is done on
 * purpose, by hand, and must be noticed: by the records, and by what a reader of two of them
 * learns.
 *
 * Holds I1 of seal.h, with stress_seal. */
#include <string.h>

#include "engine/seal/seal.h"
#include "tests/support/check.h"
#include "tests/support/seal.h"

#define OPENS   20
#define RECORDS 200
#define BYTES   300

static struct leat_seal seal;
static struct seal_test_nonce nonces[OPENS * RECORDS];
static uint64_t count;

static const struct seal_test_setting setting = {
    .keys = {1}, .keys_count = 1, .compress_above = LEAT_SEAL_COMPRESS_NEVER};

static uint32_t
put(const unsigned char *data, uint32_t bytes, unsigned char *record)
{
    uint32_t sealed = 0;
    const struct leat_seal_item item = {data, NULL, bytes, 0};
    CHECK_OK(leat_seal_put(&seal, &item, record, &sealed));
    CHECK(count < TEST_COUNT_OF(nonces));
    nonces[count++] = seal_test_nonce_of(record, sealed);
    return sealed;
}

static void
put_some(struct test_prng *prng, uint32_t records)
{
    static unsigned char data[BYTES];
    unsigned char record[BYTES + LEAT_SEAL_OVERHEAD_BYTES];
    for (uint32_t i = 0; i < records; i++) {
        (void)put(data, test_random_below(prng, BYTES), record);
    }
}

enum bug { NO_BUG, POSITION_OF_THE_LOG, SALT_OF_THE_LOG, LAST_POSITION_AGAIN };

/* Each open but the first goes on behind a cut end: half of what the last one wrote is not in the
 * log any more, and is on the disk for who looks closely. The bugs make it go on as something would
 * that keeps its numbers in the log. */
static uint64_t
repeats_with(enum bug bug)
{
    struct test_prng prng = {test_seed("unit_seal_nonce")};
    unsigned char salt[LEAT_SEAL_SALT_BYTES] = {0};
    uint64_t middle = 0;
    count = 0;
    for (uint32_t i = 0; i < OPENS; i++) {
        seal_test_open(&seal, &setting);
        if (i > 0 && bug == SALT_OF_THE_LOG) {
            memcpy(seal.secret->salt, salt, sizeof(salt));
        }
        if (i > 0 && bug == POSITION_OF_THE_LOG) {
            memcpy(seal.secret->salt, salt, sizeof(salt));
            atom_init(&seal.position, middle);
        }
        memcpy(salt, seal.secret->salt, sizeof(salt));
        put_some(&prng, RECORDS / 2);
        middle = atom_load_rlx(&seal.position); /* rlx: not shared yet */
        put_some(&prng, RECORDS / 2 - 1);
        if (bug == LAST_POSITION_AGAIN) {
            atom_init(&seal.position, nonces[count - 1].position);
        }
        put_some(&prng, 1);
        leat_seal_close(&seal);
    }
    return seal_test_repeats(nonces, count);
}

static void
none_comes_twice(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    CHECK_EQUAL(repeats_with(NO_BUG), 0);
    CHECK_EQUAL(count, OPENS * RECORDS);
}

static void
bugs_are_noticed(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    CHECK(repeats_with(POSITION_OF_THE_LOG) > 0);
    CHECK(repeats_with(SALT_OF_THE_LOG) > 0);
    CHECK(repeats_with(LAST_POSITION_AGAIN) > 0);
}

/* Why that matters: two records of one nonce tell how their data differ, without any key. */
static uint32_t
bytes_that_tell(bool repeated)
{
    unsigned char one[BYTES + LEAT_SEAL_OVERHEAD_BYTES];
    unsigned char other[BYTES + LEAT_SEAL_OVERHEAD_BYTES];
    unsigned char data[2][BYTES];
    uint32_t told = 0;
    for (uint32_t i = 0; i < BYTES; i++) {
        data[0][i] = (unsigned char)(3 * i);
        data[1][i] = (unsigned char)(i * i);
    }
    seal_test_open(&seal, &setting);
    count = 0;
    (void)put(data[0], BYTES, one);
    if (repeated) {
        atom_init(&seal.position, 0);
    }
    (void)put(data[1], BYTES, other);
    for (uint32_t i = 0; i < BYTES; i++) {
        uint32_t at = (uint32_t)sizeof(struct leat_seal_head) + i;
        told += (one[at] ^ other[at]) == (data[0][i] ^ data[1][i]) ? 1 : 0;
    }
    leat_seal_close(&seal);
    return told;
}

static void
what_a_repeat_tells(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    CHECK_EQUAL(bytes_that_tell(true), BYTES);
    CHECK(bytes_that_tell(false) < BYTES / 8);
}

/* Where the derived key changes, and at another master key, the nonces go on, and all is taken. */
static void
over_the_changes_of_keys(void **state)
{
    (void)state;
    static unsigned char records[64][BYTES + LEAT_SEAL_OVERHEAD_BYTES];
    uint32_t lengths[64];
    unsigned char data[BYTES] = {1};
    unsigned char back[BYTES];
    if (!leat_seal_encrypts()) {
        skip();
    }
    seal_test_open(&seal, &setting);
    count = 0;
    for (uint32_t i = 0; i < 64; i++) {
        if (i % 16 == 0) {
            atom_init(&seal.position,
                      (((uint64_t)i / 16 + 1) << LEAT_SEAL_EPOCH_LOG2) - UINT64_C(8) * 19);
        }
        if (i == 40) {
            struct leat_error error;
            const struct leat_seal_source source = seal_test_key(2);
            CHECK_OK(leat_seal_rotate(&seal, &source, &error));
        }
        data[1] = (unsigned char)i;
        lengths[i] = put(data, BYTES, records[i]);
    }
    for (uint32_t i = 64; i > 0; i--) {
        uint32_t bytes = 0;
        const struct leat_seal_item item = {records[i - 1], NULL, lengths[i - 1], 0};
        CHECK_OK(leat_seal_take(&seal, &item, back, BYTES, &bytes));
        CHECK_EQUAL(back[1], i - 1);
    }
    CHECK_EQUAL(seal_test_repeats(nonces, count), 0);
    leat_seal_close(&seal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_comes_twice),
        cmocka_unit_test(bugs_are_noticed),
        cmocka_unit_test(what_a_repeat_tells),
        cmocka_unit_test(over_the_changes_of_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
