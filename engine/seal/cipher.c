/* cipher.c - AES-256-GCM and HKDF-SHA-256 of libcrypto, or that this build has none. */
#include "engine/seal/cipher.h"

#include <string.h>

#ifndef LEAT_CRYPTO
#    define LEAT_CRYPTO 0
#endif

#if LEAT_CRYPTO

#    include <openssl/core_names.h>
#    include <openssl/err.h>
#    include <openssl/evp.h>
#    include <openssl/kdf.h>

bool
leat_cipher_there(void)
{
    return true;
}

/* What libcrypto remembers of failures is the thread's, and a host that uses it too looks there for
 * its own: between these two all of ours is forgotten, and of the host's nothing. */
static void
begin(void)
{
    (void)ERR_set_mark();
}

static bool
answered(bool good)
{
    (void)(good ? ERR_clear_last_mark() : ERR_pop_to_mark());
    return good;
}

bool
leat_cipher_init(struct leat_cipher *cipher)
{
    begin();
    cipher->algorithm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    cipher->derivation = EVP_KDF_fetch(NULL, "HKDF", NULL);
    if (answered(cipher->algorithm != NULL && cipher->derivation != NULL)) {
        return true;
    }
    leat_cipher_fini(cipher);
    return false;
}

void
leat_cipher_fini(struct leat_cipher *cipher)
{
    EVP_CIPHER_free(cipher->algorithm);
    EVP_KDF_free(cipher->derivation);
    *cipher = (struct leat_cipher){NULL, NULL};
}

/* Parameters have no const, and are not written to. */
static void *
unconst(const void *data)
{
    void *same = NULL;
    memcpy(&same, &data, sizeof(same));
    return same;
}

bool
leat_cipher_derive(const struct leat_cipher *cipher, const struct leat_cipher_source *source,
                   void *to, size_t bytes)
{
    static const char digest[] = "SHA256";
    OSSL_PARAM parameters[5];
    OSSL_PARAM *next = parameters;
    begin();
    *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, unconst(digest), 0);
    *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, unconst(source->key),
                                                source->key_bytes);
    if (source->salt_bytes != 0) {
        *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, unconst(source->salt),
                                                    source->salt_bytes);
    }
    if (source->info_bytes != 0) {
        *next++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, unconst(source->info),
                                                    source->info_bytes);
    }
    *next = OSSL_PARAM_construct_end();
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(cipher->derivation);
    bool good = context != NULL && EVP_KDF_derive(context, to, bytes, parameters) == 1;
    EVP_KDF_CTX_free(context);
    return answered(good);
}

void *
leat_cipher_context(void)
{
    begin();
    void *context = EVP_CIPHER_CTX_new();
    (void)answered(context != NULL);
    return context;
}

void
leat_cipher_context_give(void *context)
{
    EVP_CIPHER_CTX_free(context);
}

bool
leat_cipher_key(const struct leat_cipher *cipher, void *context, const void *key, bool seals)
{
    begin();
    return answered(
        EVP_CipherInit_ex2(context, cipher->algorithm, key, NULL, seals ? 1 : 0, NULL) == 1);
}

/* All but the tag, the same both ways: -1 keeps the direction of the key. */
static bool
run(EVP_CIPHER_CTX *context, const struct leat_cipher_text *text, unsigned char *to)
{
    int written = 0;
    bool good = EVP_CipherInit_ex2(context, NULL, NULL, text->nonce, -1, NULL) == 1;
    good =
        good && EVP_CipherUpdate(context, NULL, &written, text->head, (int)text->head_bytes) == 1;
    if (text->bound_bytes != 0) {
        good = good &&
               EVP_CipherUpdate(context, NULL, &written, text->bound, (int)text->bound_bytes) == 1;
    }
    if (text->bytes != 0) {
        good = good && EVP_CipherUpdate(context, to, &written, text->from, (int)text->bytes) == 1;
    }
    return good;
}

bool
leat_cipher_seal(void *context, const struct leat_cipher_text *text, void *to, void *tag)
{
    unsigned char nothing[LEAT_CIPHER_TAG_BYTES];
    int written = 0;
    begin();
    return answered(
        run(context, text, to) && EVP_CipherFinal_ex(context, nothing, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, LEAT_CIPHER_TAG_BYTES, tag) == 1);
}

enum leat_cipher_answer
leat_cipher_unseal(void *context, const struct leat_cipher_text *text, void *to, const void *tag)
{
    unsigned char nothing[LEAT_CIPHER_TAG_BYTES];
    int written = 0;
    begin();
    bool ran =
        run(context, text, to) && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG,
                                                      LEAT_CIPHER_TAG_BYTES, unconst(tag)) == 1;
    bool good = answered(ran && EVP_CipherFinal_ex(context, nothing, &written) == 1);
    return good ? LEAT_CIPHER_OK : ran ? LEAT_CIPHER_FORGED : LEAT_CIPHER_FAILED;
}

#else

bool
leat_cipher_there(void)
{
    return false;
}

bool
leat_cipher_init(struct leat_cipher *cipher)
{
    *cipher = (struct leat_cipher){NULL, NULL};
    return false;
}

void
leat_cipher_fini(struct leat_cipher *cipher)
{
    (void)cipher;
}

bool
leat_cipher_derive(const struct leat_cipher *cipher, const struct leat_cipher_source *source,
                   void *to, size_t bytes)
{
    (void)cipher;
    (void)source;
    (void)to;
    (void)bytes;
    return false;
}

void *
leat_cipher_context(void)
{
    return NULL;
}

void
leat_cipher_context_give(void *context)
{
    (void)context;
}

bool
leat_cipher_key(const struct leat_cipher *cipher, void *context, const void *key, bool seals)
{
    (void)cipher;
    (void)context;
    (void)key;
    (void)seals;
    return false;
}

bool
leat_cipher_seal(void *context, const struct leat_cipher_text *text, void *to, void *tag)
{
    (void)context;
    (void)text;
    (void)to;
    (void)tag;
    return false;
}

enum leat_cipher_answer
leat_cipher_unseal(void *context, const struct leat_cipher_text *text, void *to, const void *tag)
{
    (void)context;
    (void)text;
    (void)to;
    (void)tag;
    return LEAT_CIPHER_FAILED;
}

#endif
