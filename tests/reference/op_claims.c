/* op_claims.c - what a job is called by its submitter: its unique key, its name, its tags; and jobs
 * found by them. A key and a name have a holder: the model says who that is from what it knows of
 * the job, each time when it is asked. */
#include "tests/reference/reference.h"

#include <inttypes.h>
#include <string.h>

#define INDEX_MASK ((UINT64_C(1) << 26) - 1)
#define SENTINEL   77

const char *
ref_name_text(uint32_t name)
{
    static const char *const names[REF_NAMES] = {
        "n", "invoice 7", "nightly",
        ("0123456789012345678901234567890123456789012345678901234567890123"
         "0123456789012345678901234567890123456789012345678901234567890123")};
    return names[name];
}

const char *
ref_tag_text(uint32_t tag)
{
    static const char *const tags[REF_TAGS] = {"red", "r", "01234567890123456789012345678901"};
    return tags[tag];
}

/* ---- drawing --------------------------------------------------------------------------------- */

static void
draw_key(struct ref_world *world, struct leat_job_options *options, struct ref_labels *labels)
{
    static const unsigned char texts[REF_UNIQUES][LEAT_UNIQUE_KEY_BYTES_MAX + 1] = {
        {'u'}, {'u'}, {'v'}};
    static const size_t bytes[REF_UNIQUES] = {1, 2, LEAT_UNIQUE_KEY_BYTES_MAX};
    labels->key = ref_below(world, REF_UNIQUES);
    labels->scope = (enum leat_unique_scope)ref_below(world, 3);
    labels->conflict = (enum leat_unique_conflict)ref_below(world, 4);
    bool timed = labels->scope == LEAT_UNIQUE_FOR_TIME;
    labels->for_ns = timed ? 1 + ref_delay(world) : 0;
    labels->for_ns = timed && ref_chance(world, 5) ? UINT64_MAX : labels->for_ns;
    options->unique_key = texts[labels->key];
    options->unique_key_bytes = bytes[labels->key];
    options->unique_scope = labels->scope;
    options->unique_conflict = labels->conflict;
    options->unique_for_ns = labels->for_ns;
}

static void
draw_tags(struct ref_world *world, struct leat_job_options *options, struct ref_labels *labels)
{
    options->tags = labels->tags;
    options->tags_count = 1 + ref_below(world, ref_chance(world, 10) ? LEAT_TAGS_MAX : 2);
    labels->tags_count = options->tags_count;
    for (uint32_t i = 0; i < LEAT_TAGS_MAX + 1; i++) {
        labels->tags[i] = ref_tag_text(ref_below(world, REF_TAGS));
    }
}

static enum leat_status
draw_mistake(struct ref_world *world, struct leat_job_options *options, struct ref_labels *labels)
{
    static const char long_tag[] = "012345678901234567890123456789012";
    static const char long_name[] =
        "0123456789012345678901234567890123456789012345678901234567890123"
        "01234567890123456789012345678901234567890123456789012345678901234";
    switch (ref_below(world, 9)) {
    case 0:
        options->unique_key_bytes = LEAT_UNIQUE_KEY_BYTES_MAX + 1;
        break;
    case 1:
        options->unique_key = NULL;
        options->unique_key_bytes = 1;
        break;
    case 2:
        options->unique_for_ns = labels->for_ns == 0 ? 1 : 0;
        break;
    case 3:
        options->unique_conflict = (enum leat_unique_conflict)4;
        break;
    case 4:
        options->unique_scope = (enum leat_unique_scope)3;
        break;
    case 5:
        options->name = ref_chance(world, 50) ? "" : long_name;
        break;
    case 6:
        options->tags = labels->tags;
        options->tags_count = LEAT_TAGS_MAX + 1;
        break;
    case 7:
        labels->tags[0] = ref_chance(world, 50) ? "" : long_tag;
        options->tags = labels->tags;
        options->tags_count = 1;
        break;
    default:
        options->tags = NULL;
        options->tags_count = 1;
        break;
    }
    return LEAT_INVALID;
}

enum leat_status
ref_labels_draw(struct ref_world *world, struct leat_job_options *options,
                struct ref_labels *labels)
{
    if (ref_chance(world, 35)) {
        draw_key(world, options, labels);
    }
    if (ref_chance(world, 35)) {
        labels->name = ref_below(world, REF_NAMES);
        options->name = ref_name_text(labels->name);
    }
    if (ref_chance(world, 35)) {
        draw_tags(world, options, labels);
    }
    return ref_chance(world, 2) ? draw_mistake(world, options, labels) : LEAT_OK;
}

/* ---- who holds ------------------------------------------------------------------------------- */

enum holder { HOLDER_NONE, HOLDER_WAITS, HOLDER_RUNS, HOLDER_IS_OVER };

/* Its job, while the model knows it. */
static struct ref_job *
claim_job(struct ref_world *world, const struct ref_claim *claim)
{
    if (claim == NULL || claim->id.bits == 0) {
        return NULL;
    }
    struct ref_job *job = &world->jobs[(claim->id.bits & INDEX_MASK) % REF_RECORDS];
    return job->id.bits == claim->id.bits ? job : NULL;
}

static enum holder
holder_of(struct ref_world *world, const struct ref_claim *claim)
{
    const struct ref_job *job = claim_job(world, claim);
    bool timed = claim->scope == LEAT_UNIQUE_FOR_TIME;
    if (claim->id.bits == 0 || (timed && ref_boot(world) >= claim->until_ns)) {
        return HOLDER_NONE;
    }
    if (job == NULL || ref_final(job)) {
        return timed ? HOLDER_IS_OVER : HOLDER_NONE;
    }
    if (claim->scope == LEAT_UNIQUE_UNTIL_STARTED && job->runs != 0) {
        return HOLDER_NONE;
    }
    return job->state == LEAT_JOB_RUNNING ? HOLDER_RUNS : HOLDER_WAITS;
}

static struct ref_claim *
key_claim(struct ref_world *world, uint32_t type, const struct ref_labels *labels)
{
    return labels->key == REF_NONE ? NULL : &world->types[type].uniques[labels->key];
}

static struct ref_claim *
name_claim(struct ref_world *world, const struct ref_labels *labels)
{
    return labels->name == REF_NONE ? NULL : &world->names[labels->name];
}

/* What has become of it by now. */
static void
look(struct ref_world *world, const struct ref_claim *claim)
{
    struct ref_job *job = claim_job(world, claim);
    if (job != NULL && job != world->current && !job->gone) {
        ref_look(world, job);
    }
}

void
ref_labels_look(struct ref_world *world, uint32_t type, const struct ref_labels *labels)
{
    if (type != REF_NONE) {
        look(world, key_claim(world, type, labels));
        look(world, name_claim(world, labels));
    }
}

enum leat_status
ref_labels_right(struct ref_world *world, uint32_t type, const struct ref_labels *labels,
                 leat_job_id *other)
{
    const struct ref_claim *key = key_claim(world, type, labels);
    const struct ref_claim *name = name_claim(world, labels);
    enum holder keeps = key == NULL ? HOLDER_NONE : holder_of(world, key);
    bool named = name != NULL && holder_of(world, name) != HOLDER_NONE;
    bool replaces = keeps == HOLDER_WAITS && labels->conflict == LEAT_UNIQUE_REPLACE;
    if (named && (keeps == HOLDER_NONE || name->id.bits != key->id.bits)) {
        return LEAT_EXISTS;
    }
    if (keeps == HOLDER_NONE || replaces) {
        return LEAT_OK;
    }
    *other = key->id;
    if (labels->conflict == LEAT_UNIQUE_EXISTING) {
        return LEAT_JOINED;
    }
    const struct ref_job *holder = claim_job(world, key);
    bool blocked = holder != NULL && holder->state == LEAT_JOB_BLOCKED; /* it has no time yet */
    bool puts_off = keeps == HOLDER_WAITS && !blocked && labels->conflict == LEAT_UNIQUE_DEBOUNCE;
    return puts_off ? LEAT_JOINED : LEAT_EXISTS;
}

void
ref_labels_joined(struct ref_world *world, uint32_t type, const struct ref_labels *labels,
                  struct leat_when when)
{
    struct ref_job *job = claim_job(world, key_claim(world, type, labels));
    if (labels->conflict == LEAT_UNIQUE_DEBOUNCE && job != NULL) {
        ref_rescheduled(world, job, when);
    }
}

void
ref_labels_evict(struct ref_world *world, uint32_t type, const struct ref_labels *labels)
{
    struct ref_claim *key = key_claim(world, type, labels);
    struct ref_job *held = claim_job(world, key);
    bool waits = held != NULL && holder_of(world, key) == HOLDER_WAITS;
    if (waits && !ref_graph_ended_before(world, held)) {
        held->zombie = true;
        ref_end(world, held, LEAT_JOB_CANCELLED, LEAT_REASON_NONE);
    }
}

void
ref_labels_take(struct ref_world *world, struct ref_job *job)
{
    struct ref_claim *key = key_claim(world, job->type, &job->labels);
    struct ref_claim *name = name_claim(world, &job->labels);
    if (key != NULL) {
        key->id = job->id;
        key->scope = job->labels.scope;
        key->until_ns = ref_after(ref_boot(world), job->labels.for_ns);
    }
    if (name != NULL) {
        name->id = job->id;
        name->loose = false;
    }
}

/* ---- back from the dead ---------------------------------------------------------------------- */

static bool
taken(struct ref_world *world, const struct ref_claim *claim, const struct ref_job *job)
{
    return claim->id.bits != job->id.bits && holder_of(world, claim) != HOLDER_NONE;
}

bool
ref_labels_free(struct ref_world *world, const struct ref_job *job)
{
    const struct ref_claim *key = key_claim(world, job->type, &job->labels);
    const struct ref_claim *name = name_claim(world, &job->labels);
    bool renews = key != NULL && job->labels.scope == LEAT_UNIQUE_UNTIL_FINISHED;
    return !(renews && taken(world, key, job)) && (name == NULL || !taken(world, name, job));
}

/* A key that it holds until it has begun, or ended, it has lost for ever. */
void
ref_labels_renew(struct ref_world *world, const struct ref_job *job)
{
    struct ref_claim *key = key_claim(world, job->type, &job->labels);
    struct ref_claim *name = name_claim(world, &job->labels);
    if (key != NULL && job->labels.scope == LEAT_UNIQUE_UNTIL_FINISHED) {
        key->id = job->id;
        key->scope = LEAT_UNIQUE_UNTIL_FINISHED;
    } else if (key != NULL && job->labels.scope == LEAT_UNIQUE_UNTIL_STARTED &&
               key->id.bits == job->id.bits) {
        key->id.bits = 0;
    }
    if (name != NULL) {
        name->id = job->id;
        name->loose = false;
    }
}

/* Whoever was to have the name and was refused may have cost an ended job its own. */
void
ref_labels_loosen(struct ref_world *world, const struct ref_labels *labels)
{
    struct ref_claim *name = name_claim(world, labels);
    if (name != NULL && holder_of(world, name) == HOLDER_NONE) {
        name->loose = true;
    }
}

/* ---- jobs by name ---------------------------------------------------------------------------- */

/* The name's job: it has not ended, or its record is there. Where it is not known which of two
 * ended jobs it is, the engine says. */
static struct ref_job *
found(struct ref_world *world, uint32_t name)
{
    struct ref_claim *claim = &world->names[name];
    leat_job_id id = {0};
    if (claim->loose) {
        enum leat_status status = leat_job_find(world->engine, ref_name_text(name), &id);
        claim->id.bits = status == LEAT_OK ? id.bits : 0;
        claim->loose = false;
    }
    struct ref_job *job = claim_job(world, claim);
    if (job == NULL || job->gone || job->labels.name != name) {
        return NULL;
    }
    if (job != world->current) {
        ref_look(world, job);
    }
    return job->gone ? NULL : job;
}

struct ref_target
ref_target_by_name(struct ref_world *world)
{
    struct ref_target target = {.missing = LEAT_NOT_FOUND, .at = REF_AT_NOTHING};
    uint32_t first = ref_below(world, REF_NAMES);
    bool any = ref_chance(world, 10);
    target.name = ref_name_text(first);
    for (uint32_t i = 0; i < REF_NAMES && target.job == NULL; i++) {
        uint32_t name = (first + i) % REF_NAMES;
        struct ref_job *job = found(world, name);
        if (job != NULL) {
            target.name = ref_name_text(name);
            target.job = job;
            target.id = job->id;
            target.at = ref_at(job);
        } else if (any) {
            break;
        }
    }
    if (target.job == NULL && ref_chance(world, 30)) {
        target.name = ref_chance(world, 50) ? "" : "nobody";
    }
    return target;
}

void
ref_op_job_find(struct ref_world *world)
{
    leat_job_id id = {SENTINEL};
    struct ref_target target = ref_target_by_name(world);
    ref_note(world, target.id.bits, 0, 0);
    ref_answer(world, target.at, REF_ONE(target.job == NULL ? LEAT_NOT_FOUND : LEAT_OK),
               leat_job_find(world->engine, target.name, &id));
    if (id.bits != (target.job == NULL ? SENTINEL : target.id.bits)) {
        ref_fail(world, target.job, "another job has the name: %" PRIx64, id.bits);
    }
}

void
ref_op_job_name(struct ref_world *world)
{
    char text[LEAT_JOB_NAME_BYTES_MAX + 1] = "before";
    struct ref_target target = ref_target(world);
    const struct ref_job *job = target.job;
    size_t capacity = ref_chance(world, 70) ? sizeof(text) : ref_below(world, sizeof(text));
    const char *name = "before";
    enum leat_status right = target.missing;
    if (job != NULL) {
        const char *own = job->labels.name == REF_NONE ? "" : ref_name_text(job->labels.name);
        right = strlen(own) < capacity ? LEAT_OK : LEAT_FULL;
        name = right == LEAT_OK ? own : name;
    }
    ref_note(world, target.id.bits, capacity, 0);
    ref_answer(world, target.at, REF_ONE(right),
               leat_job_name(world->engine, target.id, text, capacity));
    if (strcmp(text, name) != 0) {
        ref_fail(world, job, "its name is \"%s\"\n  expected: \"%s\"", text, name);
    }
}

/* ---- tags ------------------------------------------------------------------------------------ */

static void
check_tags(struct ref_world *world, const struct ref_job *job, const struct leat_tag *tags,
           uint32_t told, uint32_t count)
{
    bool good = count == job->labels.tags_count;
    for (uint32_t i = 0; good && i < told && i < count; i++) {
        good = strcmp(tags[i].text, job->labels.tags[i]) == 0;
    }
    if (!good) {
        ref_fail(world, job, "it has %u tags, or others\n  expected: %u", count,
                 job->labels.tags_count);
    }
}

void
ref_labels_check_run(struct ref_world *world, const struct ref_job *job, const struct leat_run *run)
{
    uint32_t count = SENTINEL;
    const struct leat_tag *tags = leat_run_tags(run, &count);
    if ((tags == NULL) != (count == 0)) {
        ref_fail(world, job, "tags where there are none, or none");
    }
    check_tags(world, job, tags, count, count);
}

void
ref_op_job_tags(struct ref_world *world)
{
    struct leat_tag tags[LEAT_TAGS_MAX];
    uint32_t count = SENTINEL;
    uint32_t capacity = ref_chance(world, 70) ? LEAT_TAGS_MAX : ref_below(world, 4);
    struct ref_target target = ref_target(world);
    const struct ref_job *job = target.job;
    ref_note(world, target.id.bits, capacity, 0);
    ref_answer(world, target.at, REF_ONE(job == NULL ? target.missing : LEAT_OK),
               leat_job_tags(world->engine, target.id, tags, capacity, &count));
    if (job != NULL) {
        check_tags(world, job, tags, capacity, count);
    }
}

bool
ref_tagged(const struct ref_job *job, const char *tag)
{
    bool found = false;
    for (uint32_t i = 0; i < job->labels.tags_count; i++) {
        found = found || strcmp(job->labels.tags[i], tag) == 0;
    }
    return job->id.bits != 0 && !job->gone && found;
}

static uint32_t
tagged_count(const struct ref_world *world, const char *tag)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REF_RECORDS; i++) {
        count += ref_tagged(&world->jobs[i], tag) ? 1 : 0;
    }
    return count;
}

void
ref_op_tag_count(struct ref_world *world)
{
    static const char *const wrong[] = {"", NULL, "012345678901234567890123456789012"};
    bool bad = ref_chance(world, 5);
    const char *tag = bad ? wrong[ref_below(world, 3)] : ref_tag_text(ref_below(world, REF_TAGS));
    uint64_t count = SENTINEL;
    ref_sync(world);
    ref_note(world, 0, 0, 0);
    ref_answer(world, REF_AT_NOTHING, REF_ONE(bad ? LEAT_INVALID : LEAT_OK),
               leat_tag_count(world->engine, tag, &count));
    if (count != (bad ? SENTINEL : tagged_count(world, tag))) {
        ref_fail(world, NULL, "%" PRIu64 " jobs have the tag", count);
    }
}

/* In parts as long as `capacity`: each once. */
void
ref_op_tag_list(struct ref_world *world)
{
    static leat_job_id ids[REF_RECORDS]; /* too much for a stack */
    struct leat_tag_cursor cursor = {ref_tag_text(ref_below(world, REF_TAGS)), 0};
    size_t capacity = ref_chance(world, 50) ? REF_RECORDS : 1 + ref_below(world, 4);
    size_t listed = 0;
    size_t count = 0;
    ref_sync(world);
    do {
        size_t room = REF_RECORDS - listed < capacity ? REF_RECORDS - listed : capacity;
        ref_note(world, room, listed, 0);
        ref_answer(world, REF_AT_NOTHING, REF_ONE(room == 0 ? LEAT_INVALID : LEAT_OK),
                   leat_tag_list(world->engine, &cursor, &ids[listed], room, &count));
        listed += count;
    } while (count == capacity && listed < REF_RECORDS);
    for (size_t i = 0; i < listed; i++) {
        const struct ref_job *job = ref_job_of(world, ids[i]);
        bool twice = false;
        for (size_t j = 0; j < i; j++) {
            twice = twice || ids[j].bits == ids[i].bits;
        }
        if (twice || !ref_tagged(job, cursor.tag)) {
            ref_fail(world, job, "it is listed twice, or has not that tag");
        }
    }
    if (listed != tagged_count(world, cursor.tag)) {
        ref_fail(world, NULL, "%zu jobs are listed by their tag", listed);
    }
}
