/* campaign_size.c - how large the log becomes. Jobs of mixed lifetimes go through an engine; one in
 * ten thousand is snoozed a thousand times; all the time a thread adds up the log's files and holds
 * them against the bound: twice the most bytes that live jobs had in its last looks, and ten
 * segments. So many looks, as a cleaning takes its time: so growth behind a peak is noticed, too.
 *
 *   campaign_size [--jobs N] [--seed S]
 *
 * Most jobs run at once; some a moment later, some much later; some are never due, and cancelled.
 * Where beanstalkd is there it is given a hundredth of that, and the size of its log is printed; it
 * has no part in the result. The last line says what was counted. Exit status: 0 all right; 1
 * something was wrong; 2 it cannot run like this. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring/atomic.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define JOBS           200000
#define BATCH          256
#define SNOOZES        1000  /* of each job that is snoozed at all */
#define SNOOZER_EVERY  10000 /* one job in so many */
#define NEVER_MAX      4096  /* jobs that wait to be cancelled */
#define PAYLOAD_BYTES  64
#define WAITING_MAX    (UINT32_C(1) << 19)
#define BOUND_SEGMENTS 10 /* docs/design/0037 */
#define LOOK_NS        (5 * TEST_MS)
#define LOOKS_MAX      8192 /* whose live bytes count; see looks_of() */
#define BEANSTALKD     "/usr/bin/beanstalkd"

/* ---- the engine ------------------------------------------------------------------------------ */

struct campaign {
    char directory[32];
    struct leat_engine *engine;
    leat_type type;
    uint64_t jobs;
    uint64_t segment_bytes;
    uint64_t snooze_ns;
    uint16_t *snoozes;       /* of each snoozer; one run at a time */
    leat_atomic_u64 ran;     /* that are done */
    leat_atomic_u64 snoozed; /* runs */
    leat_atomic_u32 stop;    /* of who looks */
    uint64_t peak_bytes;     /* of who looks, as all below */
    uint64_t peak_bound;     /* at that look */
    uint64_t peak_live;
    uint64_t looks;
    uint64_t beyond;      /* at which the bound did not hold */
    uint64_t close_bytes; /* of the look that came closest to it, by their quotient */
    uint64_t close_bound;
    uint64_t lives[LOOKS_MAX]; /* of the last looks */
};

struct payload {
    uint64_t number;
    unsigned char more[PAYLOAD_BYTES - sizeof(uint64_t)];
};

static bool
is_snoozer(uint64_t number)
{
    return number % SNOOZER_EVERY == 0;
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct campaign *campaign = context;
    uint64_t number = 0;
    memcpy(&number, leat_run_payload(run, NULL), sizeof(number));
    if (is_snoozer(number) && campaign->snoozes[number / SNOOZER_EVERY] < SNOOZES) {
        campaign->snoozes[number / SNOOZER_EVERY]++;
        (void)atom_add_rlx(&campaign->snoozed, 1); /* rlx: statistic */
        return leat_snooze(campaign->snooze_ns);
    }
    (void)atom_add_rlx(&campaign->ran, 1); /* rlx: statistic */
    return leat_done();
}

static void
engine_open(struct campaign *campaign)
{
    struct leat_config config = test_config();
    config.jobs_max = 2 * WAITING_MAX;
    config.ring_slots = 16384;
    config.retained_max = 0;
    config.sample_interval = 0;
    config.log_directory = campaign->directory;
    config.durability = LEAT_DURABILITY_OS;
    config.log_segment_bytes = campaign->segment_bytes;
    config.log_ring_bytes = campaign->segment_bytes / 4;
    campaign->engine = test_open(&config);
    campaign->type = test_register(campaign->engine, "job", job_run, campaign);
}

/* ---- who looks ------------------------------------------------------------------------------- */

/* Of the files whose names end, or begin, with these letters. */
static uint64_t
files_bytes(const char *directory, const char *letters)
{
    uint64_t bytes = 0;
    DIR *stream = opendir(directory);
    CHECK(stream != NULL);
    /* The stream is this call's own. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        struct stat found;
        if (strstr(entry->d_name, letters) != NULL &&
            fstatat(dirfd(stream), entry->d_name, &found, 0) == 0) {
            bytes += (uint64_t)found.st_size;
        }
    }
    CHECK(closedir(stream) == 0);
    return bytes;
}

/* For how many looks live bytes count: in that time the cleaner gets once round a log that is as
 * large as it may be. A second and a half for segments of 1 MiB, half a minute for those of 64. */
static uint32_t
looks_of(const struct campaign *campaign)
{
    return 200 + 100 * (uint32_t)(campaign->segment_bytes >> 20);
}

/* By the live bytes of the last looks. */
static uint64_t
bound(const struct campaign *campaign)
{
    uint64_t most = 0;
    uint64_t count = campaign->looks < looks_of(campaign) ? campaign->looks : looks_of(campaign);
    for (uint64_t i = campaign->looks - count; i < campaign->looks; i++) {
        uint64_t live = campaign->lives[i % LOOKS_MAX];
        most = live > most ? live : most;
    }
    return 2 * most + BOUND_SEGMENTS * campaign->segment_bytes;
}

static void
look_once(struct campaign *campaign)
{
    struct leat_health health = leat_health_default();
    uint64_t bytes = files_bytes(campaign->directory, ".");
    CHECK_OK(leat_health_get(campaign->engine, &health));
    uint64_t live = health.log_live_bytes;
    campaign->lives[campaign->looks++ % LOOKS_MAX] = live;
    campaign->peak_live = live > campaign->peak_live ? live : campaign->peak_live;
    uint64_t most = bound(campaign);
    if (bytes > campaign->peak_bytes) {
        campaign->peak_bytes = bytes;
        campaign->peak_bound = most;
    }
    if (campaign->close_bound == 0 ||
        (double)bytes / (double)most >
            (double)campaign->close_bytes / (double)campaign->close_bound) {
        campaign->close_bytes = bytes;
        campaign->close_bound = most;
    }
    campaign->beyond += bytes > most ? 1 : 0;
}

static void *
look(void *argument)
{
    struct campaign *campaign = argument;
    CHECK(looks_of(campaign) <= LOOKS_MAX);
    while (atom_load_rlx(&campaign->stop) == 0) {
        look_once(campaign);
        test_sleep_ns(LOOK_NS);
    }
    return NULL;
}

/* ---- the load -------------------------------------------------------------------------------- */

struct load {
    struct campaign *campaign;
    struct test_prng prng;
    struct leat_job jobs[BATCH];
    struct payload payloads[BATCH];
    leat_job_id ids[BATCH];
    bool never[BATCH];
    leat_job_id waits[NEVER_MAX]; /* jobs that are never due */
    uint32_t waits_count;
    uint64_t cancelled;
};

static void
job_draw(struct load *load, uint32_t place, uint64_t number)
{
    struct leat_job *job = &load->jobs[place];
    struct payload *payload = &load->payloads[place];
    uint32_t draw = test_random_below(&load->prng, 1000);
    payload->number = number;
    *job = leat_job_default();
    job->type = load->campaign->type;
    job->payload = payload;
    job->payload_bytes = sizeof(number) + test_random_below(&load->prng, sizeof(payload->more) + 1);
    load->never[place] = draw == 0 && !is_snoozer(number);
    if (load->never[place]) {
        job->delay_ns = UINT64_C(1000000) * 1000000000;
    } else if (draw < 10) {
        job->delay_ns = TEST_MS * test_random_below(&load->prng, 5000);
    } else if (draw < 100) {
        job->delay_ns = TEST_MS * test_random_below(&load->prng, 200);
    }
}

/* Room is made by one that was drawn before. */
static void
wait_for_cancel(struct load *load, leat_job_id id)
{
    uint32_t place = load->waits_count;
    if (place == NEVER_MAX) {
        place = test_random_below(&load->prng, NEVER_MAX);
        CHECK_OK(leat_cancel(load->campaign->engine, load->waits[place]));
        load->cancelled++;
    } else {
        load->waits_count++;
    }
    load->waits[place] = id;
}

static void
batch_submit(struct load *load, uint32_t count)
{
    struct campaign *campaign = load->campaign;
    enum leat_status status = LEAT_FULL;
    while (status == LEAT_FULL) {
        status = leat_submit_batch(campaign->engine, load->jobs, count, LEAT_BATCH_ALL_OR_NONE,
                                   load->ids, NULL);
        if (status == LEAT_FULL) {
            test_sleep_ns(TEST_MS);
        }
    }
    CHECK_OK(status);
    for (uint32_t i = 0; i < count; i++) {
        if (load->never[i]) {
            wait_for_cancel(load, load->ids[i]);
        }
    }
}

static void
all_submit(struct load *load)
{
    struct campaign *campaign = load->campaign;
    for (uint64_t number = 0; number < campaign->jobs; number += BATCH) {
        uint64_t left = campaign->jobs - number;
        uint32_t count = left < BATCH ? (uint32_t)left : BATCH;
        for (uint32_t i = 0; i < count; i++) {
            job_draw(load, i, number + i);
        }
        batch_submit(load, count);
        if (number / BATCH % 16 == 0) {
            while (test_statistics(campaign->engine).jobs_waiting > WAITING_MAX) {
                test_sleep_ns(TEST_MS);
            }
        }
    }
    for (uint32_t i = 0; i < load->waits_count; i++) {
        CHECK_OK(leat_cancel(campaign->engine, load->waits[i]));
        load->cancelled++;
    }
}

/* What is still to come is due in time: as long as something ends now and then, it goes on. */
static bool
all_wait(struct campaign *campaign, uint64_t wanted)
{
    uint64_t seen = 0;
    uint64_t until_ns = test_now_ns() + TEST_PATIENCE_NS;
    while (atom_load_rlx(&campaign->ran) != wanted) {
        uint64_t now = atom_load_rlx(&campaign->ran) + atom_load_rlx(&campaign->snoozed);
        until_ns = now != seen ? test_now_ns() + TEST_PATIENCE_NS : until_ns;
        seen = now;
        if (test_now_ns() > until_ns) {
            return false;
        }
        test_sleep_ns(TEST_MS);
    }
    return true;
}

/* Nothing of all that is left in the log. */
static bool
is_empty_then(struct campaign *campaign)
{
    struct leat_recovery_info info = leat_recovery_info_default();
    test_close(campaign->engine);
    engine_open(campaign);
    CHECK_OK(leat_recovery_get(campaign->engine, &info));
    test_close(campaign->engine);
    return info.jobs == 0;
}

/* ---- beanstalkd ------------------------------------------------------------------------------ */

struct beanstalkd {
    char directory[32];
    pid_t process;
    FILE *in;
    FILE *out;
    uint64_t peak_bytes;
};

static bool
beanstalkd_connect(struct beanstalkd *other)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", other->directory);
    for (uint32_t i = 0; i < 1000; i++) {
        int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(handle >= 0);
        if (connect(handle, (const struct sockaddr *)(const void *)&address, sizeof(address)) ==
            0) {
            other->out = fdopen(handle, "w");
            other->in = fdopen(dup(handle), "r");
            return other->out != NULL && other->in != NULL;
        }
        CHECK(close(handle) == 0);
        test_sleep_ns(10 * TEST_MS);
    }
    return false;
}

static bool
beanstalkd_start(struct beanstalkd *other)
{
    strcpy(other->directory, "campaign_size.XXXXXX");
    if (access(BEANSTALKD, X_OK) != 0 || mkdtemp(other->directory) == NULL) {
        return false;
    }
    other->process = fork();
    CHECK(other->process >= 0);
    if (other->process == 0) {
        int nothing = open("/dev/null", O_RDWR);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(nothing, STDOUT_FILENO);
        (void)dup2(nothing, STDERR_FILENO);
        if (chdir(other->directory) == 0) {
            (void)execl(BEANSTALKD, BEANSTALKD, "-b", ".", "-l", "unix:socket", (char *)NULL);
        }
        _exit(127);
    }
    return beanstalkd_connect(other);
}

static void
beanstalkd_stop(struct beanstalkd *other)
{
    int status = 0;
    CHECK(fclose(other->in) == 0 && fclose(other->out) == 0);
    CHECK(kill(other->process, SIGKILL) == 0);
    CHECK(waitpid(other->process, &status, 0) == other->process);
    test_directory_remove(other->directory);
}

/* The number behind a word that an answer has to begin with. */
static uint64_t
answer(struct beanstalkd *other, const char *word)
{
    char line[256];
    CHECK(fgets(line, sizeof(line), other->in) != NULL);
    CHECK(strncmp(line, word, strlen(word)) == 0);
    return strtoull(line + strlen(word), NULL, 10);
}

static void
puts_send(struct beanstalkd *other, uint32_t count, uint32_t priority)
{
    static const char body[] = "0123456789012345678901234567890123456789";
    for (uint32_t i = 0; i < count; i++) {
        (void)fprintf(other->out, "put %u 0 3600 %zu\r\n%s\r\n", priority, sizeof(body) - 1, body);
    }
    CHECK(fflush(other->out) == 0);
    for (uint32_t i = 0; i < count; i++) {
        (void)answer(other, "INSERTED ");
    }
}

/* Takes `count` jobs: those that are urgent are done, the others put off. */
static void
round_run(struct beanstalkd *other, uint32_t done, uint32_t put_off)
{
    static uint64_t ids[2 * BATCH];
    char body[256];
    uint32_t count = done + put_off;
    for (uint32_t i = 0; i < count; i++) {
        (void)fputs("reserve\r\n", other->out);
    }
    CHECK(fflush(other->out) == 0);
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = answer(other, "RESERVED ");
        CHECK(fgets(body, sizeof(body), other->in) != NULL);
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *word = i < done ? "delete" : "release";
        (void)fprintf(other->out, "%s %" PRIu64 "%s\r\n", word, ids[i], i < done ? "" : " 9 0");
    }
    CHECK(fflush(other->out) == 0);
    for (uint32_t i = 0; i < count; i++) {
        (void)answer(other, i < done ? "DELETED" : "RELEASED");
    }
    uint64_t bytes = files_bytes(other->directory, "binlog");
    other->peak_bytes = bytes > other->peak_bytes ? bytes : other->peak_bytes;
}

static void
beanstalkd_run(uint64_t jobs)
{
    static struct beanstalkd other;
    uint64_t rounds = jobs / BATCH + 1;
    uint64_t snoozers = jobs / SNOOZER_EVERY + 1;
    if (!beanstalkd_start(&other)) {
        printf("beanstalkd: it is not there\n");
        return;
    }
    uint64_t each = snoozers * SNOOZES / rounds + 1;
    uint32_t put_off = (uint32_t)(each < snoozers ? each : snoozers);
    put_off = put_off < BATCH ? put_off : BATCH;
    puts_send(&other, put_off, 9);
    for (uint64_t i = 0; i < rounds; i++) {
        puts_send(&other, BATCH, 0);
        round_run(&other, BATCH, put_off);
    }
    printf("beanstalkd: jobs %" PRIu64 " snoozes %" PRIu64 " peak_bytes %" PRIu64
           " at the end %" PRIu64 "\n",
           rounds * BATCH, rounds * put_off, other.peak_bytes,
           files_bytes(other.directory, "binlog"));
    beanstalkd_stop(&other);
}

/* ---- all ------------------------------------------------------------------------------------- */

static int
campaign_run(struct campaign *campaign, uint64_t seed)
{
    static struct load load;
    pthread_t thread;
    load.campaign = campaign;
    load.prng.state = seed;
    engine_open(campaign);
    CHECK_OK(leat_start(campaign->engine));
    CHECK(pthread_create(&thread, NULL, look, campaign) == 0);
    uint64_t start_ns = test_now_ns();
    all_submit(&load);
    uint64_t submitted_ns = test_now_ns() - start_ns;
    bool all = all_wait(campaign, campaign->jobs - load.cancelled);
    uint64_t all_ns = test_now_ns() - start_ns;
    atom_store_rlx(&campaign->stop, 1);
    CHECK(pthread_join(thread, NULL) == 0);
    uint64_t snoozes = atom_load_rlx(&campaign->snoozed);
    uint64_t wanted = (campaign->jobs + SNOOZER_EVERY - 1) / SNOOZER_EVERY * SNOOZES;
    struct leat_health health = leat_health_default();
    CHECK_OK(leat_health_get(campaign->engine, &health));
    printf("seed %" PRIu64 ", submitted in %.1f s, all in %.1f s, %.0f jobs/s; cancelled %" PRIu64
           ", live bytes at most %" PRIu64 " and now %" PRIu64 "; beyond the bound %" PRIu64
           " of %" PRIu64 " looks, closest bytes %" PRIu64 " bound %" PRIu64
           " by the last %u looks\n",
           seed, (double)submitted_ns / 1e9, (double)all_ns / 1e9,
           (double)campaign->jobs * 1e9 / (double)submitted_ns, load.cancelled, campaign->peak_live,
           health.log_live_bytes, campaign->beyond, campaign->looks, campaign->close_bytes,
           campaign->close_bound, looks_of(campaign));
    bool right = all && snoozes == wanted && health.log_live_bytes == 0 && is_empty_then(campaign);
    beanstalkd_run(campaign->jobs / 100);
    printf("jobs %" PRIu64 " snoozes %" PRIu64 " peak_bytes %" PRIu64 " bound_bytes %" PRIu64 "\n",
           campaign->jobs, snoozes, campaign->peak_bytes, campaign->peak_bound);
    return right && campaign->beyond == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    static const struct test_campaign asked = {"campaign_size", "jobs", JOBS, 1000,
                                               UINT64_C(10000000000)};
    static struct campaign campaign = {.directory = "campaign_size.XXXXXX"};
    uint64_t seed = 0;
    test_campaign_read(&asked, argc, argv, &campaign.jobs, &seed);
    CHECK(mkdtemp(campaign.directory) != NULL);
    campaign.snoozes = calloc(campaign.jobs / SNOOZER_EVERY + 1, sizeof(*campaign.snoozes));
    CHECK(campaign.snoozes != NULL);
    /* So that the log is cleaned some dozen times, or as it is by default. */
    uint32_t shift = campaign.jobs < 1000000 ? 20 : campaign.jobs < 20000000 ? 23 : 26;
    campaign.segment_bytes = UINT64_C(1) << shift;
    campaign.snooze_ns = TEST_MS * (1 + campaign.jobs / 500000);
    int result = campaign_run(&campaign, seed);
    test_directory_remove(campaign.directory);
    free(campaign.snoozes);
    return result;
}
