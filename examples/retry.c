/* retry.c - jobs that fail, and what becomes of them: one that succeeds at its third attempt, one
 * that is beyond help at once, and some that use all attempts up. The dead letters are read with
 * their reasons and attempts; when the fault is repaired, those that may succeed are brought back,
 * and the other one is deleted. */
#include <leat.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS UINT64_C(1000000)

static atomic_bool host_is_down = true;

/* Delivers to an address: "flaky" fails twice, "nobody" for ever, "down" until it is repaired. */
static struct leat_outcome
deliver(struct leat_run *run, void *context)
{
    const char *address = leat_run_payload(run, NULL);
    (void)context;
    if (strcmp(address, "nobody") == 0) {
        return leat_fail_because(run, "there is no such address");
    }
    if (strcmp(address, "flaky") == 0 && leat_run_attempt(run) < 3) {
        return leat_retry_because(run, "the line was busy");
    }
    if (strcmp(address, "down") == 0 && atomic_load(&host_is_down)) {
        return leat_retry_because(run, "the host does not answer");
    }
    return leat_done();
}

static leat_job_id
submit(struct leat_engine *engine, const char *address)
{
    struct leat_job job = leat_job_default();
    leat_job_id id = {0};
    job.type_name = "deliver";
    job.payload = address;
    job.payload_bytes = strlen(address) + 1;
    job.flags = LEAT_JOB_KEEP_RESULT; /* so that leat_wait() finds it */
    return leat_submit(engine, &job, &id) == LEAT_OK ? id : (leat_job_id){0};
}

/* Waits for the end and says whether it is the one that was expected. */
static bool
ends(struct leat_engine *engine, leat_job_id id, enum leat_job_state state, uint32_t attempts)
{
    struct leat_job_info info = leat_job_info_default();
    if (leat_wait(engine, id, LEAT_FOREVER, &info) != LEAT_OK) {
        return false;
    }
    printf("%s after %u attempts\n", leat_job_state_text(info.state), info.attempts);
    return info.state == state && info.attempts == attempts;
}

/* A job is DEAD a moment before it is among the dead letters. */
static bool
letters_come_to(struct leat_engine *engine, uint64_t count)
{
    const struct timespec moment = {0, 1000000};
    struct leat_statistics now = leat_statistics_default();
    while (leat_statistics_get(engine, &now) == LEAT_OK && now.dead_letters < count) {
        (void)nanosleep(&moment, NULL);
    }
    return now.dead_letters == count;
}

/* Prints each dead letter with the attempts that led there. */
static bool
read_letters(struct leat_engine *engine)
{
    struct leat_dead_query query = leat_dead_query_default();
    leat_job_id ids[8];
    size_t count = 0;
    size_t read = 0;
    if (leat_dead_list(engine, &query, ids, 8, &count) != LEAT_OK) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct leat_job_info info = leat_job_info_default();
        static struct leat_attempt_info attempts[LEAT_ATTEMPTS_KEPT];
        char address[16] = "";
        size_t known = 0;
        attempts[0] = leat_attempt_info_default();
        if (leat_get(engine, ids[i], &info) != LEAT_OK ||
            leat_job_payload(engine, ids[i], address, sizeof(address), NULL) != LEAT_OK ||
            leat_job_attempts(engine, ids[i], attempts, LEAT_ATTEMPTS_KEPT, &known) != LEAT_OK) {
            return false;
        }
        printf("dead letter to %s: %s\n", address, leat_reason_text(info.reason));
        for (size_t k = 0; k < known; k++) {
            printf("  attempt %u: %s\n", attempts[k].attempt, attempts[k].error);
        }
        read += known;
    }
    return count == 3 && read == 1 + 3 + 3;
}

static bool
run(struct leat_engine *engine)
{
    static const uint64_t delays[] = {1 * MS, 5 * MS};
    const struct leat_retry_policy policy = leat_retry_list(delays, 2);
    struct leat_type_options options = leat_type_options_default();
    options.retry = &policy; /* and three attempts, as by default */
    if (leat_type_register(engine, "deliver", deliver, NULL, &options, NULL) != LEAT_OK ||
        leat_start(engine) != LEAT_OK) {
        return false;
    }
    leat_job_id flaky = submit(engine, "flaky");
    leat_job_id nobody = submit(engine, "nobody");
    leat_job_id down[2] = {submit(engine, "down"), submit(engine, "down")};
    bool ok = ends(engine, flaky, LEAT_JOB_COMPLETED, 3);
    ok = ends(engine, nobody, LEAT_JOB_DEAD, 1) && ok;
    ok = ends(engine, down[0], LEAT_JOB_DEAD, 3) && ends(engine, down[1], LEAT_JOB_DEAD, 3) && ok;
    ok = letters_come_to(engine, 3) && read_letters(engine) && ok;

    /* The host is repaired: what died of that has all its attempts again. */
    struct leat_dead_query of_attempts = leat_dead_query_default();
    size_t back = 0;
    atomic_store(&host_is_down, false);
    of_attempts.reason = LEAT_REASON_ATTEMPTS;
    ok = leat_dead_retry_all(engine, &of_attempts, leat_when_now(), &back) == LEAT_OK && ok;
    printf("%zu brought back\n", back);
    ok = ends(engine, down[0], LEAT_JOB_COMPLETED, 1) &&
         ends(engine, down[1], LEAT_JOB_COMPLETED, 1) && back == 2 && ok;
    return leat_dead_delete(engine, nobody) == LEAT_OK && letters_come_to(engine, 0) && ok;
}

int
main(void)
{
    struct leat_engine *engine = NULL;
    if (leat_open(NULL, &engine, NULL) != LEAT_OK) {
        return 1;
    }
    bool ok = run(engine);
    ok = leat_stop(engine, LEAT_FOREVER) == LEAT_OK && leat_close(engine) == LEAT_OK && ok;
    printf("%s\n", ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
