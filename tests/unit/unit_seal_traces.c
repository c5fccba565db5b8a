/* unit_seal_traces.c - what sealing leaves in the process: no key of ours on a stack of who took or
 * derived one; the page of the keys is locked, in no core dump, and no child's; in the queue of
 * errors of libcrypto there is the host's alone; and a slot that has the key of another open is
 * given the right one. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/seal/seal.h"
#include "engine/seal/slot.h"
#include "ring/os.h"
#include "tests/support/check.h"
#include "tests/support/seal.h"
#include "tests/support/threads.h"

#if LEAT_CRYPTO
#    include <openssl/err.h>
#endif

#define STACK_BYTES ((size_t)1 << 18)

static struct leat_seal seal;
static const struct seal_test_setting encrypted = {
    .keys = {1}, .keys_count = 1, .compress_above = LEAT_SEAL_COMPRESS_NEVER};

/* ---- the stack ------------------------------------------------------------------------------- */

/* What a thread does whose stack is looked at; it stands still meanwhile. */
struct stack {
    void (*act)(void *context);
    void *context;
    leat_atomic_u32 done;
    leat_atomic_u32 looked;
    unsigned char *bytes;
};

static void *
stand(void *argument)
{
    struct stack *stack = argument;
    stack->act(stack->context);
    atom_store_rlx(&stack->done, 1); /* rlx: ordered by the scan being late enough */
    /* No call: that would write over what is looked for. */
    while (atom_load_rlx(&stack->looked) == 0) { /* rlx: a flag of the test */
    }
    return NULL;
}

/* How often a key stands in the stack of who did that. */
static uint32_t
left_once(void (*act)(void *context), void *context, const unsigned char *key)
{
    struct stack stack = {.act = act, .context = context};
    pthread_attr_t attributes;
    pthread_t thread;
    uint32_t left = 0;
    stack.bytes =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack.bytes != MAP_FAILED);
    CHECK_EQUAL(pthread_attr_init(&attributes), 0);
    CHECK_EQUAL(pthread_attr_setstack(&attributes, stack.bytes, STACK_BYTES), 0);
    CHECK_EQUAL(pthread_create(&thread, &attributes, stand, &stack), 0);
    while (atom_load_rlx(&stack.done) == 0) { /* rlx: a flag of the test */
        (void)usleep(100);
    }
    for (size_t i = 0; i + LEAT_SEAL_KEY_BYTES <= STACK_BYTES; i++) {
        left += memcmp(stack.bytes + i, key, LEAT_SEAL_KEY_BYTES) == 0 ? 1 : 0;
    }
    atom_store_rlx(&stack.looked, 1); /* rlx: a flag of the test */
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    CHECK_EQUAL(pthread_attr_destroy(&attributes), 0);
    CHECK_EQUAL(munmap(stack.bytes, STACK_BYTES), 0);
    return left;
}

/* The same of the second time: at the first one the dynamic linker looks for functions, and puts
 * registers, in which there may be a key, on the stack meanwhile. */
static uint32_t
left_by(void (*act)(void *context), void *context, const unsigned char *key)
{
    (void)left_once(act, context, key);
    return left_once(act, context, key);
}

static void
copy_to_stack(void *context)
{
    unsigned char copy[LEAT_SEAL_KEY_BYTES];
    memcpy(copy, context, sizeof(copy));
    __asm__ __volatile__("" : : "r"(copy) : "memory"); /* so that it is made */
}

static void
key_take(void *context)
{
    static unsigned char key[LEAT_SEAL_KEY_BYTES];
    static struct leat_error error;
    CHECK_OK(leat_seal_key_take(context, key, &error));
}

/* What libcrypto does for that alone, with a key that is not on the stack. */
static void
key_derive_barely(void *context)
{
    static unsigned char key[LEAT_SEAL_KEY_BYTES];
    static const unsigned char info[20] = "leat seal 1";
    const struct leat_seal_slot *slot = context;
    const struct leat_cipher_source how = {
        seal.secret->keys[0], LEAT_SEAL_KEY_BYTES, seal.secret->salt, LEAT_SEAL_SALT_BYTES, info,
        sizeof(info)};
    CHECK(leat_cipher_derive(&seal.cipher, &how, key, sizeof(key)));
    CHECK(leat_cipher_key(&seal.cipher, slot->context, key, true));
    memset(key, 0, sizeof(key));
}

static void
key_derive(void *context)
{
    struct leat_seal_slot *slot = context;
    struct leat_seal_name name = {.way = LEAT_SEAL_WAY_SEAL};
    memcpy(name.salt, seal.secret->salt, sizeof(name.salt));
    slot->name.way = 0; /* it is derived anew */
    CHECK(leat_seal_slot_key(&seal, slot, &name));
}

static void
no_key_is_left_on_a_stack(void **state)
{
    unsigned char key[LEAT_SEAL_KEY_BYTES];
    char path[] = "/tmp/unit_seal_traces.XXXXXX";
    const unsigned char info[20] = "leat seal 1";
    struct leat_seal_slot *slot = NULL;
    (void)state;
    if (test_sanitized() || !leat_seal_encrypts()) {
        skip(); /* a sanitizer has stacks of its own */
    }
    struct leat_seal_source source = seal_test_key(1);
    CHECK(source.key(source.context, key));
    CHECK(left_by(copy_to_stack, key, key) > 0); /* it would be seen */
    CHECK_EQUAL(left_by(key_take, &source, key), 0);
    int file = mkstemp(path);
    CHECK(file >= 0);
    CHECK_EQUAL(write(file, key, sizeof(key)), sizeof(key));
    CHECK_EQUAL(close(file), 0);
    source = (struct leat_seal_source){.file = path};
    CHECK_EQUAL(left_by(key_take, &source, key), 0);
    CHECK_EQUAL(unlink(path), 0);
    seal_test_open(&seal, &encrypted);
    const struct leat_cipher_source how = {
        seal.secret->keys[0], LEAT_SEAL_KEY_BYTES, seal.secret->salt, LEAT_SEAL_SALT_BYTES, info,
        sizeof(info)};
    CHECK(leat_cipher_derive(&seal.cipher, &how, key, sizeof(key)));
    CHECK_OK(leat_seal_slot_claim(&seal, &slot));
    /* libcrypto may leave some there; nothing is added to that. */
    uint32_t theirs = left_by(key_derive_barely, slot, key);
    CHECK_EQUAL(left_by(key_derive, slot, key), theirs);
    leat_seal_slot_give(slot);
    leat_seal_close(&seal);
}

/* ---- the page -------------------------------------------------------------------------------- */

/* The system's flags of the mapping that an address is in. */
static void
flags_of(const void *address, char *flags, size_t bytes)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    bool here = false;
    flags[0] = '\0';
    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps) != NULL) {
        uint64_t first = 0;
        uint64_t end = 0;
        char *next = NULL;
        first = strtoull(line, &next, 16);
        if (next != line && *next == '-') {
            end = strtoull(next + 1, &next, 16);
            here = (uintptr_t)address >= first && (uintptr_t)address < end;
        } else if (here && strncmp(line, "VmFlags:", 8) == 0) {
            (void)snprintf(flags, bytes, "%.200s", line);
        }
    }
    CHECK_EQUAL(fclose(maps), 0);
}

static void
the_page_of_the_keys(void **state)
{
    char flags[256];
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    seal_test_open(&seal, &encrypted);
    flags_of(seal.secret, flags, sizeof(flags));
    void *page =
        mmap(NULL, LEAT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(page != MAP_FAILED);
    /* A sanitizer locks nothing, and says that it has. */
    bool locks = mlock(page, LEAT_PAGE_BYTES) == 0 && !test_sanitized();
    CHECK_EQUAL(munmap(page, LEAT_PAGE_BYTES), 0);
    if (flags[0] != '\0') { /* some kernels have none */
        CHECK(strstr(flags, " dd") != NULL);
        CHECK(strstr(flags, " wf") != NULL);
        CHECK(!locks || strstr(flags, " lo") != NULL);
    }
    leat_seal_close(&seal);
}

/* ---- slots ----------------------------------------------------------------------------------- */

enum { OPENS = 3 };

/* Records of some opens in turn, on one CPU: so by one slot, whose key is another open's. */
static void
records_of_other_opens(void **state)
{
    static unsigned char records[OPENS][128];
    uint32_t bytes[OPENS];
    unsigned char data[32];
    uint32_t taken = 0;
    (void)state;
    if (!leat_seal_encrypts()) {
        skip();
    }
    for (uint32_t i = 0; i < OPENS; i++) {
        const struct leat_seal_item item = {"of some open", NULL, 12, 0};
        seal_test_open(&seal, &encrypted);
        CHECK_OK(leat_seal_put(&seal, &item, records[i], &bytes[i]));
        leat_seal_close(&seal);
    }
    seal_test_open(&seal, &encrypted);
    for (uint32_t i = 0; i < 20 * OPENS; i++) {
        const struct leat_seal_item item = {records[i % OPENS], NULL, bytes[i % OPENS], 0};
        CHECK_OK(leat_seal_take(&seal, &item, data, sizeof(data), &taken));
        CHECK(taken == 12 && memcmp(data, "of some open", 12) == 0);
    }
    leat_seal_close(&seal);
}

/* ---- libcrypto ------------------------------------------------------------------------------- */

#if LEAT_CRYPTO

static void
the_errors_are_the_hosts(void **state)
{
    unsigned char record[128];
    unsigned char data[32];
    uint32_t bytes = 0;
    uint32_t taken = 0;
    (void)state;
    ERR_clear_error();
    ERR_raise_data(ERR_LIB_USER, 42, "the host's own");
    unsigned long before = ERR_peek_last_error();
    seal_test_open(&seal, &encrypted);
    struct leat_seal_item item = {"something", NULL, 9, 0};
    CHECK_OK(leat_seal_put(&seal, &item, record, &bytes));
    item = (struct leat_seal_item){record, NULL, bytes, 0};
    record[bytes - 1] ^= 1;
    CHECK_STATUS(leat_seal_take(&seal, &item, data, sizeof(data), &taken), LEAT_CORRUPT);
    /* What libcrypto refuses, and says so: a key of no bytes. */
    const struct leat_cipher_source source = {"key", 3, NULL, 0, NULL, 0};
    CHECK(!leat_cipher_derive(&seal.cipher, &source, data, 0));
    leat_seal_close(&seal);
    CHECK_EQUAL(ERR_get_error(), before);
    CHECK_EQUAL(ERR_get_error(), 0);
}

#endif

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_key_is_left_on_a_stack),
        cmocka_unit_test(the_page_of_the_keys),
        cmocka_unit_test(records_of_other_opens),
#if LEAT_CRYPTO
        cmocka_unit_test(the_errors_are_the_hosts),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
