/* cipher.h - AES-256-GCM and HKDF-SHA-256 of libcrypto, or that this build has none. They are asked
 * for in the library's default context: what an administrator allows or forbids there holds. */
#ifndef ENGINE_SEAL_CIPHER_H
#define ENGINE_SEAL_CIPHER_H

#include "ring/base.h"

#define LEAT_CIPHER_KEY_BYTES   32
#define LEAT_CIPHER_NONCE_BYTES 12
#define LEAT_CIPHER_TAG_BYTES   16

/* Made once, then only read. */
struct leat_cipher {
    void *algorithm;
    void *derivation;
};

bool leat_cipher_there(void);
/* False: libcrypto does not give them. Nothing is then to be given back. */
bool leat_cipher_init(struct leat_cipher *cipher);
void leat_cipher_fini(struct leat_cipher *cipher);

/* RFC 5869. A salt or info of 0 bytes is none. */
struct leat_cipher_source {
    const void *key;
    size_t key_bytes;
    const void *salt;
    size_t salt_bytes;
    const void *info;
    size_t info_bytes;
};

bool leat_cipher_derive(const struct leat_cipher *cipher, const struct leat_cipher_source *source,
                        void *to, size_t bytes);

/* What one thread at a time works with: it keeps a key. NULL: no memory. Wiped when given back. */
void *leat_cipher_context(void);
void leat_cipher_context_give(void *context);
/* From now on with this key, to seal or to unseal. */
bool leat_cipher_key(const struct leat_cipher *cipher, void *context, const void *key, bool seals);

struct leat_cipher_text {
    const void *nonce; /* no two of one key are the same */
    const void *head;  /* two parts that are only authenticated */
    size_t head_bytes;
    const void *bound;
    size_t bound_bytes;
    const void *from;
    size_t bytes; /* at most LEAT_SQUEEZE_BYTES_MAX each */
};

/* Encrypts to `to`, which may be `from`, and writes the tag. pre: leat_cipher_key() to seal. */
bool leat_cipher_seal(void *context, const struct leat_cipher_text *text, void *to, void *tag);

enum leat_cipher_answer {
    LEAT_CIPHER_OK,
    LEAT_CIPHER_FORGED, /* the tag is of something else: what stands in `to` is worth nothing */
    LEAT_CIPHER_FAILED  /* libcrypto did */
};

/* The way back. pre: leat_cipher_key() to unseal. */
enum leat_cipher_answer leat_cipher_unseal(void *context, const struct leat_cipher_text *text,
                                           void *to, const void *tag);

#endif
