/* open.c - keys of a seal: taken at the open, added, named in sentences, and wiped. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "engine/seal/seal.h"
#include "engine/seal/slot.h"
#include "engine/seal/squeeze.h"
#include "ring/os.h"

LEAT_STATIC(LEAT_SEAL_KEY_BYTES == LEAT_CIPHER_KEY_BYTES, "all of these are 256 bits");
LEAT_STATIC(sizeof(struct leat_seal_secret) <= LEAT_PAGE_BYTES, "one page has them all");

/* Of the slots that are made at once, 17 KiB each: with more CPUs the rest are made when needed. */
#define SLOTS_FIRST_MAX 128

bool
leat_seal_compresses(void)
{
    return leat_squeeze_there();
}

bool
leat_seal_encrypts(void)
{
    return leat_cipher_there();
}

/* ---- keys ----------------------------------------------------------------------------------- */

uint32_t
leat_seal_keys_there(const struct leat_seal *seal)
{
    /* seal_keys:B acquire -> seal_keys:A.  Carries: the last key and its identity.
     * If relaxed: a record can be sealed with a key of zeros. */
    return atom_load_acq(&seal->keys_count);
}

/* Takes a key into the place behind the last one, where no one looks yet. */
static enum leat_status
key_add(struct leat_seal *seal, const struct leat_seal_source *source, struct leat_error *error)
{
    static const char purpose[] = "leat key identity 1";
    uint32_t count = atom_load_rlx(&seal->keys_count); /* rlx: single writer */
    unsigned char *key = seal->secret->keys[count];
    uint64_t identity = 0;
    enum leat_status status = leat_seal_key_take(source, key, error);
    if (status != LEAT_OK) {
        return status;
    }
    const struct leat_cipher_source derived = {.key = key,
                                               .key_bytes = LEAT_SEAL_KEY_BYTES,
                                               .info = purpose,
                                               .info_bytes = sizeof(purpose)};
    if (!leat_cipher_derive(&seal->cipher, &derived, &identity, sizeof(identity))) {
        status = leat_seal_fail(error, LEAT_UNSUPPORTED,
                                "libcrypto of this system gives no HKDF with SHA-256");
    }
    for (uint32_t i = 0; i < count && status == LEAT_OK; i++) {
        if (seal->identities[i] == identity) {
            status = leat_seal_fail(error, LEAT_EXISTS, "the key %016" PRIx64 " is given twice",
                                    identity);
        }
    }
    if (status != LEAT_OK) {
        explicit_bzero(key, LEAT_SEAL_KEY_BYTES);
        return status;
    }
    seal->identities[count] = identity;
    /* seal_keys:A release -> seal_keys:B.  Carries: the key and its identity.
     * If relaxed: records are sealed with what stood there before. */
    atom_store_rel(&seal->keys_count, count + 1);
    return LEAT_OK;
}

enum leat_status
leat_seal_rotate(struct leat_seal *seal, const struct leat_seal_source *source,
                 struct leat_error *error)
{
    struct leat_error unread;
    error = error == NULL ? &unread : error;
    if (seal->secret == NULL) {
        return leat_seal_fail(error, LEAT_WRONG_STATE, "nothing is encrypted here");
    }
    if (seal->secret->alive == 0) {
        return leat_seal_fail(error, LEAT_FORKED, "the keys are the parent process's");
    }
    if (atom_load_rlx(&seal->keys_count) == LEAT_SEAL_KEYS_MAX) { /* rlx: single writer */
        return leat_seal_fail(error, LEAT_FULL, "there are %u keys, which is as many as can be",
                              (unsigned)LEAT_SEAL_KEYS_MAX);
    }
    return key_add(seal, source, error);
}

bool
leat_seal_key(const struct leat_seal *seal, uint32_t index, struct leat_seal_key_sight *sight)
{
    uint32_t count = leat_seal_keys_there(seal);
    if (index >= count) {
        return false;
    }
    sight->identity = seal->identities[index];
    sight->taken = atom_load_rlx(&seal->taken[index]); /* rlx: statistic */
    sight->seals = index + 1 == count;
    return true;
}

/* ---- open and close ------------------------------------------------------------------------- */

static enum leat_status
config_check(const struct leat_seal_config *config, struct leat_error *error)
{
    if (config->compress_above != LEAT_SEAL_COMPRESS_NEVER && !leat_seal_compresses()) {
        return leat_seal_fail(error, LEAT_UNSUPPORTED,
                              "this build of Leat has no lz4 (LEAT_LZ4): it cannot compress");
    }
    if (config->keys_count != 0 && !leat_seal_encrypts()) {
        return leat_seal_fail(
            error, LEAT_UNSUPPORTED,
            "this build of Leat has no libcrypto (LEAT_CRYPTO): it cannot encrypt");
    }
    if (config->keys_count > LEAT_SEAL_KEYS_MAX) {
        return leat_seal_fail(error, LEAT_INVALID, "%u keys are given, and at most %u can be",
                              config->keys_count, (unsigned)LEAT_SEAL_KEYS_MAX);
    }
    if (config->bytes_max > LEAT_SQUEEZE_BYTES_MAX) {
        return leat_seal_fail(error, LEAT_INVALID, "records of %u bytes are too large",
                              config->bytes_max);
    }
    return LEAT_OK;
}

/* The page of the secrets, the salt, and all keys, the one that seals last. */
static enum leat_status
secret_make(struct leat_seal *seal, struct leat_error *error)
{
    const struct leat_seal_config *config = &seal->config;
    struct leat_seal_secret *secret = leat_os_map_wiped_on_fork();
    if (secret == NULL) {
        return leat_seal_fail(error, LEAT_NO_MEMORY, "there is no page for the keys");
    }
    seal->secret = secret;
    /* Where a limit forbids it, it may be swapped out. */
    (void)leat_os_lock(secret, LEAT_PAGE_BYTES);
    leat_os_hide(secret, LEAT_PAGE_BYTES);
    if (getrandom(secret->salt, sizeof(secret->salt), 0) != (ssize_t)sizeof(secret->salt)) {
        return leat_seal_fail(error, LEAT_SYSTEM, "the system gives no random bytes");
    }
    if (!leat_cipher_init(&seal->cipher)) {
        return leat_seal_fail(error, LEAT_UNSUPPORTED,
                              "libcrypto of this system gives no AES-256-GCM, or no HKDF");
    }
    secret->alive = 1;
    for (uint32_t i = config->keys_count; i > 0; i--) {
        enum leat_status status = key_add(seal, &config->keys[i - 1], error);
        if (status != LEAT_OK) {
            return status == LEAT_EXISTS ? LEAT_INVALID : status;
        }
    }
    return LEAT_OK;
}

static enum leat_status
open_checked(struct leat_seal *seal, struct leat_error *error)
{
    const struct leat_seal_config *config = &seal->config;
    bool encrypts = config->keys_count != 0;
    enum leat_status status = encrypts ? secret_make(seal, error) : LEAT_OK;
    if (status != LEAT_OK) {
        return status;
    }
    uint16_t cpus[SLOTS_FIRST_MAX];
    bool works = encrypts || config->compress_above != LEAT_SEAL_COMPRESS_NEVER;
    uint32_t count = works ? leat_os_cpus_allowed(cpus, SLOTS_FIRST_MAX) : 0;
    if (!leat_seal_slots_make(seal, count)) {
        return leat_seal_fail(error, LEAT_NO_MEMORY, "no memory to compress or encrypt in");
    }
    return LEAT_OK;
}

enum leat_status
leat_seal_open(struct leat_seal *seal, const struct leat_seal_config *config,
               struct leat_error *error)
{
    struct leat_error unread;
    error = error == NULL ? &unread : error;
    enum leat_status status = config_check(config, error);
    if (status != LEAT_OK) {
        return status;
    }
    memset(seal, 0, sizeof(*seal));
    seal->config = *config;
    status = open_checked(seal, error);
    if (status != LEAT_OK) {
        leat_seal_close(seal);
    } else {
        error->status = LEAT_OK;
        error->text[0] = '\0';
    }
    seal->config.keys = NULL;
    return status;
}

void
leat_seal_close(struct leat_seal *seal)
{
    leat_seal_slots_free(seal);
    if (seal->secret != NULL) {
        explicit_bzero(seal->secret, sizeof(*seal->secret));
        leat_os_unmap(seal->secret, LEAT_PAGE_BYTES);
        leat_cipher_fini(&seal->cipher);
        seal->secret = NULL;
    }
}

/* ---- in words ------------------------------------------------------------------------------- */

static enum leat_status
explain_key(const struct leat_seal *seal, uint64_t key, struct leat_error *error)
{
    char given[64] = "no key is given";
    struct leat_seal_key_sight sight;
    uint32_t count = 0;
    while (leat_seal_key(seal, count, &sight)) {
        count++;
    }
    if (count == 1) {
        (void)snprintf(given, sizeof(given), "the key that is given is %016" PRIx64,
                       sight.identity);
    } else if (count > 1) {
        (void)snprintf(given, sizeof(given), "it is none of the %u keys that are given", count);
    }
    if (key == 0) {
        return leat_seal_fail(error, LEAT_WRONG_KEY,
                              "a record is not encrypted, and a key is given: plain ones are to "
                              "be allowed, or it was not written here");
    }
    return leat_seal_fail(error, LEAT_WRONG_KEY,
                          "a record is encrypted with the key %016" PRIx64 ", and %s", key, given);
}

static enum leat_status
explain_unsupported(const struct leat_seal_sight *sight, struct leat_error *error)
{
    return leat_seal_fail(error, LEAT_UNSUPPORTED,
                          "a record is %s, and this build of Leat has no %s",
                          sight->compressed && !leat_seal_compresses() ? "compressed" : "encrypted",
                          sight->compressed && !leat_seal_compresses() ? "lz4 (LEAT_LZ4)"
                                                                       : "libcrypto (LEAT_CRYPTO)");
}

enum leat_status
leat_seal_explain(const struct leat_seal *seal, const struct leat_seal_item *item,
                  enum leat_status status, struct leat_error *error)
{
    struct leat_seal_sight sight = {0};
    bool legible = leat_seal_look(seal, item->data, item->bytes, &sight) == LEAT_OK;
    if (status == LEAT_WRONG_KEY) {
        return explain_key(seal, sight.key, error);
    }
    if (status == LEAT_UNSUPPORTED && legible) {
        return explain_unsupported(&sight, error);
    }
    if (status == LEAT_UNSUPPORTED) {
        return leat_seal_fail(error, status, "a record has a later format than this build of Leat");
    }
    if (status == LEAT_CORRUPT && legible && sight.key != 0) {
        return leat_seal_fail(error, status,
                              "a record of %u bytes is not what the key %016" PRIx64
                              " sealed, or stands in the place of another one",
                              item->bytes, sight.key);
    }
    if (status == LEAT_CORRUPT) {
        return leat_seal_fail(error, status, "a record of %u bytes is damaged", item->bytes);
    }
    return leat_seal_fail(error, status, "%s", leat_status_text(status));
}
