/* seal.c - records: put, look, take. */
#include "engine/seal/seal.h"

#include <string.h>

#include "engine/seal/slot.h"
#include "engine/seal/squeeze.h"

/* lz4 gives at most 255 bytes for one of its own: a record that says more would only make its
 * reader allocate. */
#define SQUEEZED_RATIO_MAX 255

/* Compressed it is kept if that saves an eighth: less is not worth the time of each reader. */
#define SAVED_LEAST(bytes) ((bytes) / 8)

#define AES_BLOCK_LOG2 4

static bool
is_forked(const struct leat_seal *seal)
{
    return seal->secret != NULL && seal->secret->alive == 0;
}

/* ---- put ------------------------------------------------------------------------------------ */

/* The body is at `from`, or in its place behind the head already. */
static enum leat_status
encrypt(struct leat_seal *seal, struct leat_seal_slot *slot, const struct leat_cipher_text *given,
        struct leat_seal_head *head, unsigned char *to)
{
    uint32_t index = leat_seal_keys_there(seal) - 1;
    uint64_t blocks = 1 + (given->bytes >> AES_BLOCK_LOG2);
    head->key = seal->identities[index];
    memcpy(head->salt, seal->secret->salt, sizeof(head->salt));
    /* rlx: draws a number */
    head->position = atom_add_rlx(&seal->position, blocks);
    struct leat_seal_name name = {
        .epoch = head->position >> LEAT_SEAL_EPOCH_LOG2, .key = index, .way = LEAT_SEAL_WAY_SEAL};
    memcpy(name.salt, head->salt, sizeof(name.salt));
    unsigned char nonce[LEAT_CIPHER_NONCE_BYTES] = {0};
    memcpy(nonce, &head->position, sizeof(head->position));
    struct leat_cipher_text text = *given;
    text.nonce = nonce;
    text.head = head;
    text.head_bytes = sizeof(*head);
    unsigned char *body = to + sizeof(*head);
    if (!leat_seal_slot_key(seal, slot, &name) ||
        !leat_cipher_seal(slot->context, &text, body, body + given->bytes)) {
        return LEAT_SYSTEM;
    }
    memcpy(to, head, sizeof(*head));
    return LEAT_OK;
}

/* Without a slot: neither is to be done. */
static enum leat_status
put_by(struct leat_seal *seal, struct leat_seal_slot *slot, const struct leat_seal_item *item,
       unsigned char *to, uint32_t *bytes)
{
    struct leat_seal_head head = {.version = LEAT_SEAL_VERSION, .bytes = item->bytes};
    bool encrypts = seal->secret != NULL;
    uint32_t head_bytes = encrypts ? sizeof(head) : LEAT_SEAL_PLAIN_BYTES;
    uint32_t squeezed = 0;
    if (item->bytes > seal->config.compress_above) {
        squeezed = leat_squeeze(slot->state, item->data, item->bytes, to + head_bytes,
                                item->bytes - SAVED_LEAST(item->bytes));
    }
    head.flags = (uint8_t)((squeezed != 0 ? LEAT_SEAL_COMPRESSED : 0U) |
                           (encrypts ? LEAT_SEAL_ENCRYPTED : 0U));
    const struct leat_cipher_text text = {
        .bound = item->bound,
        .bound_bytes = item->bound_bytes,
        .from = squeezed != 0 ? to + head_bytes : item->data,
        .bytes = squeezed != 0 ? squeezed : item->bytes,
    };
    if (encrypts) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): a function of this file */
        enum leat_status status = encrypt(seal, slot, &text, &head, to);
        if (status != LEAT_OK) {
            explicit_bzero(to, leat_seal_bound(item->bytes));
            return status;
        }
        *bytes = (uint32_t)(text.bytes + LEAT_SEAL_OVERHEAD_BYTES);
        return LEAT_OK;
    }
    memcpy(to, &head, LEAT_SEAL_PLAIN_BYTES);
    if (squeezed == 0 && text.bytes != 0) {
        memcpy(to + head_bytes, text.from, text.bytes);
    }
    *bytes = (uint32_t)text.bytes + head_bytes;
    return LEAT_OK;
}

enum leat_status
leat_seal_put(struct leat_seal *seal, const struct leat_seal_item *item, void *to, uint32_t *bytes)
{
    struct leat_seal_slot *slot = NULL;
    if (item->bytes > seal->config.bytes_max) {
        return LEAT_INVALID;
    }
    if (is_forked(seal)) {
        return LEAT_FORKED;
    }
    if (seal->secret == NULL && item->bytes <= seal->config.compress_above) {
        return put_by(seal, NULL, item, to, bytes);
    }
    enum leat_status status = leat_seal_slot_claim(seal, &slot);
    if (status == LEAT_OK) {
        status = put_by(seal, slot, item, to, bytes);
        leat_seal_slot_give(slot);
    }
    return status;
}

/* ---- look ----------------------------------------------------------------------------------- */

/* Reads the head, without more than there is of it: the rest is zeros. */
static struct leat_seal_head
head_of(const void *record, uint32_t bytes)
{
    struct leat_seal_head head = {0};
    if (bytes >= LEAT_SEAL_PLAIN_BYTES) {
        memcpy(&head, record, LEAT_SEAL_PLAIN_BYTES);
    }
    if ((head.flags & LEAT_SEAL_ENCRYPTED) != 0 && bytes >= LEAT_SEAL_OVERHEAD_BYTES) {
        memcpy(&head, record, sizeof(head));
    }
    return head;
}

enum leat_status
leat_seal_look(const struct leat_seal *seal, const void *record, uint32_t bytes,
               struct leat_seal_sight *sight)
{
    const struct leat_seal_head head = head_of(record, bytes);
    bool encrypted = (head.flags & LEAT_SEAL_ENCRYPTED) != 0;
    bool compressed = (head.flags & LEAT_SEAL_COMPRESSED) != 0;
    uint32_t overhead = encrypted ? LEAT_SEAL_OVERHEAD_BYTES : LEAT_SEAL_PLAIN_BYTES;
    if (bytes < overhead) {
        return LEAT_CORRUPT;
    }
    if (head.version != LEAT_SEAL_VERSION) {
        return head.version > LEAT_SEAL_VERSION ? LEAT_UNSUPPORTED : LEAT_CORRUPT;
    }
    uint64_t body = bytes - overhead;
    bool fits = compressed ? body < head.bytes && head.bytes <= body * SQUEEZED_RATIO_MAX
                           : body == head.bytes;
    if ((head.flags & ~(LEAT_SEAL_COMPRESSED | LEAT_SEAL_ENCRYPTED)) != 0 || head.zero != 0 ||
        head.bytes > seal->config.bytes_max || !fits) {
        return LEAT_CORRUPT;
    }
    *sight = (struct leat_seal_sight){
        .data_bytes = head.bytes,
        .room_bytes = head.bytes + (compressed && encrypted ? (uint32_t)body : 0),
        .key = encrypted ? head.key : 0,
        .compressed = compressed,
    };
    return LEAT_OK;
}

/* ---- take ----------------------------------------------------------------------------------- */

/* The index of a key; what no key has if it is not there. */
static uint32_t
key_of(const struct leat_seal *seal, uint64_t identity)
{
    uint32_t count = leat_seal_keys_there(seal);
    for (uint32_t i = 0; i < count; i++) {
        if (seal->identities[i] == identity) {
            return i;
        }
    }
    return LEAT_SEAL_KEYS_MAX;
}

static enum leat_status
decrypt_by(const struct leat_seal *seal, struct leat_seal_slot *slot,
           const struct leat_seal_item *item, uint32_t key, unsigned char *to)
{
    const struct leat_seal_head head = head_of(item->data, item->bytes);
    const unsigned char *body = (const unsigned char *)item->data + sizeof(head);
    uint32_t body_bytes = item->bytes - (uint32_t)LEAT_SEAL_OVERHEAD_BYTES;
    struct leat_seal_name name = {
        .epoch = head.position >> LEAT_SEAL_EPOCH_LOG2, .key = key, .way = LEAT_SEAL_WAY_UNSEAL};
    memcpy(name.salt, head.salt, sizeof(name.salt));
    unsigned char nonce[LEAT_CIPHER_NONCE_BYTES] = {0};
    memcpy(nonce, &head.position, sizeof(head.position));
    const struct leat_cipher_text text = {
        .nonce = nonce,
        .head = &head,
        .head_bytes = sizeof(head),
        .bound = item->bound,
        .bound_bytes = item->bound_bytes,
        .from = body,
        .bytes = body_bytes,
    };
    if (!leat_seal_slot_key(seal, slot, &name)) {
        return LEAT_SYSTEM;
    }
    enum leat_cipher_answer answer =
        leat_cipher_unseal(slot->context, &text, to, body + body_bytes);
    if (answer != LEAT_CIPHER_OK) {
        explicit_bzero(to, body_bytes);
    }
    if (answer == LEAT_CIPHER_FORGED) {
        return LEAT_CORRUPT;
    }
    return answer == LEAT_CIPHER_OK ? LEAT_OK : LEAT_SYSTEM;
}

static enum leat_status
decrypt(struct leat_seal *seal, const struct leat_seal_item *item, uint64_t identity,
        unsigned char *to)
{
    struct leat_seal_slot *slot = NULL;
    if (!leat_cipher_there()) {
        return LEAT_UNSUPPORTED;
    }
    if (is_forked(seal)) {
        return LEAT_FORKED;
    }
    uint32_t key = key_of(seal, identity);
    if (key == LEAT_SEAL_KEYS_MAX) {
        return LEAT_WRONG_KEY;
    }
    enum leat_status status = leat_seal_slot_claim(seal, &slot);
    if (status == LEAT_OK) {
        status = decrypt_by(seal, slot, item, key, to);
        leat_seal_slot_give(slot);
    }
    if (status == LEAT_OK) {
        atom_add_rlx(&seal->taken[key], 1); /* rlx: statistic */
    }
    return status;
}

/* The body of a record that is not encrypted. */
static enum leat_status
take_plain(const struct leat_seal *seal, const struct leat_seal_item *item,
           const unsigned char **body)
{
    if (seal->secret != NULL && !seal->config.takes_plain) {
        return LEAT_WRONG_KEY;
    }
    *body = (const unsigned char *)item->data + LEAT_SEAL_PLAIN_BYTES;
    return LEAT_OK;
}

enum leat_status
leat_seal_take(struct leat_seal *seal, const struct leat_seal_item *item, void *to, uint32_t room,
               uint32_t *bytes)
{
    struct leat_seal_sight sight;
    enum leat_status status = leat_seal_look(seal, item->data, item->bytes, &sight);
    if (status != LEAT_OK) {
        return status;
    }
    if (sight.compressed && !leat_squeeze_there()) {
        return LEAT_UNSUPPORTED;
    }
    if (room < sight.room_bytes) {
        return LEAT_FULL;
    }
    bool encrypted = (head_of(item->data, item->bytes).flags & LEAT_SEAL_ENCRYPTED) != 0;
    uint32_t overhead = encrypted ? LEAT_SEAL_OVERHEAD_BYTES : LEAT_SEAL_PLAIN_BYTES;
    unsigned char *data = to;
    const unsigned char *body = data + (sight.compressed ? sight.data_bytes : 0);
    status = encrypted ? decrypt(seal, item, sight.key, data + (body - data))
                       : take_plain(seal, item, &body);
    if (status != LEAT_OK) {
        return status;
    }
    const struct leat_squeezed squeezed = {body, item->bytes - overhead, sight.data_bytes};
    if (sight.compressed && !leat_unsqueeze(&squeezed, data)) {
        explicit_bzero(data, sight.room_bytes);
        return LEAT_CORRUPT;
    }
    if (!encrypted && !sight.compressed && sight.data_bytes != 0) {
        memcpy(data, body, sight.data_bytes);
    }
    *bytes = sight.data_bytes;
    return LEAT_OK;
}
