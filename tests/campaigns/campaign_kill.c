/* campaign_kill.c - a process with durable jobs is killed again and again, at any moment, and
 * another one goes on with its log. A process outside hears of each answer and each run as it
 * happens, and says at the end what is missing.
 *
 *   campaign_kill [--times N] [--seed S] [--durability os|group] [--seal]
 *
 * Most die in their first 80 ms; some later, up to two seconds, and some right behind a cleaning of
 * the log. With --seal the log is encrypted.
 * Half of the threads do not wait for the disk, but hear of it. Jobs run at once, later, or on
 * their second attempt; some are never due and are cancelled. What was acknowledged has to run;
 * what was cancelled must never be there again. A run may come twice if its end was not durable
 * yet: how many of these a kill met, the child says too.
 * The last line says what was counted. Exit status: 0 all right; 1 something was wrong; 2 it cannot
 * run like this; 77 this build does not encrypt. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/durable/durable.h"
#include "engine/seal/seal.h"
#include "engine/wal/format.h"
#include "tests/support/campaign.h"
#include "tests/support/check.h"
#include "tests/support/directory.h"
#include "tests/support/engine.h"
#include "tests/support/prng.h"
#include "tests/support/threads.h"

#define TIMES      100
#define SUBMITTERS 4
#define FLYERS     2  /* of these */
#define IN_FLIGHT  50 /* of each of them */
#define WORKERS    2
#define YEAR_NS    (UINT64_C(365) * 24 * 3600 * 1000000000)
#define WAITING    2000 /* jobs in a child, at most */

/* What a child tells, in one write. */
enum news {
    NEWS_ACKNOWLEDGED = 1,
    NEWS_RAN,
    NEWS_ENDED,
    NEWS_CANCELS, /* is about to */
    NEWS_CANCELLED,
    NEWS_THERE,
    NEWS_ALL
};

struct message {
    uint32_t news;
    uint32_t worker; /* RAN, ENDED */
    uint64_t number; /* ENDED: so many runs of that worker have durable ends */
};

/* ---- the child ------------------------------------------------------------------------------- */

enum kind { KIND_PLAIN, KIND_LATER, KIND_RETRY, KIND_NEVER, KIND_COUNT };

static enum kind
kind_of(uint64_t number)
{
    return number % 8 < 5 ? KIND_PLAIN : (enum kind)(number % 8 - 4);
}

struct child {
    struct leat_engine *engine;
    leat_type type;
    int news;
    uint64_t first;
    leat_atomic_u64 ran[WORKERS];
    enum leat_durability durability;
    bool drains;
};

struct submitter {
    struct child *child;
    uint32_t place;
};

static void
tell(const struct child *child, enum news news, uint32_t worker, uint64_t number)
{
    const struct message message = {news, worker, number};
    if (write(child->news, &message, sizeof(message)) != (ssize_t)sizeof(message)) {
        _exit(3); /* nobody listens any more */
    }
}

static struct leat_outcome
job_run(struct leat_run *run, void *context)
{
    struct child *child = context;
    uint64_t number = 0;
    memcpy(&number, leat_run_payload(run, NULL), sizeof(number));
    if (kind_of(number) == KIND_RETRY && leat_run_attempt(run) == 1) {
        return leat_retry_in(1000000);
    }
    uint32_t worker = leat_run_worker(run);
    tell(child, NEWS_RAN, worker, number);
    (void)atom_add_rlx(&child->ran[worker], 1);
    return leat_done();
}

static void
acknowledged(struct child *child, uint64_t number, leat_job_id id)
{
    tell(child, NEWS_ACKNOWLEDGED, 0, number);
    if (kind_of(number) == KIND_NEVER) {
        tell(child, NEWS_CANCELS, 0, number);
        CHECK_OK(leat_cancel(child->engine, id));
        tell(child, NEWS_CANCELLED, 0, number);
    }
}

/* Without a queue it waits. */
static void
submit_one(struct child *child, uint64_t number, struct leat_completion_queue *queue)
{
    char name[32];
    leat_job_id id;
    struct leat_job job = leat_job_default();
    struct leat_job_options options = leat_job_options_default();
    enum kind kind = kind_of(number);
    job.type = child->type;
    job.payload = &number;
    job.payload_bytes = sizeof(number);
    memcpy(&job.user, &number, sizeof(job.user));
    job.options = &options;
    options.acknowledgements = queue;
    if (kind == KIND_LATER) {
        job.delay_ns = 5000000;
    }
    if (kind == KIND_NEVER) {
        (void)snprintf(name, sizeof(name), "%" PRIu64, number);
        options.name = name;
        job.delay_ns = YEAR_NS;
    }
    enum leat_status status = leat_submit(child->engine, &job, &id);
    while (status == LEAT_FULL && queue != NULL) { /* of the log's ring */
        (void)usleep(100);
        status = leat_submit(child->engine, &job, &id);
    }
    CHECK_OK(status);
    if (queue == NULL) {
        acknowledged(child, number, id);
    }
}

/* Hears of what was submitted; of at least one. Returns of how many. */
static uint32_t
hear_some(struct child *child, struct leat_completion_queue *queue)
{
    struct leat_completion items[8];
    size_t taken = 0;
    while (leat_completion_queue_take(queue, items, TEST_COUNT_OF(items), &taken) != LEAT_OK) {
        (void)usleep(100);
    }
    for (size_t i = 0; i < taken; i++) {
        CHECK_OK(items[i].status);
        uint64_t number = 0;
        memcpy(&number, &items[i].user, sizeof(number));
        acknowledged(child, number, items[i].id);
    }
    return (uint32_t)taken;
}

static void *
submitter_run(void *argument)
{
    const struct submitter *submitter = argument;
    struct child *child = submitter->child;
    struct leat_completion_queue *queue = NULL;
    uint32_t flying = 0;
    if (submitter->place < FLYERS) {
        CHECK_OK(leat_completion_queue_create(child->engine, IN_FLIGHT, &queue));
    }
    for (uint64_t i = 0;; i++) {
        while (test_statistics(child->engine).jobs_waiting > WAITING) {
            (void)usleep(1000);
        }
        submit_one(child, child->first + i * SUBMITTERS + submitter->place, queue);
        flying += queue != NULL ? 1 : 0;
        flying -= flying == IN_FLIGHT ? hear_some(child, queue) : 0;
    }
    return NULL;
}

/* Says again and again how many runs of each worker have durable ends: of a worker that has begun
 * another run since, the ends of those before are appended. */
static void
ends_tell(struct child *child)
{
    uint64_t before[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++) {
        before[i] = atom_load_rlx(&child->ran[i]);
    }
    CHECK_OK(leat_durable_wait_all(child->engine, child->durability));
    for (uint32_t i = 0; i < WORKERS; i++) {
        if (before[i] > 1) {
            tell(child, NEWS_ENDED, i, before[i] - 1);
        }
    }
}

/* All that waits runs; what never would is named. */
static void
drain(struct child *child)
{
    leat_job_id ids[64];
    size_t count = 0;
    for (;;) {
        struct leat_statistics sum = test_statistics(child->engine);
        struct leat_job_query query = leat_job_query_default();
        query.states = LEAT_STATE_MASK(LEAT_JOB_PENDING) | LEAT_STATE_MASK(LEAT_JOB_RETRYING) |
                       LEAT_STATE_MASK(LEAT_JOB_RUNNING);
        CHECK_OK(leat_job_list(child->engine, &query, ids, 1, &count));
        if (count == 0 && sum.jobs_waiting == 0) {
            break;
        }
        (void)usleep(1000);
    }
    (void)usleep(50000); /* those that were delayed for a moment */
    CHECK_OK(leat_drain(child->engine, LEAT_FOREVER));
    struct leat_job_query query = leat_job_query_default();
    query.states = LEAT_STATE_MASK(LEAT_JOB_SCHEDULED);
    do {
        CHECK_OK(leat_job_list(child->engine, &query, ids, TEST_COUNT_OF(ids), &count));
        for (size_t i = 0; i < count; i++) {
            char name[LEAT_JOB_NAME_BYTES_MAX + 1];
            CHECK_OK(leat_job_name(child->engine, ids[i], name, sizeof(name)));
            tell(child, NEWS_THERE, 0, strtoull(name, NULL, 10));
        }
    } while (count == TEST_COUNT_OF(ids));
    tell(child, NEWS_ALL, 0, 0);
}

/* OF_ENGINE: it is none of both. */
static enum leat_durability
durability_of(const char *word)
{
    if (strcmp(word, "os") == 0) {
        return LEAT_DURABILITY_OS;
    }
    return strcmp(word, "group") == 0 ? LEAT_DURABILITY_GROUP : LEAT_DURABILITY_OF_ENGINE;
}

static int
child_main(char **argv)
{
    static struct child child;
    struct submitter submitters[SUBMITTERS];
    pthread_t thread;
    child.news = (int)strtol(argv[3], NULL, 10);
    child.first = strtoull(argv[4], NULL, 10);
    child.drains = strcmp(argv[5], "drain") == 0;
    struct leat_config config = test_config();
    config.workers = WORKERS;
    config.jobs_max = 65536;
    config.retained_max = 0;
    config.log_directory = argv[2];
    config.log_segment_bytes = UINT64_C(1) << 18;
    config.log_ring_bytes = UINT64_C(1) << 16;
    config.payload_bytes_max = 4096;
    config.quarantine_after = 0; /* whom a kill meets is no one's fault */
    config.durability = durability_of(argv[6]);
    config.log_key_file = argv[7][0] == 0 ? NULL : argv[7];
    child.durability = config.durability;
    child.engine = test_open(&config);
    child.type = test_register(child.engine, "job", job_run, &child);
    CHECK_OK(leat_start(child.engine));
    if (child.drains) {
        drain(&child);
        test_close(child.engine);
        return 0;
    }
    for (uint32_t i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){&child, i};
        CHECK(pthread_create(&thread, NULL, submitter_run, &submitters[i]) == 0);
    }
    for (;;) {
        ends_tell(&child);
        (void)usleep(500);
    }
}

/* ---- who hears ------------------------------------------------------------------------------- */

#define ACKNOWLEDGED 1U
#define CANCELLED    2U
#define THERE        4U
#define COVERED      8U /* its end was durable */
#define CANCELS      16U

struct oracle {
    unsigned char *flags; /* by number */
    unsigned char *runs;
    uint64_t room;
    uint64_t next;          /* number that no child was told */
    uint64_t *ran[WORKERS]; /* numbers, in this child's life */
    uint64_t ran_room;
    uint64_t count[WORKERS];
    uint64_t ended[WORKERS];
    uint64_t bound;
    uint64_t beyond; /* ran again, though the end was durable */
    const char *durability;
    const char *key; /* file; "": it is not encrypted */
    const char *directory;
    uint64_t late;    /* kills behind the first 80 ms */
    uint64_t cleaned; /* of these, behind a cleaning */
    bool all;
};

static void
number_room(struct oracle *oracle, uint64_t number)
{
    if (number >= oracle->room) {
        uint64_t room = (number + 1) * 2;
        oracle->flags = realloc(oracle->flags, room);
        oracle->runs = realloc(oracle->runs, room);
        CHECK(oracle->flags != NULL && oracle->runs != NULL);
        memset(oracle->flags + oracle->room, 0, room - oracle->room);
        memset(oracle->runs + oracle->room, 0, room - oracle->room);
        oracle->room = room;
    }
    oracle->next = number >= oracle->next ? number + 1 : oracle->next;
}

static void
ran(struct oracle *oracle, uint32_t worker, uint64_t number)
{
    if (oracle->count[worker] == oracle->ran_room) {
        oracle->ran_room = oracle->ran_room * 2 + 1024;
        for (uint32_t i = 0; i < WORKERS; i++) {
            oracle->ran[i] = realloc(oracle->ran[i], sizeof(uint64_t) * oracle->ran_room);
            CHECK(oracle->ran[i] != NULL);
        }
    }
    oracle->ran[worker][oracle->count[worker]++] = number;
    oracle->beyond += (oracle->flags[number] & COVERED) != 0 ? 1 : 0;
    oracle->runs[number]++;
}

static void
hear(struct oracle *oracle, const struct message *message)
{
    if (message->news == NEWS_ALL) {
        oracle->all = true;
        return;
    }
    CHECK(message->worker < WORKERS);
    if (message->news == NEWS_ENDED) {
        oracle->ended[message->worker] = message->number;
        return;
    }
    number_room(oracle, message->number);
    switch ((enum news)message->news) {
    case NEWS_ACKNOWLEDGED:
        oracle->flags[message->number] |= ACKNOWLEDGED;
        return;
    case NEWS_CANCELS:
        oracle->flags[message->number] |= CANCELS;
        return;
    case NEWS_CANCELLED:
        oracle->flags[message->number] |= CANCELLED;
        return;
    case NEWS_THERE:
        oracle->flags[message->number] |= THERE;
        return;
    case NEWS_RAN:
        ran(oracle, message->worker, message->number);
        return;
    case NEWS_ENDED:
    case NEWS_ALL:
        break;
    }
    CHECK(false);
}

/* The child is gone. */
static void
round_end(struct oracle *oracle)
{
    for (uint32_t i = 0; i < WORKERS; i++) {
        CHECK(oracle->ended[i] <= oracle->count[i]);
        for (uint64_t j = 0; j < oracle->ended[i]; j++) {
            oracle->flags[oracle->ran[i][j]] |= COVERED;
        }
        oracle->bound += oracle->count[i] - oracle->ended[i];
        oracle->count[i] = 0;
        oracle->ended[i] = 0;
    }
}

static pid_t
child_start(const char *program, const char *directory, struct oracle *oracle, int news,
            bool drains)
{
    char descriptor[16];
    char first[32];
    (void)snprintf(descriptor, sizeof(descriptor), "%d", news);
    /* Numbers on whose way to the pipe a child was killed are given to nobody. */
    oracle->next += UINT64_C(256) * SUBMITTERS;
    (void)snprintf(first, sizeof(first), "%" PRIu64, oracle->next);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        (void)execl(program, program, "--child", directory, descriptor, first,
                    drains ? "drain" : "run", oracle->durability, oracle->key, (char *)NULL);
        _exit(4);
    }
    return child;
}

/* When a child is killed. */
struct death {
    uint64_t after_ns; /* 0: never */
    bool early;        /* counted from its start; else from its first news, however slow it is */
    bool cleaned;      /* as soon as the log was cleaned, behind that if it is sooner */
};

/* Of 16: 11 at once, 3 late, 1 later, 1 behind a cleaning. */
static struct death
death_draw(struct test_prng *prng)
{
    static const uint32_t most_ms[] = {80, 80, 80, 80,  80,  80,  80,   80,
                                       80, 80, 80, 500, 500, 500, 2000, 2000};
    uint32_t draw = test_random_below(prng, 16);
    struct death death = {TEST_MS * (1 + test_random_below(prng, most_ms[draw])),
                          test_random_below(prng, 3) == 0, draw == 15};
    death.after_ns = death.cleaned ? 2000 * TEST_MS : death.after_ns;
    return death;
}

/* The oldest segment that there is. */
static uint64_t
oldest_segment(const char *directory)
{
    uint64_t oldest = UINT64_MAX;
    DIR *stream = opendir(directory);
    CHECK(stream != NULL);
    /* One thread has the stream. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        bool is_new = false;
        uint64_t number = leat_wal_number(entry->d_name, &is_new);
        oldest = number != 0 && !is_new && number < oldest ? number : oldest;
    }
    CHECK(closedir(stream) == 0);
    return oldest;
}

/* What was seen of the log of a child. */
struct cleaning {
    const struct oracle *oracle;
    uint64_t oldest; /* 0: nothing yet */
    uint64_t next_ns;
};

/* A segment is gone. It looks each millisecond. */
static bool
was_cleaned(struct cleaning *cleaning)
{
    uint64_t now_ns = leat_os_monotonic_ns();
    if (now_ns < cleaning->next_ns) {
        return false;
    }
    uint64_t oldest = oldest_segment(cleaning->oracle->directory);
    bool gone = cleaning->oldest != 0 && oldest > cleaning->oldest;
    cleaning->oldest = oldest;
    cleaning->next_ns = now_ns + TEST_MS;
    return gone;
}

/* Until the end of the pipe. */
static void
child_hear(struct oracle *oracle, pid_t child, int news, struct death death)
{
    struct message messages[64];
    uint64_t at_ns = death.early ? leat_os_deadline_ns(death.after_ns) : UINT64_MAX;
    size_t held = 0;
    bool killed = death.after_ns == 0;
    struct cleaning cleaning = {.oracle = oracle};
    for (;;) {
        bool cleaned = !killed && death.cleaned && at_ns != UINT64_MAX && was_cleaned(&cleaning);
        if (!killed && (cleaned || leat_os_monotonic_ns() >= at_ns)) {
            CHECK(kill(child, SIGKILL) == 0);
            killed = true;
            oracle->cleaned += cleaned ? 1 : 0;
        }
        unsigned char *to = (unsigned char *)messages + held;
        ssize_t got = read(news, to, sizeof(messages) - held);
        if (got == 0) {
            break;
        }
        if (got < 0) {
            (void)usleep(200); /* nothing there */
            continue;
        }
        at_ns = at_ns == UINT64_MAX ? leat_os_deadline_ns(death.after_ns) : at_ns;
        held += (size_t)got;
        size_t whole = held / sizeof(struct message);
        for (size_t i = 0; i < whole; i++) {
            hear(oracle, &messages[i]);
        }
        held -= whole * sizeof(struct message);
        memmove(messages, messages + whole, held);
    }
    round_end(oracle);
}

static bool
round_run(struct oracle *oracle, const char *program, const char *directory, struct death death)
{
    int news[2];
    int status = 0;
    CHECK(pipe(news) == 0);
    CHECK(fcntl(news[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(fcntl(news[0], F_SETFD, FD_CLOEXEC) == 0);
    pid_t child = child_start(program, directory, oracle, news[1], death.after_ns == 0);
    CHECK(close(news[1]) == 0);
    child_hear(oracle, child, news[0], death);
    CHECK(close(news[0]) == 0);
    CHECK(waitpid(child, &status, 0) == child);
    bool right = death.after_ns != 0 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL
                                     : WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!right) {
        printf("exit status %d, signal %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 0,
               WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
    return right;
}

static int
judge(const struct oracle *oracle, uint64_t times, uint64_t seed)
{
    uint64_t acknowledged = 0;
    uint64_t lost = 0;
    uint64_t duplicates = 0;
    uint64_t back = 0; /* from the dead */
    for (uint64_t i = 0; i < oracle->room; i++) {
        unsigned char flags = oracle->flags[i];
        bool never = kind_of(i) == KIND_NEVER;
        bool seen = never ? (flags & (CANCELS | THERE)) != 0 : oracle->runs[i] != 0;
        acknowledged += (flags & ACKNOWLEDGED) != 0 ? 1 : 0;
        lost += (flags & ACKNOWLEDGED) != 0 && !seen ? 1 : 0;
        duplicates += oracle->runs[i] > 1 ? oracle->runs[i] - 1U : 0U;
        back +=
            never && (oracle->runs[i] != 0 || (flags & (CANCELLED | THERE)) == (CANCELLED | THERE))
                ? 1
                : 0;
    }
    printf("durability %s, seed %" PRIu64 ", cancelled and back %" PRIu64
           ", run again behind a durable end %" PRIu64 "; %s, kills behind 80 ms %" PRIu64
           ", of these behind a cleaning %" PRIu64 "\n",
           oracle->durability, seed, back, oracle->beyond, oracle->key[0] == 0 ? "plain" : "sealed",
           oracle->late, oracle->cleaned);
    printf("kills %" PRIu64 " acknowledged %" PRIu64 " lost %" PRIu64 " duplicates %" PRIu64
           " bound %" PRIu64 "\n",
           times, acknowledged, lost, duplicates, oracle->bound);
    return lost == 0 && back == 0 && oracle->beyond == 0 && duplicates <= oracle->bound &&
                   acknowledged != 0
               ? 0
               : 1;
}

/* A key beside the log. False: this build cannot encrypt. */
static bool
key_make(const char *path)
{
    static const char key[] = "a key of thirty two bytes, no less";
    if (!leat_seal_encrypts()) {
        return false;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    CHECK(write(file, key, 32) == 32);
    CHECK(close(file) == 0);
    return true;
}

/* The words that only this campaign knows are the last ones. */
static void
words_read(struct oracle *oracle, int *argc, char **argv, bool *seals)
{
    oracle->durability = "group";
    for (bool more = true; more;) {
        more = false;
        if (*argc > 1 && strcmp(argv[*argc - 1], "--seal") == 0) {
            *seals = true;
            *argc -= 1;
            more = true;
        } else if (*argc > 2 && strcmp(argv[*argc - 2], "--durability") == 0 &&
                   durability_of(argv[*argc - 1]) != LEAT_DURABILITY_OF_ENGINE) {
            oracle->durability = argv[*argc - 1];
            *argc -= 2;
            more = true;
        }
    }
}

static int
all_run(struct oracle *oracle, const char *program, uint64_t times, uint64_t seed)
{
    struct test_prng prng = {seed};
    const char *directory = oracle->directory;
    for (uint64_t i = 0; i < times; i++) {
        struct death death = death_draw(&prng);
        oracle->late += death.after_ns > 80 * TEST_MS ? 1 : 0;
        if (!round_run(oracle, program, directory, death)) {
            printf("round %" PRIu64 ": the child ended by itself, seed %" PRIu64 "\n", i, seed);
            return 1;
        }
    }
    if (!round_run(oracle, program, directory, (struct death){.early = true}) || !oracle->all) {
        printf("the last child did not end well; its log is in %s\n", directory);
        return 1;
    }
    return judge(oracle, times, seed);
}

int
main(int argc, char **argv)
{
    static const struct test_campaign asked = {"campaign_kill", "times", TIMES, 1, 10000000};
    static struct oracle oracle;
    static char directory[] = "campaign_kill.XXXXXX";
    static char key[sizeof(directory) + sizeof(".key")];
    uint64_t times = 0;
    uint64_t seed = 0;
    bool seals = false;
    if (argc == 8 && strcmp(argv[1], "--child") == 0) {
        return child_main(argv);
    }
    words_read(&oracle, &argc, argv, &seals);
    test_campaign_read(&asked, argc, argv, &times, &seed);
    CHECK(mkdtemp(directory) != NULL);
    oracle.directory = directory;
    (void)snprintf(key, sizeof(key), "%s.key", directory);
    oracle.key = seals ? key : "";
    if (seals && !key_make(key)) {
        test_directory_remove(directory);
        printf("this build does not encrypt\n");
        return 77;
    }
    int result = all_run(&oracle, argv[0], times, seed);
    if (result == 0) {
        test_directory_remove(directory);
        CHECK(!seals || unlink(key) == 0);
    }
    return result;
}
