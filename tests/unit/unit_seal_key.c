/* unit_seal_key.c - master keys: files of each form, and what is none; files that others may read;
 * functions; records of older keys, of keys that are not given, and of none; a change of the key
 * with an engine at work; limits; and that no key is left in memory, nor asked of an allocator in
 * put and take. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/seal/seal.h"
#include "tests/support/check.h"
#include "tests/support/seal.h"

#define RECORD_BYTES 512

static struct leat_seal seal;
static char directory[] = "/tmp/unit_seal_key.XXXXXX";
static char path[sizeof(directory) + 8];

/* ---- files ---------------------------------------------------------------------------------- */

static void
file_write(const void *text, size_t bytes, mode_t mode)
{
    (void)unlink(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, text, bytes), bytes);
    CHECK_EQUAL(fchmod(file, mode), 0);
    CHECK_EQUAL(close(file), 0);
}

static enum leat_status
file_take(unsigned char key[LEAT_SEAL_KEY_BYTES], struct leat_error *error)
{
    const struct leat_seal_source source = {.file = path};
    memset(key, 7, LEAT_SEAL_KEY_BYTES);
    enum leat_status status = leat_seal_key_take(&source, key, error);
    if (status != LEAT_OK) {
        CHECK_STATUS(error->status, status);
        CHECK_EQUAL(key[0], 7);
        CHECK_EQUAL(memcmp(key, key + 1, LEAT_SEAL_KEY_BYTES - 1), 0);
    }
    return status;
}

static void
check_file(const void *text, size_t bytes, const char *refusal)
{
    unsigned char key[LEAT_SEAL_KEY_BYTES];
    struct leat_error error = {.status = LEAT_OK};
    file_write(text, bytes, 0400);
    CHECK_STATUS(file_take(key, &error), refusal == NULL ? LEAT_OK : LEAT_INVALID);
    if (refusal != NULL) {
        CHECK(strstr(error.text, refusal) != NULL);
        return;
    }
    for (uint32_t i = 0; i < LEAT_SEAL_KEY_BYTES; i++) {
        CHECK_EQUAL(key[i], 0xa0 + i);
    }
}

static void
files_of_each_form(void **state)
{
    (void)state;
    static const char lower[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";
    char text[80];
    unsigned char raw[LEAT_SEAL_KEY_BYTES + 1] = {0};
    for (uint32_t i = 0; i < LEAT_SEAL_KEY_BYTES; i++) {
        raw[i] = (unsigned char)(0xa0 + i);
    }
    check_file(raw, 32, NULL);
    check_file(lower, 64, NULL);
    (void)snprintf(text, sizeof(text), "%s\n", lower);
    check_file(text, 65, NULL);
    (void)snprintf(text, sizeof(text), "%s\r\n", lower);
    check_file(text, 66, NULL);
    for (uint32_t i = 0; i < 64; i++) {
        text[i] = (char)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]);
    }
    check_file(text, 64, NULL);
    check_file(raw, 31, "neither 32 bytes");
    check_file(raw, 33, "neither 32 bytes");
    check_file(raw, 0, "neither 32 bytes");
    check_file(lower, 63, "neither 32 bytes");
    check_file("\n", 1, "neither 32 bytes");
    (void)snprintf(text, sizeof(text), "%s\n\n", lower);
    check_file(text, 66, "neither 32 bytes");
    (void)snprintf(text, sizeof(text), "%s0\n", lower);
    check_file(text, 66, "neither 32 bytes");
    (void)snprintf(text, sizeof(text), "%s\r\n\n", lower);
    check_file(text, 67, "neither 32 bytes");
    check_file(lower, 32, "half a key");
    memset(raw, 0, sizeof(raw));
    check_file(raw, 32, "only zeros");
    for (uint32_t i = 0; i < 64; i++) {
        static const char wrong[] = "gG/:@`\xe1 ";
        /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): a file of 64 digits */
        memcpy(text, lower, 64);
        text[i] = wrong[i % (sizeof(wrong) - 1)];
        check_file(text, 64, "neither 32 bytes");
    }
}

static enum leat_status
with_mode(mode_t mode, uid_t user, gid_t group)
{
    unsigned char key[LEAT_SEAL_KEY_BYTES];
    struct leat_error error;
    file_write("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64, mode);
    if (chown(path, user, group) != 0) {
        return LEAT_STATUS_COUNT;
    }
    return file_take(key, &error);
}

static void
files_that_others_may_read(void **state)
{
    (void)state;
    uid_t user = geteuid();
    gid_t group = getegid();
    bool is_root = user == 0;
    static const mode_t refused[] = {0404, 0402, 0401, 0420, 0410, 0644, 0660, 0600 | 0002, 0777};
    CHECK_STATUS(with_mode(0400, user, group), LEAT_OK);
    CHECK_STATUS(with_mode(0600, user, group), LEAT_OK);
    CHECK_STATUS(with_mode(0700, user, group), LEAT_OK);
    for (uint32_t i = 0; i < TEST_COUNT_OF(refused); i++) {
        CHECK_STATUS(with_mode(refused[i], user, group), LEAT_REFUSED);
    }
    /* Root's group is root, and no other group is. */
    CHECK_STATUS(with_mode(0440, user, group), is_root && group == 0 ? LEAT_OK : LEAT_REFUSED);
    if (is_root) {
        CHECK_STATUS(with_mode(0440, 0, 1), LEAT_REFUSED);
        CHECK_STATUS(with_mode(0400, 1, 0), LEAT_REFUSED);
        CHECK_STATUS(with_mode(0400, 0, 1), LEAT_OK);
    }
}

static void
what_is_no_file(void **state)
{
    (void)state;
    unsigned char key[LEAT_SEAL_KEY_BYTES];
    struct leat_error error;
    (void)unlink(path);
    CHECK_STATUS(file_take(key, &error), LEAT_NOT_FOUND);
    CHECK(strstr(error.text, path) != NULL);
    CHECK_EQUAL(mkdir(path, 0700), 0);
    CHECK_STATUS(file_take(key, &error), LEAT_INVALID);
    CHECK(strstr(error.text, "regular") != NULL);
    CHECK_EQUAL(rmdir(path), 0);
    /* A pipe that nobody writes to: no wait. */
    CHECK_EQUAL(mkfifo(path, 0600), 0);
    CHECK_STATUS(file_take(key, &error), LEAT_INVALID);
    CHECK_EQUAL(unlink(path), 0);
    if (geteuid() != 0) {
        file_write("x", 1, 0000);
        CHECK_STATUS(file_take(key, &error), LEAT_REFUSED);
    }
}

static bool
key_none(void *context, unsigned char key[LEAT_SEAL_KEY_BYTES])
{
    (void)context;
    memset(key, 1, LEAT_SEAL_KEY_BYTES);
    return false;
}

static bool
key_unwritten(void *context,
              unsigned char key[LEAT_SEAL_KEY_BYTES]) /* NOLINT(readability-non-const-parameter) */
{
    (void)context;
    (void)key;
    return true;
}

static void
functions(void **state)
{
    (void)state;
    unsigned char key[LEAT_SEAL_KEY_BYTES] = {7};
    struct leat_error error;
    struct leat_seal_source source = {.key = key_none};
    CHECK_STATUS(leat_seal_key_take(&source, key, &error), LEAT_REFUSED);
    source.key = key_unwritten;
    CHECK_STATUS(leat_seal_key_take(&source, key, &error), LEAT_INVALID);
    source.key = NULL;
    CHECK_STATUS(leat_seal_key_take(&source, key, &error), LEAT_INVALID);
    CHECK_EQUAL(key[0], 7);
    source = seal_test_key(3);
    CHECK_OK(leat_seal_key_take(&source, key, &error));
    CHECK(key[0] != 7);
}

/* ---- which key ------------------------------------------------------------------------------ */

struct sealed {
    unsigned char bytes[RECORD_BYTES];
    uint32_t length;
};

static struct sealed
put_one(uint32_t number)
{
    struct sealed sealed;
    const struct leat_seal_item item = {&number, NULL, sizeof(number), 0};
    CHECK_OK(leat_seal_put(&seal, &item, sealed.bytes, &sealed.length));
    return sealed;
}

static enum leat_status
take_one(const struct sealed *sealed, uint32_t number)
{
    uint32_t got = 0;
    uint32_t bytes = 0;
    const struct leat_seal_item item = {sealed->bytes, NULL, sealed->length, 0};
    enum leat_status status = leat_seal_take(&seal, &item, &got, sizeof(got), &bytes);
    CHECK_EQUAL(status == LEAT_OK, got == number);
    return status;
}

static void
check_words(const struct sealed *sealed, enum leat_status status, const char *words)
{
    struct leat_error error;
    const struct leat_seal_item item = {sealed->bytes, NULL, sealed->length, 0};
    CHECK_STATUS(leat_seal_explain(&seal, &item, status, &error), status);
    CHECK_STATUS(error.status, status);
    if (strstr(error.text, words) == NULL) {
        test_say("%s\n", error.text);
    }
    CHECK(strstr(error.text, words) != NULL);
    CHECK(strlen(error.text) + 1 < sizeof(error.text));
}

static void
open_with(uint32_t count, uint32_t first, uint32_t second, bool takes_plain)
{
    const struct seal_test_setting setting = {.keys = {first, second},
                                              .keys_count = count,
                                              .compress_above = LEAT_SEAL_COMPRESS_NEVER,
                                              .takes_plain = takes_plain};
    seal_test_open(&seal, &setting);
}

static void
keys_that_are_given_and_not(void **state)
{
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    open_with(0, 0, 0, false);
    const struct sealed plain = put_one(10);
    leat_seal_close(&seal);
    open_with(1, 1, 0, false);
    struct sealed old = put_one(11);
    CHECK_OK(take_one(&old, 11));
    CHECK_STATUS(take_one(&plain, 10), LEAT_WRONG_KEY);
    check_words(&plain, LEAT_WRONG_KEY, "not encrypted, and a key is given");
    leat_seal_close(&seal);
    /* Another key alone; none; and the old one behind it. */
    open_with(1, 2, 0, true);
    CHECK_STATUS(take_one(&old, 11), LEAT_WRONG_KEY);
    check_words(&old, LEAT_WRONG_KEY, "the key that is given is ");
    CHECK_OK(take_one(&plain, 10));
    leat_seal_close(&seal);
    open_with(0, 0, 0, false);
    CHECK_STATUS(take_one(&old, 11), LEAT_WRONG_KEY);
    check_words(&old, LEAT_WRONG_KEY, "no key is given");
    CHECK_OK(take_one(&plain, 10));
    leat_seal_close(&seal);
    open_with(2, 2, 1, false);
    CHECK_OK(take_one(&old, 11));
    const struct sealed fresh = put_one(12);
    CHECK_OK(take_one(&fresh, 12));
    struct leat_seal_key_sight sight;
    CHECK(leat_seal_key(&seal, 0, &sight));
    CHECK(!sight.seals);
    CHECK_EQUAL(sight.taken, 1);
    CHECK_EQUAL(sight.identity, seal_test_nonce_of(old.bytes, old.length).key);
    CHECK(leat_seal_key(&seal, 1, &sight));
    CHECK(sight.seals);
    CHECK_EQUAL(sight.taken, 1);
    CHECK_EQUAL(sight.identity, seal_test_nonce_of(fresh.bytes, fresh.length).key);
    CHECK(!leat_seal_key(&seal, 2, &sight));
    /* Its key is there and it is not what that sealed. */
    old.bytes[old.length - 1] ^= 1;
    CHECK_STATUS(take_one(&old, 11), LEAT_CORRUPT);
    check_words(&old, LEAT_CORRUPT, "is not what the key");
    old.length = 3;
    CHECK_STATUS(take_one(&old, 11), LEAT_CORRUPT);
    check_words(&old, LEAT_CORRUPT, "is damaged");
    leat_seal_close(&seal);
}

static void
a_later_format(void **state)
{
    (void)state;
    open_with(0, 0, 0, false);
    struct sealed later = put_one(1);
    later.bytes[0] = LEAT_SEAL_VERSION + 1;
    CHECK_STATUS(take_one(&later, 1), LEAT_UNSUPPORTED);
    check_words(&later, LEAT_UNSUPPORTED, "a later format");
    leat_seal_close(&seal);
}

/* ---- rotation and limits -------------------------------------------------------------------- */

static void
keys_change_at_work(void **state)
{
    (void)state;
    static struct sealed all[LEAT_SEAL_KEYS_MAX];
    struct leat_error error;
    if (!leat_seal_encrypts()) {
        skip();
    }
    open_with(1, 0, 0, false);
    all[0] = put_one(100);
    for (uint32_t i = 1; i < LEAT_SEAL_KEYS_MAX; i++) {
        struct leat_seal_source source = seal_test_key(i);
        CHECK_OK(leat_seal_rotate(&seal, &source, &error));
        all[i] = put_one(100 + i);
        /* One that is there changes nothing. */
        if (i + 1 < LEAT_SEAL_KEYS_MAX) {
            source = seal_test_key(i - 1);
            CHECK_STATUS(leat_seal_rotate(&seal, &source, &error), LEAT_EXISTS);
            source.key = key_none;
            CHECK_STATUS(leat_seal_rotate(&seal, &source, &error), LEAT_REFUSED);
        }
        uint64_t key = seal_test_nonce_of(all[i].bytes, all[i].length).key;
        struct sealed again = put_one(5);
        CHECK_EQUAL(seal_test_nonce_of(again.bytes, again.length).key, key);
    }
    struct leat_seal_source above = seal_test_key(LEAT_SEAL_KEYS_MAX);
    CHECK_STATUS(leat_seal_rotate(&seal, &above, &error), LEAT_FULL);
    for (uint32_t i = 0; i < LEAT_SEAL_KEYS_MAX; i++) {
        CHECK_OK(take_one(&all[i], 100 + i));
    }
    leat_seal_close(&seal);
    open_with(0, 0, 0, false);
    CHECK_STATUS(leat_seal_rotate(&seal, &above, &error), LEAT_WRONG_STATE);
    leat_seal_close(&seal);
}

static void
limits_of_an_open(void **state)
{
    (void)state;
    struct leat_error error;
    struct seal_test_setting setting = {.compress_above = LEAT_SEAL_COMPRESS_NEVER};
    struct leat_seal_config config = {.memory = leat_memory_default(),
                                      .compress_above = LEAT_SEAL_COMPRESS_NEVER,
                                      .bytes_max = UINT32_C(1) << 30};
    CHECK_OK(leat_seal_open(&seal, &config, NULL));
    leat_seal_close(&seal);
    config.bytes_max++;
    CHECK_STATUS(leat_seal_open(&seal, &config, NULL), LEAT_INVALID);
    if (!leat_seal_encrypts()) {
        skip();
    }
    for (uint32_t i = 0; i <= LEAT_SEAL_KEYS_MAX; i++) {
        setting.keys[i] = i;
    }
    setting.keys_count = LEAT_SEAL_KEYS_MAX;
    CHECK_OK(seal_test_try(&seal, &setting, &error));
    leat_seal_close(&seal);
    setting.keys_count = LEAT_SEAL_KEYS_MAX + 1;
    CHECK_STATUS(seal_test_try(&seal, &setting, &error), LEAT_INVALID);
    setting.keys_count = 3;
    setting.keys[2] = 0;
    CHECK_STATUS(seal_test_try(&seal, &setting, &error), LEAT_INVALID);
    CHECK(strstr(error.text, "twice") != NULL);
    const struct leat_seal_source missing = {.file = "/nowhere/key"};
    config = (struct leat_seal_config){.memory = leat_memory_default(),
                                       .keys = &missing,
                                       .keys_count = 1,
                                       .compress_above = LEAT_SEAL_COMPRESS_NEVER};
    CHECK_STATUS(leat_seal_open(&seal, &config, &error), LEAT_NOT_FOUND);
    CHECK(strstr(error.text, "/nowhere/key") != NULL);
    CHECK(seal.secret == NULL);
}

/* ---- allocation fails ----------------------------------------------------------------------- */

static uint32_t allocations_left;
static int64_t allocated;

static void *
some_allocate(size_t bytes, size_t alignment, void *context)
{
    (void)context;
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left--;
    allocated++;
    return aligned_alloc(alignment, leat_round_up(bytes, alignment));
}

static void
some_release(void *memory, size_t bytes, void *context)
{
    (void)bytes;
    (void)context;
    allocated--;
    free(memory);
}

static void
no_memory(void **state)
{
    (void)state;
    const struct leat_seal_source key = seal_test_key(1);
    struct leat_error error;
    const struct leat_seal_config config = {
        .memory = {some_allocate, some_release, NULL},
        .keys = &key,
        .keys_count = leat_seal_encrypts() ? 1 : 0,
        .compress_above = leat_seal_compresses() ? 1024 : LEAT_SEAL_COMPRESS_NEVER};
    enum leat_status status = LEAT_NO_MEMORY;
    uint32_t tries = 0;
    while (status != LEAT_OK) {
        allocations_left = tries++;
        status = leat_seal_open(&seal, &config, &error);
        CHECK(status == LEAT_OK || status == LEAT_NO_MEMORY);
        CHECK(status == LEAT_OK || allocated == 0);
    }
    test_say("%u allocations at an open\n", tries - 1);
    leat_seal_close(&seal);
    CHECK_EQUAL(allocated, 0);
}

int
main(void)
{
    CHECK(mkdtemp(directory) != NULL);
    (void)snprintf(path, sizeof(path), "%s/key", directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_each_form),
        cmocka_unit_test(files_that_others_may_read),
        cmocka_unit_test(what_is_no_file),
        cmocka_unit_test(functions),
        cmocka_unit_test(keys_that_are_given_and_not),
        cmocka_unit_test(a_later_format),
        cmocka_unit_test(keys_change_at_work),
        cmocka_unit_test(limits_of_an_open),
        cmocka_unit_test(no_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    (void)rmdir(directory);
    return failed;
}
