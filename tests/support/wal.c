/* wal.c - see wal.h. */
#include "tests/support/wal.h"

#include <string.h>

#include "engine/wal/internal.h"
#include "tests/support/check.h"

#define TAG_SUBMIT 1
#define TAG_END    2

/* The bytes of a thing: its number, then what follows from it. */
static uint32_t
thing_bytes(uint32_t thing)
{
    struct test_prng prng = {thing};
    uint32_t kind = test_random_below(&prng, 16);
    return kind == 0 ? 4096 + test_random_below(&prng, WAL_BYTES_MAX - 4096)
                     : 8 + test_random_below(&prng, 200);
}

static void
thing_fill(uint32_t thing, unsigned char *data, uint32_t bytes)
{
    struct test_prng prng = {thing + (UINT64_C(1) << 32)};
    memcpy(data, &thing, sizeof(thing));
    for (uint32_t i = sizeof(thing); i < bytes; i++) {
        data[i] = (unsigned char)test_random(&prng);
    }
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool
record_read(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_user *user = context;
    unsigned char *wanted = user->data[0];
    uint32_t thing = WAL_THINGS_MAX;
    (void)place;
    if (record->bytes >= sizeof(thing)) {
        memcpy(&thing, record->data, sizeof(thing));
    }
    if (thing >= WAL_THINGS_MAX) {
        user->damaged = true;
        return true;
    }
    if (record->tag == TAG_END) {
        user->things[thing].live = false;
        return true;
    }
    thing_fill(thing, wanted, thing_bytes(thing));
    user->damaged = user->damaged || record->tag != TAG_SUBMIT ||
                    record->bytes != thing_bytes(thing) ||
                    memcmp(wanted, record->data, record->bytes) != 0;
    user->things[thing].live = true;
    return true;
}

void
wal_user_init(struct wal_user *user, struct disk *disk, uint64_t seed)
{
    memset(user, 0, sizeof(*user));
    user->disk = disk;
    user->prng.state = seed;
    user->cleans_from = 3;
    user->config = (struct leat_wal_config){
        .files = &disk->files,
        .directory = "log",
        .memory = leat_memory_default(),
        .segment_bytes = LEAT_WAL_SEGMENT_BYTES_MIN,
        .ring_bytes = LEAT_WAL_RING_BYTES_MIN,
        .seed = seed,
        .late = seed % 2 == 1,
        .sync = (enum leat_log_sync)(seed / 2 % (LEAT_LOG_SYNC_IO_URING + 1)),
        .threads = seed % 4 == 2 ? 4 : 1,
    };
}

/* After how many changes, at most, there is what `other` has read; UINT32_MAX: never. */
static uint32_t
changes_found(struct wal_user *user, const struct wal_user *other)
{
    uint32_t differ = 0;
    uint32_t found = UINT32_MAX;
    for (uint32_t i = 0; i < WAL_THINGS_MAX; i++) {
        user->model[i] = false;
        differ += other->things[i].live ? 1 : 0;
    }
    for (uint32_t count = 0; count <= user->changes_count; count++) {
        found = differ == 0 ? count : found;
        if (count == user->changes_count) {
            break;
        }
        const struct wal_change *change = &user->changes[count];
        for (uint32_t i = change->first; i < change->first + change->count; i++) {
            user->model[i] = !user->model[i];
            differ += user->model[i] != other->things[i].live ? 1 : UINT32_MAX;
        }
    }
    return found;
}

static void
change_note(struct wal_user *user, uint32_t first, uint32_t count, uint64_t position)
{
    CHECK(user->changes_count < TEST_COUNT_OF(user->changes));
    user->changes[user->changes_count++] = (struct wal_change){first, count, position};
}

/* All that is durable is proven by the log, where that has nothing to mark. */
static void
changes_prove(struct wal_user *user)
{
    struct leat_wal *wal = &user->wal;
    bool marked = user->is_open && !leat_wal_is_unmarked(wal) && atom_load_rlx(&wal->failed) == 0;
    if (!marked) {
        return;
    }
    uint32_t proven = user->changes_opened;
    while (proven < user->changes_count &&
           leat_wal_is_durable(wal, user->changes[proven].position)) {
        proven++;
    }
    user->changes_proven = proven;
}

void
wal_user_go_on(struct wal_user *user, const struct wal_user *other)
{
    uint32_t found = changes_found(user, other);
    user->changes_count = found == UINT32_MAX ? user->changes_count : found;
    user->changes_opened = user->changes_count;
    user->changes_written = user->changes_count;
    user->changes_proven =
        user->changes_proven < user->changes_count ? user->changes_proven : user->changes_count;
    for (uint32_t i = 0; i < WAL_THINGS_MAX; i++) {
        struct wal_thing *thing = &user->things[i];
        if (thing->state != WAL_NONE) {
            thing->state = other->things[i].live ? WAL_THERE : WAL_ENDED;
            thing->position = 0;
        }
    }
}

enum leat_status
wal_user_open(struct wal_user *user)
{
    const struct leat_wal_reader reader = {record_read, user};
    for (uint32_t i = 0; i < WAL_THINGS_MAX; i++) {
        user->things[i].live = false;
    }
    user->config.seed++;
    enum leat_status status = leat_wal_open(&user->wal, &user->config, &reader, &user->report);
    user->is_open = status == LEAT_OK;
    if (status == LEAT_OK) {
        user->killed = true;
        user->wrong = user->wrong == NULL ? wal_user_judge(user, user) : user->wrong;
        user->killed = false;
        wal_user_go_on(user, user);
    }
    return status;
}

void
wal_user_close(struct wal_user *user)
{
    if (user->is_open) {
        leat_wal_close(&user->wal);
        user->is_open = false;
    }
}

/* ---- acting --------------------------------------------------------------------------------- */

static void
acknowledge(struct wal_user *user, uint64_t position)
{
    for (uint32_t i = 0; i < user->next; i++) {
        struct wal_thing *thing = &user->things[i];
        bool durable = thing->position <= position;
        if (durable && (thing->state == WAL_SUBMITS || thing->state == WAL_ENDS)) {
            thing->state = thing->state == WAL_SUBMITS ? WAL_THERE : WAL_ENDED;
        }
    }
}

static void
submit(struct wal_user *user, uint32_t count)
{
    struct leat_wal_entry entries[WAL_UNIT_MAX];
    uint64_t position = 0;
    if (user->next + count > WAL_THINGS_MAX) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = thing_bytes(user->next + i);
        unsigned char *data = user->data[i];
        thing_fill(user->next + i, data, bytes);
        entries[i] = (struct leat_wal_entry){TAG_SUBMIT, 4, bytes - 4, data, data + 4};
    }
    if (leat_wal_append(&user->wal, entries, count, LEAT_WAL_FIRST, &position) == LEAT_OK) {
        for (uint32_t i = 0; i < count; i++) {
            user->things[user->next + i] =
                (struct wal_thing){WAL_SUBMITS, user->next, position, true};
        }
        change_note(user, user->next, count, position);
        user->next += count;
    }
}

static void
end(struct wal_user *user)
{
    if (user->next == 0) {
        return;
    }
    uint32_t from = user->next > 100 ? user->next - 100 : 0;
    uint32_t number = from + test_random_below(&user->prng, user->next - from);
    struct wal_thing *thing = &user->things[number];
    const struct leat_wal_entry entry = {TAG_END, sizeof(number), 0, &number, NULL};
    uint64_t position = 0;
    if ((thing->state == WAL_SUBMITS || thing->state == WAL_THERE) &&
        leat_wal_append(&user->wal, &entry, 1, LEAT_WAL_LAST, &position) == LEAT_OK) {
        *thing = (struct wal_thing){WAL_ENDS, thing->unit, position, false};
        change_note(user, number, 1, position);
    }
}

static void
wait(struct wal_user *user)
{
    uint64_t position = 0;
    for (uint32_t i = 0; i < user->next; i++) {
        uint64_t its = user->things[i].position;
        position = its > position ? its : position;
    }
    if (user->bugs.acks_early || leat_wal_wait(&user->wal, position, UINT64_MAX) == LEAT_OK) {
        acknowledge(user, position);
    }
}

/* Waits until the system has all. */
static void
wait_written(struct wal_user *user)
{
    uint64_t position = user->changes_count == user->changes_opened
                            ? 0
                            : user->changes[user->changes_count - 1].position;
    if (leat_wal_wait_written(&user->wal, position, UINT64_MAX) == LEAT_OK) {
        user->changes_written = user->changes_count;
    }
}

/* Whose submit stands in the segment that is cleaned, and who has not ended, is appended anew. */
static bool
record_clean(void *context, struct leat_wal_place place, const struct leat_wal_record *record)
{
    struct wal_user *user = context;
    uint32_t thing = 0;
    (void)place;
    memcpy(&thing, record->data, sizeof(thing));
    if (record->tag != TAG_SUBMIT || user->things[thing].state >= WAL_ENDS ||
        user->bugs.cleans_blindly) {
        return true;
    }
    const struct leat_wal_entry entry = {TAG_SUBMIT, record->bytes, 0, record->data, NULL};
    enum leat_status status = LEAT_FULL;
    for (uint32_t i = 0; status == LEAT_FULL && i < 4; i++) {
        status = leat_wal_append(&user->wal, &entry, 1, LEAT_WAL_CLEAN, &user->cleaned);
        if (status == LEAT_FULL) {
            (void)leat_wal_step(&user->wal, false);
        }
    }
    return status == LEAT_OK;
}

static void
clean(struct wal_user *user)
{
    const struct leat_wal_reader reader = {record_clean, user};
    uint64_t oldest = leat_wal_oldest(&user->wal);
    char name[LEAT_WAL_NAME_BYTES];
    if (oldest == 0 ||
        leat_wal_bytes(&user->wal) < user->cleans_from * LEAT_WAL_SEGMENT_BYTES_MIN) {
        return;
    }
    user->cleaned = 0;
    if (leat_wal_look(&user->wal, &reader) == LEAT_OK) {
        if (user->bugs.forgets_early) {
            leat_wal_name(name, oldest, false);
            (void)user->disk->files.remove(user->disk, 0, name);
        }
        (void)leat_wal_forget(&user->wal, user->cleaned);
    }
}

static void
open_again(struct wal_user *user)
{
    if (user->is_open) {
        wait(user);
    }
    wal_user_close(user);
    (void)wal_user_open(user);
}

void
wal_user_do(struct wal_user *user, enum wal_act act)
{
    if (!user->is_open) {
        act = WAL_OPENS_AGAIN;
    }
    switch (act) {
    case WAL_OPENS_AGAIN:
        open_again(user);
        break;
    case WAL_SUBMITS_ONE:
        submit(user, 1);
        break;
    case WAL_SUBMITS_UNIT:
        submit(user, WAL_UNIT_MAX);
        break;
    case WAL_ENDS_ONE:
        end(user);
        break;
    case WAL_WAITS:
        wait(user);
        break;
    case WAL_WAITS_WRITTEN:
        wait_written(user);
        break;
    case WAL_STEPS:
        (void)leat_wal_step(&user->wal, false);
        break;
    case WAL_MARKS:
        (void)leat_wal_step(&user->wal, true);
        break;
    case WAL_PREPARES:
        (void)leat_wal_prepare(&user->wal);
        break;
    case WAL_CLEANS:
        clean(user);
        break;
    }
    changes_prove(user);
}

void
wal_user_act(struct wal_user *user)
{
    static const struct {
        uint32_t below; /* of 100 */
        enum wal_act act;
    } draws[] = {{1, WAL_OPENS_AGAIN}, {50, WAL_SUBMITS_ONE},   {75, WAL_ENDS_ONE},
                 {83, WAL_WAITS},      {86, WAL_WAITS_WRITTEN}, {90, WAL_STEPS},
                 {93, WAL_MARKS},      {97, WAL_PREPARES},      {100, WAL_CLEANS}};
    uint32_t draw = test_random_below(&user->prng, 100);
    uint32_t place = 0;
    while (draw >= draws[place].below) {
        place++;
    }
    enum wal_act act = draws[place].act;
    if (act == WAL_SUBMITS_ONE && user->is_open && test_random_below(&user->prng, 4) == 0) {
        act = WAL_SUBMITS_UNIT;
    }
    wal_user_do(user, act);
}

/* ---- judging -------------------------------------------------------------------------------- */

static bool
may_have_ended(const struct wal_thing *thing)
{
    return thing->state >= WAL_ENDS;
}

const char *
wal_user_judge_rotten(struct wal_user *user, const struct wal_user *other)
{
    if (other->damaged) {
        return "a record has other bytes than were appended";
    }
    uint32_t found = changes_found(user, other);
    if (found == UINT32_MAX) {
        return "it is no prefix of what was appended";
    }
    if (user->killed && found < user->changes_written) {
        return "lost: it was written";
    }
    return user->lied || found >= user->changes_proven ? NULL
                                                       : "lost: the log had said it is there";
}

const char *
wal_user_judge(struct wal_user *user, const struct wal_user *other)
{
    const char *why = wal_user_judge_rotten(user, other);
    if (why != NULL || user->lied) {
        return why;
    }
    for (uint32_t i = 0; i < WAL_THINGS_MAX; i++) {
        const struct wal_thing *thing = &user->things[i];
        bool live = other->things[i].live;
        if (thing->state == WAL_THERE && !live) {
            return "lost: it was acknowledged";
        }
        if (thing->state == WAL_ENDED && live) {
            return "back to life: its end was acknowledged";
        }
        if (thing->state == WAL_NONE && live) {
            return "never submitted";
        }
        const struct wal_thing *first = &user->things[thing->unit];
        bool whole = may_have_ended(thing) || may_have_ended(first) ||
                     live == other->things[thing->unit].live;
        if (thing->state != WAL_NONE && !whole) {
            return "half of a unit";
        }
    }
    return NULL;
}

/* ---- counting ------------------------------------------------------------------------------- */

void
wal_count_add(struct wal_count *count, const char *why)
{
    count->states++;
    if (why == NULL) {
        return;
    }
    if (strncmp(why, "lost", 4) == 0) {
        count->lost++;
    } else if (strncmp(why, "back", 4) == 0) {
        count->back++;
    } else {
        count->wrong++;
    }
}

uint64_t
wal_count_bad(const struct wal_count *count)
{
    return count->lost + count->back + count->wrong;
}
