/* labels.c - a job's unique key, name and tags, from its submit to the end of its record; its tags
 * read back; jobs by name and by tag. See labels.h. */
#include "engine/labels.h"

#include <string.h>

#include "engine/engine_internal.h"
#include "engine/terms.h"
#include "engine/timers.h"
#include "ring/rcu.h"

/* Ids that are counted at once. */
#define PAGE 64

/* ---- checks ---------------------------------------------------------------------------------- */

static bool
tag_valid(const char *tag)
{
    size_t bytes = tag == NULL ? 0 : strnlen(tag, LEAT_TAG_BYTES_MAX + 1);
    return bytes >= 1 && bytes <= LEAT_TAG_BYTES_MAX;
}

enum leat_status
leat_labels_check(const struct leat_job_options *options)
{
    if (options->tags_count > LEAT_TAGS_MAX || (options->tags == NULL && options->tags_count > 0)) {
        return LEAT_INVALID;
    }
    for (uint32_t i = 0; i < options->tags_count; i++) {
        if (!tag_valid(options->tags[i])) {
            return LEAT_INVALID;
        }
    }
    return leat_claims_check_options(options);
}

bool
leat_labels_grouped(const struct leat_job_options *given)
{
    struct leat_job_options room;
    return leat_terms_read(given, &room)->unique_conflict == LEAT_UNIQUE_REJECT;
}

/* ---- from submit to the end ------------------------------------------------------------------ */

static size_t
labels_bytes(uint32_t tags_count)
{
    return sizeof(struct leat_job_labels) + sizeof(struct leat_tag) * tags_count;
}

struct leat_job_labels *
leat_labels_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    return extra == NULL ? NULL : extra->labels;
}

/* Inside a section, where the job may be brought back meanwhile. */
static struct leat_claim *
name_of(const struct leat_job_labels *labels)
{
    /* named:A acquire -> named:B.  Carries: the claim.
     * If relaxed: its text could be read before it is there. */
    return atom_load_acq(&labels->name);
}

static void
name_set(struct leat_job_labels *labels, struct leat_claim *name)
{
    /* named:B release -> named:A.  Carries: see named:A.
     * If relaxed: see named:A. */
    atom_store_rel(&labels->name, (void *)name);
}

bool
leat_labels_claims(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    return labels != NULL && (labels->key != NULL || name_of(labels) != NULL);
}

static bool
claims_make(struct leat_engine *engine, uint32_t index, const struct leat_job_options *options,
            struct leat_job_labels *labels)
{
    if (options->name != NULL) {
        name_set(labels, leat_claim_make(engine, index, LEAT_CLAIM_NAME, options->name,
                                         strlen(options->name)));
    }
    if (options->unique_key_bytes != 0) {
        labels->key = leat_claim_make(engine, index, LEAT_CLAIM_KEY, options->unique_key,
                                      options->unique_key_bytes);
    }
    if (labels->key != NULL) {
        labels->key->scope = options->unique_scope;
        labels->key->answers = options->unique_conflict;
        uint64_t now_ns = leat_clocks_now(&engine->clocks, LEAT_TIME_BOOT);
        labels->key->until_ns = leat_timers_after(now_ns, options->unique_for_ns);
    }
    return (options->name == NULL) == (name_of(labels) == NULL) &&
           (options->unique_key_bytes == 0) == (labels->key == NULL);
}

enum leat_status
leat_labels_make(struct leat_engine *engine, uint32_t index, const struct leat_job *job)
{
    struct leat_job_options room;
    const struct leat_job_options *options = leat_terms_read(job->options, &room);
    if (options->name == NULL && options->unique_key_bytes == 0 && options->tags_count == 0) {
        return LEAT_OK;
    }
    if (options->name != NULL || options->unique_key_bytes != 0) {
        leat_claims_tidy(engine);
    }
    struct leat_job_extra *extra = leat_job_extra_make(engine, leat_job_record(engine, index));
    struct leat_job_labels *labels =
        extra == NULL ? NULL : leat_memory_take(&engine->memory, labels_bytes(options->tags_count));
    if (labels == NULL) {
        return LEAT_NO_MEMORY;
    }
    extra->labels = labels;
    labels->tags_count = options->tags_count;
    for (uint32_t i = 0; i < options->tags_count; i++) {
        memcpy(labels->tags[i].text, options->tags[i], strlen(options->tags[i]));
    }
    if (!claims_make(engine, index, options, labels)) {
        return LEAT_NO_MEMORY;
    }
    if (labels->key != NULL) {
        labels->key->when.delay_ns = job->delay_ns;
        labels->key->when.run_at_ns = options->run_at_ns;
    }
    return LEAT_OK;
}

/* Its name is held, and not by the job that it is to replace, if it is to. */
static bool
name_held(struct leat_engine *engine, const struct leat_job_labels *labels)
{
    leat_job_id holder = leat_claim_holder(engine, name_of(labels));
    return holder.bits != 0 && holder.bits != leat_claim_holder(engine, labels->key).bits;
}

enum leat_status
leat_labels_claim(struct leat_engine *engine, uint32_t index, leat_job_id *id)
{
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    if (labels == NULL) {
        return LEAT_OK;
    }
    /* Before it changes what another job is about. */
    struct leat_claim *name = name_of(labels);
    if (name != NULL && labels->key != NULL && name_held(engine, labels)) {
        return LEAT_EXISTS;
    }
    enum leat_status status = LEAT_OK;
    if (labels->key != NULL) {
        status = leat_claim_take(engine, labels->key, id);
    }
    if (status == LEAT_OK && name != NULL) {
        status = leat_claim_take(engine, name, id);
        if (status != LEAT_OK && labels->key != NULL) {
            leat_claim_take_back(engine, labels->key);
        }
    }
    return status;
}

bool
leat_labels_took(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    return labels != NULL && ((labels->key != NULL && labels->key->took) ||
                              (name_of(labels) != NULL && name_of(labels)->took));
}

void
leat_labels_insist(struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    if (labels != NULL && labels->key != NULL) {
        labels->key->answers = LEAT_CLAIM_TAKES;
    }
}

enum leat_status
leat_labels_hold(struct leat_engine *engine, uint32_t index)
{
    leat_job_id other = {0};
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    if (labels == NULL || labels->key == NULL || labels->key->scope != LEAT_UNIQUE_FOR_TIME) {
        return LEAT_OK;
    }
    labels->key->answers = LEAT_CLAIM_TAKES;
    return leat_claim_take(engine, labels->key, &other);
}

void
leat_labels_unclaim(struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    if (labels == NULL) {
        return;
    }
    if (labels->key != NULL) {
        leat_claim_take_back(engine, labels->key);
    }
    if (name_of(labels) != NULL) {
        leat_claim_take_back(engine, name_of(labels));
    }
}

/* Of one claim, or NULL: *renewed is what the job has from now on. A key that was held until the
 * job begins is lost for ever, also where it ended without: else its word would say that it is
 * held again. One of a time stays as it is. */
static enum leat_status
claim_renew(struct leat_engine *engine, struct leat_claim *old, struct leat_claim **renewed)
{
    leat_job_id other = {0};
    *renewed = old;
    if (old != NULL && old->scope == LEAT_UNIQUE_UNTIL_STARTED) {
        leat_rcu_enter();
        leat_claim_take_back(engine, old);
        leat_rcu_leave(&engine->domain);
    }
    if (old == NULL || old->scope != LEAT_UNIQUE_UNTIL_FINISHED) {
        return LEAT_OK;
    }
    struct leat_claim *claim = leat_claim_renew(engine, old);
    if (claim == NULL) {
        return LEAT_NO_MEMORY;
    }
    leat_rcu_enter();
    enum leat_status status = leat_claim_take(engine, claim, &other);
    leat_rcu_leave(&engine->domain);
    if (status != LEAT_OK) {
        leat_claim_free(engine, claim);
        return status;
    }
    *renewed = claim;
    return LEAT_OK;
}

enum leat_status
leat_labels_renew(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_labels *labels = leat_labels_of(engine, index);
    if (labels == NULL) {
        return LEAT_OK;
    }
    leat_claims_tidy(engine);
    struct leat_claim *key = labels->key;
    struct leat_claim *name = name_of(labels);
    struct leat_claim *renewed = NULL;
    enum leat_status status = claim_renew(engine, key, &renewed);
    if (status == LEAT_OK && renewed != key) {
        labels->key = renewed;
        leat_claim_free(engine, key);
    }
    if (status == LEAT_OK) {
        status = claim_renew(engine, name, &renewed);
    }
    if (status == LEAT_OK && renewed != name) {
        name_set(labels, renewed);
        leat_claim_free(engine, name);
    }
    return status;
}

void
leat_labels_renewed(struct leat_engine *engine, uint32_t index)
{
    struct leat_job_labels *labels = leat_labels_of(engine, index);
    if (labels != NULL && labels->key != NULL) {
        leat_claim_renewed(labels->key);
    }
    if (labels != NULL && name_of(labels) != NULL) {
        leat_claim_renewed(name_of(labels));
    }
}

void
leat_labels_free(struct leat_engine *engine, struct leat_job_extra *extra)
{
    struct leat_job_labels *labels = extra->labels;
    if (labels != NULL) {
        leat_claim_free(engine, labels->key);
        leat_claim_free(engine, name_of(labels));
        leat_memory_give(&engine->memory, labels, labels_bytes(labels->tags_count));
        extra->labels = NULL;
    }
}

/* ---- read back ------------------------------------------------------------------------------- */

const struct leat_tag *
leat_run_tags(const struct leat_run *run, uint32_t *count)
{
    const struct leat_job_labels *labels = leat_labels_of(run->engine, run->index);
    uint32_t tags_count = labels == NULL ? 0 : labels->tags_count;
    if (count != NULL) {
        *count = tags_count;
    }
    return tags_count == 0 ? NULL : labels->tags;
}

/* Takes a hold to read a job's labels, if `valid`. */
static enum leat_status
labels_hold(struct leat_engine *engine, leat_job_id id, bool valid, uint32_t *index)
{
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && !valid) {
        status = LEAT_INVALID;
    }
    return status == LEAT_OK ? leat_job_hold(engine, id, LEAT_HOLDS_TO_LOOK, index) : status;
}

enum leat_status
leat_job_tags(struct leat_engine *engine, leat_job_id id, struct leat_tag *tags, uint32_t capacity,
              uint32_t *count)
{
    uint32_t index = 0;
    bool valid = count != NULL && (tags != NULL || capacity == 0);
    enum leat_status status = labels_hold(engine, id, valid, &index);
    if (status != LEAT_OK) {
        return status;
    }
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    *count = labels == NULL ? 0 : labels->tags_count;
    for (uint32_t i = 0; i < *count && i < capacity; i++) {
        tags[i] = labels->tags[i];
    }
    leat_job_unhold(engine, index);
    return LEAT_OK;
}

enum leat_status
leat_job_name(struct leat_engine *engine, leat_job_id id, char *name, size_t capacity)
{
    uint32_t index = 0;
    enum leat_status status = labels_hold(engine, id, name != NULL, &index);
    if (status != LEAT_OK) {
        return status;
    }
    size_t bytes = 0;
    const unsigned char *text = NULL;
    const struct leat_job_labels *labels = leat_labels_of(engine, index);
    leat_rcu_enter(); /* of who brings the job back from the dead */
    if (labels != NULL && name_of(labels) != NULL) {
        text = leat_claim_text(name_of(labels), &bytes);
    }
    status = bytes < capacity ? LEAT_OK : LEAT_FULL;
    if (status == LEAT_OK) {
        if (bytes != 0) {
            memcpy(name, text, bytes);
        }
        name[bytes] = '\0';
    }
    leat_rcu_leave(&engine->domain);
    leat_job_unhold(engine, index);
    return status;
}

/* ---- jobs by name ---------------------------------------------------------------------------- */

enum leat_status
leat_job_find(struct leat_engine *engine, const char *name, leat_job_id *id)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    if (name == NULL || id == NULL) {
        return LEAT_INVALID;
    }
    uint64_t word = 0;
    leat_job_id found = leat_claim_find_name(engine, name);
    if (found.bits == 0 || !leat_job_word_of(engine, found, &word) ||
        leat_word_judge(word, found) != LEAT_OK) {
        return LEAT_NOT_FOUND;
    }
    *id = found;
    return LEAT_OK;
}

/* ---- jobs by tag ----------------------------------------------------------------------------- */

/* One page, however many records it looks at. */
static enum leat_status
page(struct leat_engine *engine, struct leat_tag_cursor *cursor, leat_job_id *ids, size_t capacity,
     size_t *count)
{
    struct leat_job_query query = leat_job_query_default();
    query.tag = cursor->tag;
    query.cursor = cursor->next;
    query.look_max = LEAT_LOOK_MAX;
    enum leat_status status = leat_job_list(engine, &query, ids, capacity, count);
    if (status == LEAT_OK) {
        cursor->next = query.cursor;
    }
    return status;
}

enum leat_status
leat_tag_list(struct leat_engine *engine, struct leat_tag_cursor *cursor, leat_job_id *ids,
              size_t capacity, size_t *count)
{
    enum leat_status status = leat_engine_check(engine);
    if (status != LEAT_OK) {
        return status;
    }
    return cursor == NULL || cursor->tag == NULL ? LEAT_INVALID
                                                 : page(engine, cursor, ids, capacity, count);
}

enum leat_status
leat_tag_count(struct leat_engine *engine, const char *tag, uint64_t *count)
{
    leat_job_id ids[PAGE];
    struct leat_tag_cursor cursor = {tag, 0};
    size_t listed = PAGE;
    uint64_t counted = 0;
    enum leat_status status = leat_engine_check(engine);
    if (status == LEAT_OK && (tag == NULL || count == NULL)) {
        status = LEAT_INVALID;
    }
    /* Ends: at the last record. */
    while (status == LEAT_OK && listed == PAGE) {
        status = page(engine, &cursor, ids, PAGE, &listed);
        counted += status == LEAT_OK ? listed : 0;
    }
    if (status == LEAT_OK) {
        *count = counted;
    }
    return status;
}
