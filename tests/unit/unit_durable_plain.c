/* unit_durable_plain.c - a content is plain only where nothing is said beside type, queue and
 * payload: an open leaves the options of such a job out, so each option that is said alone makes it
 * another one. */
#include <string.h>

#include "engine/durable/record.h"
#include "tests/support/check.h"

#define PAYLOAD "payload"

enum said {
    SAID_NOTHING,
    SAID_NAME,
    SAID_KEY,
    SAID_UNIQUE,
    SAID_TAG,
    SAID_RETRY,
    SAID_TIMEOUT,
    SAID_EXPIRY,
    SAID_ORDER,
    SAID_SUBMITTER,
    SAID_WATCH,
    SAID_COUNT
};

static void
say(struct leat_durable_job *job, enum said said)
{
    static const char *const tags[] = {"tag"};
    struct leat_job_options *options = &job->options;
    options->name = said == SAID_NAME ? "name" : NULL;
    options->key = said == SAID_KEY ? "key" : NULL;
    options->key_bytes = said == SAID_KEY ? 3 : 0;
    options->unique_key = said == SAID_UNIQUE ? "key" : NULL;
    options->unique_key_bytes = said == SAID_UNIQUE ? 3 : 0;
    options->tags = said == SAID_TAG ? tags : NULL;
    options->tags_count = said == SAID_TAG ? 1 : 0;
    job->retry = leat_retry_policy_default();
    options->retry = said == SAID_RETRY ? &job->retry : NULL;
    options->timeout_ns = said == SAID_TIMEOUT ? 5 : options->timeout_ns;
    options->expires_in_ns = said == SAID_EXPIRY ? 5 : options->expires_in_ns;
    options->order_priority = said == SAID_ORDER ? 5 : 0;
    options->submitter.bits = said == SAID_SUBMITTER ? 5 : 0;
    job->watch.member_of = said == SAID_WATCH ? 5 : 0;
}

static void
test_each(void **state)
{
    unsigned char bytes[512];
    (void)state;
    for (enum said said = SAID_NOTHING; said < SAID_COUNT; said++) {
        struct leat_durable_job read;
        struct leat_durable_found found;
        struct leat_job job = leat_job_default();
        job.payload_bytes = sizeof(PAYLOAD);
        CHECK_OK(leat_durable_job_read(&read, &job));
        read.type = "type";
        read.queue = "queue";
        read.sequence = 77;
        say(&read, said);
        size_t count = leat_durable_content_put(&read, bytes, sizeof(bytes));
        memcpy(bytes + count, PAYLOAD, sizeof(PAYLOAD));
        count += sizeof(PAYLOAD);
        CHECK_OK(leat_durable_content_read(&found, bytes, count));
        CHECK_EQUAL(found.plain, said == SAID_NOTHING);
        uint64_t sequence = 0;
        CHECK_OK(leat_durable_sequence_read(&sequence, bytes, count));
        CHECK_EQUAL(sequence, 77);
    }
}

/* When it was submitted is known from the whole head of a content on. */
static void
test_sequence(void **state)
{
    const struct leat_durable_content content = {.sequence = 5};
    uint64_t sequence = 0;
    unsigned char bytes[sizeof(content)];
    (void)state;
    memcpy(bytes, &content, sizeof(content));
    CHECK_STATUS(leat_durable_sequence_read(&sequence, bytes, sizeof(bytes) - 1), LEAT_CORRUPT);
    CHECK_EQUAL(sequence, 0);
    CHECK_OK(leat_durable_sequence_read(&sequence, bytes, sizeof(bytes)));
    CHECK_EQUAL(sequence, 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
