/* unit_seal_slot.c - what threads seal with: a slot that is held is nobody else's, one more is made
 * then, up to the limit; a key is derived once for each change; with all slots there nothing is
 * allocated, in libcrypto neither; and behind a close no key is left anywhere in memory. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/seal/seal.h"
#include "engine/seal/slot.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/seal.h"
#include "tests/support/threads.h"

#if LEAT_CRYPTO
#    include <openssl/crypto.h>
#endif

#define BYTES 3000

static struct leat_seal seal;

static struct seal_test_setting
setting_of(bool compresses)
{
    struct seal_test_setting setting = {.keys = {1},
                                        .keys_count = leat_seal_encrypts() ? 1 : 0,
                                        .compress_above = LEAT_SEAL_COMPRESS_NEVER};
    if (compresses && leat_seal_compresses()) {
        setting.compress_above = LEAT_SEAL_COMPRESS_ABOVE;
    }
    return setting;
}

static void
as_many_as_are_held(void **state)
{
    (void)state;
    static struct leat_seal_slot *held[LEAT_SEAL_SLOTS_MAX];
    const struct seal_test_setting setting = setting_of(false);
    struct leat_seal_slot *above = NULL;
    struct leat_seal_slot *again = NULL;
    seal_test_open(&seal, &setting);
    for (uint32_t i = 0; i < LEAT_SEAL_SLOTS_MAX; i++) {
        CHECK_OK(leat_seal_slot_claim(&seal, &held[i]));
        for (uint32_t j = 0; j < i; j++) {
            CHECK(held[i] != held[j]);
        }
    }
    CHECK_STATUS(leat_seal_slot_claim(&seal, &above), LEAT_BUSY);
    CHECK(above == NULL);
    leat_seal_slot_give(held[500]);
    CHECK_OK(leat_seal_slot_claim(&seal, &again));
    CHECK(again == held[500]);
    for (uint32_t i = 0; i < LEAT_SEAL_SLOTS_MAX; i++) {
        leat_seal_slot_give(held[i]);
    }
    leat_seal_close(&seal);
}

static void
round_trip(uint32_t number)
{
    static unsigned char data[BYTES];
    static unsigned char record[BYTES + LEAT_SEAL_OVERHEAD_BYTES];
    static unsigned char back[2 * BYTES];
    uint32_t sealed = 0;
    uint32_t bytes = 0;
    memcpy(data, &number, sizeof(number));
    struct leat_seal_item item = {data, NULL, BYTES, 0};
    CHECK_OK(leat_seal_put(&seal, &item, record, &sealed));
    item = (struct leat_seal_item){record, NULL, sealed, 0};
    CHECK_OK(leat_seal_take(&seal, &item, back, sizeof(back), &bytes));
    CHECK_EQUAL(memcmp(back, data, BYTES), 0);
}

/* A thread that stopped in its slot is in nobody's way. */
static void
a_slot_that_is_never_given(void **state)
{
    (void)state;
    const struct seal_test_setting setting = setting_of(true);
    struct leat_seal_slot *stopped[8];
    seal_test_open(&seal, &setting);
    for (uint32_t i = 0; i < TEST_COUNT_OF(stopped); i++) {
        CHECK_OK(leat_seal_slot_claim(&seal, &stopped[i]));
        round_trip(i);
    }
    leat_seal_close(&seal);
}

/* ---- allocations ---------------------------------------------------------------------------- */

static uint64_t allocations;

#if LEAT_CRYPTO

static void *
counted_malloc(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return malloc(bytes);
}

static void *
counted_realloc(void *memory, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return realloc(memory, bytes);
}

static void
counted_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* Before libcrypto has allocated anything. */
static bool
count_allocations(void)
{
    return CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) == 1;
}

#else

static bool
count_allocations(void)
{
    return true;
}

#endif

static void *
counted_allocate(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    allocations++;
    return aligned_alloc(alignment, leat_round_up(bytes, alignment));
}

static void
counted_release(void *memory, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    free(memory);
}

static void
puts_allocate_nothing(void **state)
{
    (void)state;
    const struct leat_seal_source key = seal_test_key(1);
    const struct leat_seal_config config = {
        .memory = {counted_allocate, counted_release, NULL},
        .keys = &key,
        .keys_count = leat_seal_encrypts() ? 1 : 0,
        .compress_above = leat_seal_compresses() ? 1024 : LEAT_SEAL_COMPRESS_NEVER,
        .bytes_max = BYTES};
    struct leat_error error;
    static unsigned char data[BYTES];
    static unsigned char record[BYTES + LEAT_SEAL_OVERHEAD_BYTES];
    const struct leat_seal_item item = {data, NULL, BYTES, 0};
    uint32_t sealed = 0;
    allocations = 0;
    CHECK_OK(leat_seal_open(&seal, &config, &error));
    CHECK(allocations > 0 || config.keys_count == 0);
    /* Each slot gets the key once. */
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK_OK(leat_seal_put(&seal, &item, record, &sealed));
    }
    struct leat_seal_slot *slots[64];
    uint32_t count = atom_load_rlx(&seal.slots_count); /* rlx: not shared yet */
    for (uint32_t i = 0; i < count; i++) {
        CHECK_OK(leat_seal_slot_claim(&seal, &slots[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        leat_seal_slot_give(slots[i]); /* the only one that is free */
        CHECK_OK(leat_seal_put(&seal, &item, record, &sealed));
        CHECK_OK(leat_seal_slot_claim(&seal, &slots[i]));
    }
    for (uint32_t i = 0; i < count; i++) {
        leat_seal_slot_give(slots[i]);
    }
    allocations = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        CHECK_OK(leat_seal_put(&seal, &item, record, &sealed));
    }
    CHECK_EQUAL(allocations, 0);
    leat_seal_close(&seal);
}

/* ---- what is left in memory ----------------------------------------------------------------- */

/* What is looked for, each bit turned, so that this is no copy of it. */
struct needle {
    unsigned char turned[LEAT_SEAL_KEY_BYTES];
};

static void
needle_make(struct needle *needle, const unsigned char *key)
{
    for (uint32_t i = 0; i < LEAT_SEAL_KEY_BYTES; i++) {
        needle->turned[i] = (unsigned char)~key[i];
    }
}

static uint32_t
found_between(const unsigned char *first, const unsigned char *end, const struct needle *needle)
{
    uint32_t found = 0;
    for (const unsigned char *at = first; at + LEAT_SEAL_KEY_BYTES <= end; at++) {
        uint32_t same = 0;
        while (same < LEAT_SEAL_KEY_BYTES && (at[same] ^ needle->turned[same]) == 0xff) {
            same++;
        }
        found += same == LEAT_SEAL_KEY_BYTES ? 1 : 0;
    }
    return found;
}

/* How often it is in memory that can be written to. */
static uint32_t
found_in_memory(const struct needle *needle)
{
    uint32_t found = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps) != NULL) {
        char *next = NULL;
        uintptr_t first = strtoull(line, &next, 16);
        uintptr_t end = strtoull(next + 1, &next, 16);
        if (strncmp(next, " rw", 3) == 0) {
            found +=
                /* NOLINTNEXTLINE(performance-no-int-to-ptr): as the system says them */
                found_between((const unsigned char *)first, (const unsigned char *)end, needle);
        }
    }
    CHECK_EQUAL(fclose(maps), 0);
    return found;
}

static void
check_left(const struct leat_seal_source *source, const struct needle *master)
{
    const struct leat_seal_config config = {
        .memory = leat_memory_default(),
        .keys = source,
        .keys_count = 1,
        .compress_above = leat_seal_compresses() ? 1024 : LEAT_SEAL_COMPRESS_NEVER,
        .bytes_max = BYTES};
    struct leat_error error;
    unsigned char derived[LEAT_SEAL_KEY_BYTES];
    struct needle of_this_open;
    CHECK_OK(leat_seal_open(&seal, &config, &error));
    const unsigned char info[20] = "leat seal 1";
    const struct leat_cipher_source how = {
        seal.secret->keys[0], LEAT_SEAL_KEY_BYTES, seal.secret->salt, LEAT_SEAL_SALT_BYTES, info,
        sizeof(info)};
    CHECK(leat_cipher_derive(&seal.cipher, &how, derived, sizeof(derived)));
    needle_make(&of_this_open, derived);
    explicit_bzero(derived, sizeof(derived));
    CHECK_EQUAL(found_in_memory(&of_this_open), 0);
    round_trip(1);
    /* The page, and nothing but the page. */
    CHECK_EQUAL(found_in_memory(master), 1);
    test_say("the derived key is %u times in memory\n", found_in_memory(&of_this_open));
    leat_seal_close(&seal);
    CHECK_EQUAL(found_in_memory(master), 0);
    CHECK_EQUAL(found_in_memory(&of_this_open), 0);
}

static void
no_key_is_left(void **state)
{
    (void)state;
    unsigned char key[LEAT_SEAL_KEY_BYTES];
    char text[2 * LEAT_SEAL_KEY_BYTES + 1];
    char path[] = "/tmp/unit_seal_slot.XXXXXX";
    struct needle master;
    /* Its own memory is between what is looked at. */
    if (test_sanitized() || !leat_seal_encrypts()) {
        skip();
    }
    struct leat_seal_source source = seal_test_key(77);
    CHECK(source.key(source.context, key));
    needle_make(&master, key);
    int file = mkstemp(path);
    CHECK(file >= 0);
    for (uint32_t i = 0; i < LEAT_SEAL_KEY_BYTES; i++) {
        (void)snprintf(text + (size_t)2 * i, 3, "%02x", key[i]);
    }
    CHECK_EQUAL(write(file, text, sizeof(text) - 1), sizeof(text) - 1);
    explicit_bzero(key, sizeof(key));
    CHECK_EQUAL(found_in_memory(&master), 0);
    check_left(&source, &master);
    source = (struct leat_seal_source){.file = path};
    check_left(&source, &master);
    CHECK_EQUAL(close(file), 0);
    CHECK_EQUAL(unlink(path), 0);
}

int
main(void)
{
    CHECK(count_allocations());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_are_held),
        cmocka_unit_test(a_slot_that_is_never_given),
        cmocka_unit_test(puts_allocate_nothing),
        cmocka_unit_test(no_key_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
