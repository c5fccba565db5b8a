/* unit_durable_attempts.c - the last attempts of a job in the log: they are the same behind any
 * number of crashes as without, up to eight, with long texts, through the cleaner, dead and brought
 * back; where a record has no room the newest are there; and what is none is refused. */
#include "engine/history.h"
#include "tests/unit/durable_body.h"

#define KEPT LEAT_ATTEMPTS_KEPT

struct play {
    struct world *world;
    leat_type type;
    uint32_t said;     /* attempts that have said something */
    size_t text_bytes; /* of each; 0: a number */
    uint32_t attempts_max;
    leat_job_id id;
    struct leat_attempt_info infos[KEPT]; /* that are remembered */
    size_t count;
    struct leat_attempt_info now[KEPT];
    size_t now_count;
    unsigned char bytes[LEAT_DURABLE_ATTEMPTS_MAX];
};

static struct leat_outcome
fails(struct leat_run *run, void *context)
{
    struct play *play = context;
    char text[LEAT_ERROR_BYTES];
    int bytes = snprintf(text, sizeof(text), "no %u", ++play->said);
    if (play->text_bytes != 0) {
        memset(text + bytes, 'x', play->text_bytes - (size_t)bytes);
        text[play->text_bytes] = '\0';
    }
    test_clock_pass(&play->world->clock, play->world->engine, 1000000);
    CHECK_OK(leat_run_error(run, text));
    return leat_retry_in(10 * MINUTE_NS);
}

static void
play_open(struct play *play)
{
    struct leat_type_options options = leat_type_options_default();
    options.max_attempts = play->attempts_max;
    CHECK_OK(leat_type_register(play->world->engine, "fails", fails, play, &options, &play->type));
}

static struct play *
play_make(uint32_t attempts_max)
{
    struct play *play = calloc(1, sizeof(*play));
    CHECK(play != NULL);
    play->world = world_make();
    play->attempts_max = attempts_max;
    play_open(play);
    return play;
}

static void
play_free(struct play *play)
{
    world_free(play->world);
    free(play);
}

static void
play_submit(struct play *play, size_t payload_bytes)
{
    static const char payload[6000];
    struct leat_job job = leat_job_default();
    job.type = play->type;
    job.payload = payload;
    job.payload_bytes = payload_bytes;
    CHECK_OK(leat_submit(play->world->engine, &job, &play->id));
}

/* One more attempt. */
static void
again(struct play *play)
{
    uint32_t said = play->said;
    run_all(play->world);
    if (play->said == said) {
        test_clock_pass(&play->world->clock, play->world->engine, 10 * MINUTE_NS + 2000000);
        run_all(play->world);
    }
    CHECK_EQUAL(play->said, said + 1);
}

static void
look(struct play *play, struct leat_attempt_info *infos, size_t *count)
{
    for (size_t i = 0; i < KEPT; i++) {
        infos[i] = leat_attempt_info_default();
    }
    CHECK_OK(leat_job_attempts(play->world->engine, play->id, infos, KEPT, count));
}

static void
remember(struct play *play)
{
    look(play, play->infos, &play->count);
}

/* The last ones of those that are remembered; all of them, if `all`. */
static void
same(struct play *play, bool all)
{
    look(play, play->now, &play->now_count);
    CHECK(play->now_count <= play->count && (!all || play->now_count == play->count));
    for (size_t i = 0; i < play->now_count; i++) {
        const struct leat_attempt_info *is = &play->now[i];
        const struct leat_attempt_info *was = &play->infos[play->count - play->now_count + i];
        CHECK_EQUAL(is->attempt, was->attempt);
        CHECK_EQUAL(is->worker, was->worker);
        CHECK_EQUAL(is->outcome, was->outcome);
        CHECK(is->timed_out == was->timed_out);
        CHECK_EQUAL(is->ended_unix_ns, was->ended_unix_ns);
        CHECK_EQUAL(is->started_unix_ns, was->started_unix_ns);
        CHECK_EQUAL(is->duration_ns, was->duration_ns);
        CHECK_TEXT(is->error, was->error);
    }
}

static void
crash(struct play *play)
{
    remember(play);
    world_crash(play->world);
    play_open(play);
    same(play, true);
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* A crash behind each attempt; in the end it is a dead letter. */
static void
goes_through(uint32_t attempts, size_t text_bytes)
{
    struct play *play = play_make(attempts);
    play->text_bytes = text_bytes;
    play_submit(play, 100);
    crash(play);
    CHECK_EQUAL(play->count, 0);
    for (uint32_t i = 1; i <= attempts; i++) {
        again(play);
        crash(play);
        CHECK_EQUAL(play->count, i < KEPT ? i : KEPT);
        CHECK_EQUAL(play->infos[play->count - 1].attempt, i);
    }
    CHECK_EQUAL(test_get(play->world->engine, play->id).state, LEAT_JOB_DEAD);
    CHECK_EQUAL(play->infos[0].attempt, attempts - play->count + 1);
    CHECK(strncmp(play->infos[0].error, "no ", 3) == 0);
    CHECK(play->count < 2 || play->infos[1].started_unix_ns != 0);
    play_free(play);
}

static void
a_letter_has_its_attempts(void **state)
{
    static const size_t texts[] = {0, 30, LEAT_ERROR_BYTES - 1};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        goes_through(1, texts[i]);
        goes_through(KEPT - 1, texts[i]);
        goes_through(KEPT, texts[i]);
        goes_through(KEPT + 3, texts[i]);
    }
}

static void
brought_back_it_has_them(void **state)
{
    struct play *play = play_make(2);
    const struct leat_when later = {.delay_ns = MINUTE_NS};
    (void)state;
    play_submit(play, 0);
    again(play);
    again(play);
    CHECK_EQUAL(test_get(play->world->engine, play->id).state, LEAT_JOB_DEAD);
    crash(play);
    CHECK_OK(leat_dead_retry(play->world->engine, play->id, later));
    crash(play);
    CHECK_EQUAL(play->count, 2);
    CHECK_OK(leat_reschedule(play->world->engine, play->id, later));
    crash(play);
    again(play);
    crash(play);
    CHECK_EQUAL(play->count, 3);
    play_free(play);
}

/* One that has not ended by its job's word is not written. */
static void
one_that_is_under_way(void **state)
{
    struct play *play = play_make(3);
    unsigned char *bytes = play->bytes;
    uint32_t index = 0;
    (void)state;
    play_submit(play, 0);
    again(play);
    again(play);
    struct leat_engine *engine = play->world->engine;
    CHECK_OK(leat_job_locate(engine, play->id, &index));
    size_t all = leat_durable_attempts_put(engine, index, 0, bytes, sizeof(play->bytes));
    CHECK_EQUAL(all, 2 * (sizeof(struct leat_durable_attempt) + strlen("no 1")));
    CHECK_EQUAL(leat_durable_attempts_put(engine, index, 2, bytes, sizeof(play->bytes)), all / 2);
    CHECK_EQUAL(leat_durable_attempts_put(engine, index, 3, bytes, sizeof(play->bytes)), all);
    CHECK_EQUAL(leat_durable_attempts_put(engine, index, 0, bytes, all - 1), all / 2);
    CHECK(memcmp(bytes + sizeof(struct leat_durable_attempt), "no 2", 4) == 0);
    CHECK_EQUAL(leat_durable_attempts_put(engine, index, 0, bytes, all / 2 - 1), 0);
    play_free(play);
}

/* So much goes through the log that the cleaner has passed all that is in it. */
static void
pass_all(struct world *world)
{
    static char payload[2001];
    struct leat_wal *wal = &world->engine->durable->wal;
    const uint64_t newest = leat_wal_newest(wal);
    bool passed = false;
    memset(payload, 'p', sizeof(payload) - 1);
    for (uint32_t i = 0; i < 10000 && !passed; i++) {
        size_t ran = 0; /* whose places have the records */
        CHECK_OK(leat_cancel(world->engine, submit(world, payload, NULL, 0)));
        while (i % 32 == 31 && leat_run_some(world->engine, 100, &ran) == LEAT_OK) {
        }
        uint64_t oldest = leat_wal_oldest(wal);
        passed = leat_wal_newest(wal) > newest && (oldest == 0 || oldest > newest);
    }
    CHECK(passed);
}

static uint64_t
unwritten(struct world *world)
{
    struct leat_health health = leat_health_default();
    CHECK_OK(leat_health_get(world->engine, &health));
    return health.log_unwritten;
}

/* In a log whose records are at most 8 KiB. */
static void
through_the_cleaner(size_t payload_bytes, bool fits)
{
    struct play *play = play_make(KEPT + 1);
    struct world *world = play->world;
    test_close(world->engine);
    world->config.payload_bytes_max = 6000;
    world->config.log_segment_bytes = UINT64_C(1) << 16;
    world->config.log_ring_bytes = UINT64_C(1) << 14;
    world_open(world);
    play_open(play);
    play->text_bytes = LEAT_ERROR_BYTES - 1;
    play_submit(play, payload_bytes);
    for (uint32_t i = 0; i < KEPT; i++) {
        again(play);
    }
    remember(play);
    pass_all(world);
    CHECK_EQUAL(unwritten(world), 0);
    world_crash(world);
    play_open(play);
    same(play, fits);
    CHECK(fits || (play->now_count > 2 && play->now_count < KEPT));
    again(play);
    CHECK_EQUAL(test_get(world->engine, play->id).state, LEAT_JOB_DEAD);
    run_all(world);
    remember(play);
    pass_all(world);
    CHECK_EQUAL(unwritten(world), 0);
    world_restart(world);
    play_open(play);
    same(play, fits);
    CHECK_OK(leat_dead_delete(world->engine, play->id));
    world_restart(world);
    CHECK_EQUAL(found(world).jobs, 0);
    play_free(play);
}

static void
the_cleaner_keeps_them(void **state)
{
    (void)state;
    through_the_cleaner(100, true);
    through_the_cleaner(6000, false);
}

/* ---- records --------------------------------------------------------------------------------- */

struct record {
    struct leat_durable_state state;
    unsigned char rest[LEAT_DURABLE_ATTEMPTS_MAX + 400];
};

/* A step with so many attempts, each with a text. */
static struct record *
record_make(uint32_t count, uint16_t text_bytes)
{
    static struct record record;
    struct leat_durable_attempt attempt = {.outcome = LEAT_OUTCOME_RETRY, .text_bytes = text_bytes};
    size_t bytes = 0;
    memset(&record, 0, sizeof(record));
    for (uint32_t i = 0; i < count; i++) {
        attempt.number = i + 1;
        memcpy(record.rest + bytes, &attempt, sizeof(attempt));
        bytes += sizeof(attempt) + text_bytes;
    }
    record.state = (struct leat_durable_state){.format = LEAT_DURABLE_FORMAT_ATTEMPTS,
                                               .phase = LEAT_PHASE_RETRYING,
                                               .id = 1,
                                               .attempts_bytes = (uint32_t)bytes};
    return &record;
}

static enum leat_status
read_back(const struct record *record)
{
    struct leat_durable_parts parts;
    return leat_durable_parts_read(&parts, (const unsigned char *)record,
                                   sizeof(record->state) + record->state.attempts_bytes);
}

static void
records_are_checked(void **state)
{
    (void)state;
    CHECK_OK(read_back(record_make(1, 0)));
    CHECK_OK(read_back(record_make(KEPT, 255)));
    CHECK_STATUS(read_back(record_make(KEPT, 256)), LEAT_CORRUPT);
    CHECK_STATUS(read_back(record_make(KEPT + 1, 3)), LEAT_CORRUPT);
    CHECK_STATUS(read_back(record_make(0, 0)), LEAT_CORRUPT); /* of that format has some */
    struct record *record = record_make(2, 7);
    record->state.attempts_bytes--;
    CHECK_STATUS(read_back(record), LEAT_CORRUPT);
    record->state.attempts_bytes += 2;
    CHECK_STATUS(read_back(record), LEAT_CORRUPT);
    record = record_make(2, 7);
    record->state.format = LEAT_DURABLE_FORMAT;
    CHECK_STATUS(read_back(record), LEAT_CORRUPT);
    record->state.format = LEAT_DURABLE_FORMAT_ATTEMPTS + 1;
    CHECK_STATUS(read_back(record), LEAT_UNSUPPORTED);
    record = record_make(1, 0);
    record->rest[offsetof(struct leat_durable_attempt, outcome)] = LEAT_OUTCOME_PENDING + 1;
    CHECK_STATUS(read_back(record), LEAT_CORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_has_its_attempts), cmocka_unit_test(brought_back_it_has_them),
        cmocka_unit_test(one_that_is_under_way),     cmocka_unit_test(the_cleaner_keeps_them),
        cmocka_unit_test(records_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
