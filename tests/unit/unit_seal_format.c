/* unit_seal_format.c - what stands in an encrypted record, byte by byte: HKDF and AES-GCM come to
 * what RFC 5869 and the published vectors of GCM say, and a record is what libcrypto, asked here
 * by other calls, makes of a known key, salt and position. */
#include <string.h>

#include "engine/seal/cipher.h"
#include "engine/seal/seal.h"
#include "tests/support/check.h"
#include "tests/support/seal.h"

#if LEAT_CRYPTO
#    include <openssl/evp.h>
#    include <openssl/hmac.h>
#endif

#define HEX_BYTES_MAX 128

struct bytes {
    unsigned char all[HEX_BYTES_MAX];
    size_t count;
};

static unsigned char
digit(char letter)
{
    return (unsigned char)(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

static struct bytes
hex(const char *text)
{
    struct bytes bytes = {.count = strlen(text) / 2};
    CHECK(bytes.count <= HEX_BYTES_MAX);
    for (size_t i = 0; i < bytes.count; i++) {
        bytes.all[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    }
    return bytes;
}

/* RFC 5869, appendix A.1 to A.3. */
static void
derivation(void **state)
{
    (void)state;
    static const struct {
        const char *key, *salt, *info, *output;
    } vectors[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
         "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
         "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
         "88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
         "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
         "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
         "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
    };
    struct leat_cipher cipher;
    if (!leat_cipher_there()) {
        skip();
    }
    CHECK(leat_cipher_init(&cipher));
    for (uint32_t i = 0; i < TEST_COUNT_OF(vectors); i++) {
        const struct bytes key = hex(vectors[i].key);
        const struct bytes salt = hex(vectors[i].salt);
        const struct bytes info = hex(vectors[i].info);
        const struct bytes output = hex(vectors[i].output);
        const struct leat_cipher_source source = {key.all,    key.count, salt.all,
                                                  salt.count, info.all,  info.count};
        unsigned char derived[HEX_BYTES_MAX];
        CHECK(leat_cipher_derive(&cipher, &source, derived, output.count));
        CHECK_EQUAL(memcmp(derived, output.all, output.count), 0);
    }
    leat_cipher_fini(&cipher);
}

/* Test cases 13 to 16 of McGrew and Viega, "The Galois/Counter Mode of Operation", 2004, which NIST
 * took as its own: those of 256 bits and a nonce of 96. */
static const struct vector {
    const char *key, *nonce, *plain, *bound, *sealed, *tag;
} gcm_vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "00000000000000000000000000000000", "", "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

/* The additional data, cut into head and bound at each place. */
static void
check_gcm(const struct leat_cipher *cipher, void *context, const struct vector *vector)
{
    const struct bytes key = hex(vector->key);
    const struct bytes nonce = hex(vector->nonce);
    const struct bytes plain = hex(vector->plain);
    const struct bytes bound = hex(vector->bound);
    const struct bytes sealed = hex(vector->sealed);
    const struct bytes tag = hex(vector->tag);
    for (size_t cut = 0; cut <= bound.count; cut++) {
        struct leat_cipher_text text = {.nonce = nonce.all,
                                        .head = bound.all,
                                        .head_bytes = cut,
                                        .bound = bound.all + cut,
                                        .bound_bytes = bound.count - cut,
                                        .from = plain.all,
                                        .bytes = plain.count};
        unsigned char to[HEX_BYTES_MAX];
        unsigned char got[LEAT_CIPHER_TAG_BYTES];
        CHECK(leat_cipher_key(cipher, context, key.all, true));
        CHECK(leat_cipher_seal(context, &text, to, got));
        CHECK_EQUAL(memcmp(to, sealed.all, sealed.count), 0);
        CHECK_EQUAL(memcmp(got, tag.all, sizeof(got)), 0);
        /* In place, and once more with the same key. */
        memcpy(to, plain.all, plain.count);
        text.from = to;
        CHECK(leat_cipher_seal(context, &text, to, got));
        CHECK_EQUAL(memcmp(to, sealed.all, sealed.count), 0);
        CHECK_EQUAL(memcmp(got, tag.all, sizeof(got)), 0);
        CHECK(leat_cipher_key(cipher, context, key.all, false));
        CHECK_EQUAL(leat_cipher_unseal(context, &text, to, got), LEAT_CIPHER_OK);
        CHECK_EQUAL(memcmp(to, plain.all, plain.count), 0);
        memcpy(to, sealed.all, sealed.count);
        got[15] ^= 1;
        CHECK_EQUAL(leat_cipher_unseal(context, &text, to, got), LEAT_CIPHER_FORGED);
    }
}

static void
cipher_vectors(void **state)
{
    (void)state;
    struct leat_cipher cipher;
    if (!leat_cipher_there()) {
        skip();
    }
    CHECK(leat_cipher_init(&cipher));
    void *context = leat_cipher_context();
    CHECK(context != NULL);
    for (uint32_t i = 0; i < TEST_COUNT_OF(gcm_vectors); i++) {
        check_gcm(&cipher, context, &gcm_vectors[i]);
    }
    leat_cipher_context_give(context);
    leat_cipher_fini(&cipher);
}

#if LEAT_CRYPTO

static void
hmac(const void *key, size_t key_bytes, const void *text, size_t bytes, unsigned char to[32])
{
    unsigned int written = 0;
    CHECK(HMAC(EVP_sha256(), key, (int)key_bytes, text, bytes, to, &written) == to);
    CHECK_EQUAL(written, 32);
}

/* HKDF by hand, for at most 32 bytes. */
static void
derive(const void *key, const void *salt, size_t salt_bytes, const struct bytes *info,
       unsigned char to[32])
{
    unsigned char inner[32];
    unsigned char text[HEX_BYTES_MAX + 1];
    hmac(salt, salt_bytes, key, 32, inner);
    memcpy(text, info->all, info->count);
    text[info->count] = 1;
    hmac(inner, sizeof(inner), text, info->count + 1, to);
}

/* `text` with its zero, and a number of 8 bytes. */
static struct bytes
info_of(const char *text, bool numbered, uint64_t number)
{
    struct bytes info = {.count = strlen(text) + 1};
    memcpy(info.all, text, info.count);
    if (numbered) {
        memcpy(info.all + info.count, &number, sizeof(number));
        info.count += sizeof(number);
    }
    return info;
}

static void
check_record(struct leat_seal *seal, uint64_t position)
{
    unsigned char record[256];
    unsigned char expected[256];
    unsigned char key[32];
    unsigned char nonce[12] = {0};
    const unsigned char no_salt[32] = {0};
    uint32_t bytes = 0;
    int written = 0;
    const struct leat_seal_item item = {"what is sealed", "bound", 14, 5};
    atom_init(&seal->position, position);
    CHECK_OK(leat_seal_put(seal, &item, record, &bytes));
    CHECK_EQUAL(bytes, 14 + 56);
    struct leat_seal_head head = {.version = 1, .flags = 2, .bytes = 14, .position = position};
    memcpy(head.salt, seal->secret->salt, sizeof(head.salt));
    const struct bytes name = info_of("leat key identity 1", false, 0);
    derive(seal->secret->keys[0], no_salt, sizeof(no_salt), &name, key);
    memcpy(&head.key, key, sizeof(head.key));
    const struct bytes info = info_of("leat seal 1", true, position >> 32);
    derive(seal->secret->keys[0], head.salt, sizeof(head.salt), &info, key);
    memcpy(nonce, &position, sizeof(position));
    memcpy(expected, &head, sizeof(head));
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    CHECK_EQUAL(EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce), 1);
    CHECK_EQUAL(EVP_EncryptUpdate(context, NULL, &written, expected, 40), 1);
    CHECK_EQUAL(EVP_EncryptUpdate(context, NULL, &written, (const unsigned char *)item.bound, 5),
                1);
    CHECK_EQUAL(EVP_EncryptUpdate(context, expected + 40, &written, item.data, 14), 1);
    CHECK_EQUAL(EVP_EncryptFinal_ex(context, expected + 54, &written), 1);
    CHECK_EQUAL(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, expected + 54), 1);
    EVP_CIPHER_CTX_free(context);
    CHECK_EQUAL(memcmp(record, expected, bytes), 0);
    CHECK_EQUAL(atom_load_rlx(&seal->position), position + 1); /* rlx: not shared yet */
}

/* Also on both sides of the places where the key changes. */
static void
records_byte_by_byte(void **state)
{
    (void)state;
    static const uint64_t positions[] = {0,
                                         1,
                                         UINT64_C(0x0102030405060708),
                                         (UINT64_C(1) << 32) - 1,
                                         UINT64_C(1) << 32,
                                         (UINT64_C(3) << 32) - 1,
                                         UINT64_C(3) << 32};
    static struct leat_seal seal;
    const struct seal_test_setting setting = {
        .keys = {9}, .keys_count = 1, .compress_above = LEAT_SEAL_COMPRESS_NEVER};
    seal_test_open(&seal, &setting);
    for (uint32_t i = 0; i < TEST_COUNT_OF(positions); i++) {
        check_record(&seal, positions[i]);
    }
    leat_seal_close(&seal);
}

#else

static void
records_byte_by_byte(void **state)
{
    (void)state;
    skip();
}

#endif

/* Without a key there are 8 bytes, and the data. */
static void
plain_records_byte_by_byte(void **state)
{
    (void)state;
    static struct leat_seal seal;
    const struct seal_test_setting setting = {.compress_above = LEAT_SEAL_COMPRESS_NEVER};
    const struct leat_seal_item item = {"what is sealed", "bound", 14, 5};
    unsigned char record[256];
    uint32_t bytes = 0;
    seal_test_open(&seal, &setting);
    CHECK_OK(leat_seal_put(&seal, &item, record, &bytes));
    CHECK_EQUAL(bytes, 22);
    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
        CHECK_EQUAL(memcmp(record, "\1\0\0\0\x0e\0\0\0what is sealed", 22), 0);
    }
    leat_seal_close(&seal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivation),
        cmocka_unit_test(cipher_vectors),
        cmocka_unit_test(records_byte_by_byte),
        cmocka_unit_test(plain_records_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
