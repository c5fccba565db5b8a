/* table.c - a hash table keyed by bytes, see table.h: what liburcu's table needs around it. */
#include "engine/table.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "ring/rcu.h"

LEAT_STATIC(offsetof(struct leat_table_node, link) == 0, "a link is the address of its node");

/* ---- the hash: SipHash-2-4 ------------------------------------------------------------------- */

static uint64_t
rotate(uint64_t word, uint32_t bits)
{
    return word << bits | word >> (64 - bits);
}

static void
sip_rounds(uint64_t v[4], uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void
sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

/* Little-endian, as many as there are. */
static uint64_t
sip_read(const unsigned char *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) {
        word |= (uint64_t)bytes[i] << (8 * i);
    }
    return word;
}

uint64_t
leat_table_hash(const uint64_t seed[2], const void *key, size_t key_bytes)
{
    const unsigned char *bytes = key;
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575), seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261),
                     seed[1] ^ UINT64_C(0x7465646279746573)};
    size_t whole = key_bytes & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8) {
        sip_word(v, sip_read(bytes + i, 8));
    }
    sip_word(v, (uint64_t)key_bytes << 56 | sip_read(bytes + whole, key_bytes - whole));
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- nodes ----------------------------------------------------------------------------------- */

void *
leat_table_make(const struct leat_table *table, size_t bytes, const void *key, size_t key_bytes)
{
    struct leat_table_node *node = leat_memory_take(&table->memory, bytes + key_bytes);
    if (node == NULL) {
        return NULL;
    }
    unsigned char *copy = (unsigned char *)node + bytes;
    memcpy(copy, key, key_bytes);
    cds_lfht_node_init(&node->link);
    node->key = copy;
    node->key_bytes = (uint32_t)key_bytes;
    node->bytes = (uint32_t)(bytes + key_bytes);
    node->hash = leat_table_hash(table->seed, key, key_bytes);
    return node;
}

void
leat_table_unmake(const struct leat_table *table, struct leat_table_node *node)
{
    if (node != NULL) {
        leat_memory_give(&table->memory, node, node->bytes);
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

/* liburcu's full barriers, which ThreadSanitizer cannot see: what stands in a node is written
 * before it is added, and read by who finds it. */
static void
node_added(const struct leat_table *table)
{
#if LEAT_THREAD_SANITIZER
    __tsan_release(table->lfht);
#else
    (void)table;
#endif
}

struct wanted {
    const struct leat_table *table;
    const void *key;
    size_t key_bytes;
};

static struct leat_table_node *
node_of(struct cds_lfht_node *link)
{
    return (struct leat_table_node *)(void *)link;
}

static int
matches(struct cds_lfht_node *link, const void *key)
{
    const struct wanted *wanted = key;
#if LEAT_THREAD_SANITIZER
    __tsan_acquire(wanted->table->lfht);
#endif
    const struct leat_table_node *node = node_of(link);
    return node->key_bytes == wanted->key_bytes &&
           memcmp(node->key, wanted->key, wanted->key_bytes) == 0;
}

struct leat_table_node *
leat_table_find(const struct leat_table *table, const void *key, size_t key_bytes)
{
    const struct wanted wanted = {table, key, key_bytes};
    struct cds_lfht_iter iter;
    cds_lfht_lookup(table->lfht, leat_table_hash(table->seed, key, key_bytes), matches, &wanted,
                    &iter);
    return node_of(cds_lfht_iter_get_node(&iter));
}

struct leat_table_node *
leat_table_add(struct leat_table *table, struct leat_table_node *node)
{
    const struct wanted wanted = {table, node->key, node->key_bytes};
    node_added(table);
    /* Before, so that no remove makes it less than nothing. */
    (void)atom_add_rlx(&table->count, 1); /* rlx: statistic */
    struct leat_table_node *there =
        node_of(cds_lfht_add_unique(table->lfht, node->hash, matches, &wanted, &node->link));
    if (there != node) {
        (void)atom_sub_rlx(&table->count, 1); /* rlx: statistic */
    }
    return there;
}

bool
leat_table_replace(struct leat_table *table, struct leat_table_node *old,
                   struct leat_table_node *node)
{
    const struct wanted wanted = {table, node->key, node->key_bytes};
    struct cds_lfht_iter iter;
    /* Found anew: what replaces a node is linked to what is behind that one at this moment. */
    cds_lfht_lookup(table->lfht, node->hash, matches, &wanted, &iter);
    if (node_of(cds_lfht_iter_get_node(&iter)) != old) {
        return false;
    }
    node_added(table);
    return cds_lfht_replace(table->lfht, &iter, node->hash, matches, &wanted, &node->link) == 0;
}

bool
leat_table_remove(struct leat_table *table, struct leat_table_node *node)
{
    if (cds_lfht_del(table->lfht, &node->link) != 0) {
        return false;
    }
    (void)atom_sub_rlx(&table->count, 1); /* rlx: statistic */
    return true;
}

/* ---- freeing, and the size ------------------------------------------------------------------- */

void
leat_table_free(struct leat_table *table, struct leat_table_node *node)
{
    void *top = atom_load_rlx(&table->removed); /* rlx: hint, re-checked at removed:A */
    /* Ends: a swap fails only where another one succeeded. */
    do {
        node->removed = top;
        /* removed:A release -> removed:B.  Carries: the node, and that it is out.
         * If relaxed: who frees it could overtake the write of its link. */
    } while (!atom_cas_rel(&table->removed, &top, (void *)node));
    (void)atom_add_rlx(&table->removed_count, 1); /* rlx: statistic */
}

static void
removed_free(struct leat_table *table, struct leat_table_node *node)
{
    uint32_t freed = 0;
    while (node != NULL) {
        struct leat_table_node *next = node->removed;
        leat_memory_give(&table->memory, node, node->bytes);
        node = next;
        freed++;
    }
    (void)atom_sub_rlx(&table->removed_count, freed); /* rlx: statistic */
}

static struct leat_table_node *
removed_take(struct leat_table *table)
{
    /* removed:B acquire -> removed:A.  Carries: the nodes.
     * If relaxed: see removed:A. */
    return atom_swap_acq(&table->removed, (void *)NULL);
}

/* One node in two buckets to two in one: larger or smaller by more than that. */
static uint32_t
buckets_wanted(const struct leat_table *table)
{
    uint32_t count = atom_load_rlx(&table->count);       /* rlx: statistic */
    uint32_t log2 = atom_load_rlx(&table->buckets_log2); /* rlx: ordered by tidy:A */
    while (log2 < LEAT_TABLE_LOG2_MAX && count > UINT64_C(2) << log2) {
        log2++;
    }
    while (log2 > LEAT_TABLE_LOG2_MIN && count < (UINT64_C(1) << log2) / 16) {
        log2--;
    }
    return log2;
}

bool
leat_table_untidy(const struct leat_table *table)
{
    uint32_t removed = atom_load_rlx(&table->removed_count); /* rlx: statistic */
    uint32_t count = atom_load_rlx(&table->count);           /* rlx: statistic */
    uint32_t log2 = atom_load_rlx(&table->buckets_log2);     /* rlx: statistic */
    return removed >= LEAT_TABLE_REMOVED || count > UINT64_C(2) << log2;
}

/* liburcu shares a large change of the size out among threads that live as long as the call. They
 * are not to run the host's handlers of signals. */
static void
resize(struct leat_table *table, uint32_t log2)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    int error = pthread_sigmask(SIG_SETMASK, &all, &before);
    LEAT_ASSERT(error == 0);
    leat_rcu_attach();
    cds_lfht_resize(table->lfht, 1UL << log2);
    error = pthread_sigmask(SIG_SETMASK, &before, NULL);
    LEAT_ASSERT(error == 0);
    atom_store_rlx(&table->buckets_log2, log2); /* rlx: ordered by tidy:A */
}

void
leat_table_tidy(struct leat_table *table)
{
    uint32_t nobody = 0;
    /* tidy:A acquire -> tidy:B.  Carries: the size.
     * If relaxed: it could be changed from what it no longer is. */
    if (!atom_cas_acq(&table->tidying, &nobody, 1)) {
        return;
    }
    struct leat_table_node *removed = removed_take(table);
    uint32_t log2 = buckets_wanted(table);
    if (removed != NULL) {
        leat_rcu_wait(table->domain);
        removed_free(table, removed);
    }
    if (log2 != atom_load_rlx(&table->buckets_log2)) { /* rlx: ordered by tidy:A */
        resize(table, log2);
    }
    /* tidy:B release -> tidy:A.  Carries: see tidy:A.
     * If relaxed: see tidy:A. */
    atom_store_rel(&table->tidying, 0);
}

/* ---- init, fini, check ----------------------------------------------------------------------- */

bool
leat_table_init(struct leat_table *table, const struct leat_memory *memory, void *domain)
{
    const unsigned long least = 1UL << LEAT_TABLE_LOG2_MIN;
    table->memory = *memory;
    table->domain = domain;
    atom_init(&table->removed, (void *)NULL);
    atom_init(&table->buckets_log2, LEAT_TABLE_LOG2_MIN);
    if (getentropy(table->seed, sizeof(table->seed)) == 0) {
        table->lfht = _cds_lfht_new(least, least, 0, 0, NULL, &urcu_bp_flavor, NULL);
    }
    return table->lfht != NULL;
}

void
leat_table_fini(struct leat_table *table)
{
    if (table->lfht == NULL) {
        return;
    }
    struct cds_lfht_iter iter;
    leat_rcu_enter();
    cds_lfht_first(table->lfht, &iter);
    while (cds_lfht_iter_get_node(&iter) != NULL) {
        struct leat_table_node *node = node_of(cds_lfht_iter_get_node(&iter));
        cds_lfht_next(table->lfht, &iter);
        if (leat_table_remove(table, node)) {
            leat_table_free(table, node);
        }
    }
    leat_rcu_leave(table->domain);
    leat_rcu_wait(table->domain);
    removed_free(table, removed_take(table));
    int error = cds_lfht_destroy(table->lfht, NULL);
    LEAT_ASSERT(error == 0);
    table->lfht = NULL;
}

bool
leat_table_check(const struct leat_table *table, FILE *why)
{
    struct cds_lfht_iter iter;
    uint32_t nodes = 0;
    uint32_t removed = 0;
    uint32_t strays = 0;
    leat_rcu_enter();
    cds_lfht_first(table->lfht, &iter);
    while (cds_lfht_iter_get_node(&iter) != NULL) {
        const struct leat_table_node *node = node_of(cds_lfht_iter_get_node(&iter));
        nodes++;
        /* Of two with one key it finds the first. */
        strays += leat_table_find(table, node->key, node->key_bytes) == node ? 0 : 1;
        cds_lfht_next(table->lfht, &iter);
    }
    leat_rcu_leave(table->domain);
    const struct leat_table_node *node = atom_load_rlx(&table->removed); /* rlx: not shared yet */
    for (; node != NULL; node = node->removed) {
        removed++;
    }
    /* rlx: not shared yet */
    bool counted =
        atom_load_rlx(&table->count) == nodes && atom_load_rlx(&table->removed_count) == removed;
    if (strays == 0 && counted) {
        return true;
    }
    if (why != NULL) {
        (void)fprintf(why,
                      "table: I1, I2: %" PRIu32 " nodes, %" PRIu32 " of them not found by their"
                      " key, %" PRIu32 " removed; or the counts are wrong\n",
                      nodes, strays, removed);
    }
    return false;
}
