/* stress_seal.c - threads, more than CPUs, put and take beside each other for some seconds, while
 * the master key is changed: all that is put comes back, and no nonce comes twice.
 *
 * Holds I1 of seal.h and its edges, the latter under ThreadSanitizer. */
#include <stdlib.h>
#include <string.h>

#include "engine/seal/seal.h"
#include "tests/support/check.h"
#include "tests/support/seal.h"
#include "tests/support/threads.h"

#define THREADS        8
#define RECORDS_MAX    200000
#define BYTES          3000
#define ROTATE_EACH_NS (20 * TEST_MS)

struct work {
    struct leat_seal seal;
    uint64_t seed;
    uint64_t end_ns;
    leat_atomic_u64 count; /* S */
    struct seal_test_nonce *nonces;
};

static bool
round_trip(struct work *work, struct test_prng *prng)
{
    unsigned char *all = malloc(4 * (BYTES + LEAT_SEAL_OVERHEAD_BYTES));
    CHECK(all != NULL);
    unsigned char *record = all + BYTES;
    unsigned char *back = record + BYTES + LEAT_SEAL_OVERHEAD_BYTES;
    uint32_t bytes = test_random_below(prng, BYTES);
    uint32_t sealed = 0;
    uint32_t taken = 0;
    seal_test_fill(prng, all, bytes, test_random_below(prng, 2) == 0);
    const struct leat_seal_item item = {all, &bytes, bytes, sizeof(bytes)};
    CHECK_OK(leat_seal_put(&work->seal, &item, record, &sealed));
    const struct leat_seal_item other = {record, &bytes, sealed, sizeof(bytes)};
    CHECK_OK(leat_seal_take(&work->seal, &other, back, 2 * BYTES, &taken));
    CHECK_EQUAL(taken, bytes);
    CHECK_EQUAL(memcmp(all, back, bytes), 0);
    uint64_t place = atom_add_rlx(&work->count, 1); /* rlx: statistic */
    if (place < RECORDS_MAX && leat_seal_encrypts()) {
        work->nonces[place] = seal_test_nonce_of(record, sealed);
    }
    free(all);
    return place < RECORDS_MAX;
}

static void
body(void *shared, uint32_t number)
{
    struct work *work = shared;
    struct test_prng prng = {work->seed + number};
    uint32_t key = 1;
    uint64_t rotate_ns = test_now_ns() + ROTATE_EACH_NS;
    bool more = true;
    while (more && test_now_ns() < work->end_ns) {
        more = round_trip(work, &prng);
        if (number == 0 && key < LEAT_SEAL_KEYS_MAX && test_now_ns() > rotate_ns &&
            leat_seal_encrypts()) {
            struct leat_error error;
            const struct leat_seal_source source = seal_test_key(key++);
            CHECK_OK(leat_seal_rotate(&work->seal, &source, &error));
            rotate_ns = test_now_ns() + ROTATE_EACH_NS;
        }
    }
}

static void
puts_takes_and_rotates(void **state)
{
    (void)state;
    static struct work work;
    const struct seal_test_setting setting = {.keys = {0},
                                              .keys_count = leat_seal_encrypts() ? 1 : 0,
                                              .compress_above = leat_seal_compresses()
                                                                    ? LEAT_SEAL_COMPRESS_ABOVE
                                                                    : LEAT_SEAL_COMPRESS_NEVER};
    work.seed = test_seed("stress_seal");
    work.nonces = calloc(RECORDS_MAX, sizeof(work.nonces[0]));
    CHECK(work.nonces != NULL);
    seal_test_open(&work.seal, &setting);
    work.end_ns = test_now_ns() + test_duration_ns();
    test_threads_run(THREADS, body, &work);
    uint64_t count = atom_load_rlx(&work.count); /* rlx: not shared yet */
    count = count < RECORDS_MAX ? count : RECORDS_MAX;
    uint32_t slots = atom_load_rlx(&work.seal.slots_count); /* rlx: not shared yet */
    test_say("%llu records, %u slots\n", (unsigned long long)count, slots);
    CHECK(count > 100);
    if (leat_seal_encrypts()) {
        struct leat_seal_key_sight sight;
        uint64_t taken = 0;
        for (uint32_t i = 0; leat_seal_key(&work.seal, i, &sight); i++) {
            taken += sight.taken;
        }
        CHECK(taken >= count);
        CHECK_EQUAL(seal_test_repeats(work.nonces, count), 0);
    }
    leat_seal_close(&work.seal);
    free(work.nonces);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_takes_and_rotates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
