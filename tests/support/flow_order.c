/* flow_order.c - see flow.h: which jobs are submitted, what a submit may answer,
 * and what attempts do. */
#include <stdio.h>

#include "ring/os.h"
#include "tests/support/flow.h"

#define MS UINT64_C(1000000)

static const char *const tag_text = "flow";

static void
order_names(struct flow *flow, struct flow_order *order, struct test_prng *prng, bool plain)
{
    struct leat_job_options *options = &order->options;
    struct flow_ticket *ticket = order->ticket;
    if (test_random_below(prng, 8) == 0) {
        ticket->unique = test_random_below(prng, FLOW_KEYS);
        (void)snprintf(order->unique, sizeof(order->unique), "u%u", ticket->unique);
        order->job.type = flow->types[ticket->unique % FLOW_TYPES];
        options->unique_key = order->unique;
        options->unique_key_bytes = strlen(order->unique);
        options->unique_conflict =
            plain ? LEAT_UNIQUE_REJECT : (enum leat_unique_conflict)test_random_below(prng, 4);
        options->unique_scope = (enum leat_unique_scope)(ticket->unique % 4 % 3);
        options->unique_for_ns = options->unique_scope == LEAT_UNIQUE_FOR_TIME ? 3 * MS : 0;
    }
    if (test_random_below(prng, 8) == 0) {
        order->name = test_random_below(prng, FLOW_KEYS);
        (void)snprintf(order->name_text, sizeof(order->name_text), "n%u", order->name);
        options->name = order->name_text;
    }
    ticket->label.stays = ticket->unique != FLOW_KEYS || order->name != FLOW_KEYS;
    if (ticket->label.stays) {
        order->job.max_attempts = 1000;
        uint32_t serial = (uint32_t)(atom_load_acq(&ticket->word) >> 32);
        atom_store_rel(&ticket->changed, serial); /* by one that debounces it */
    } else if (test_random_below(prng, 8) == 0) {
        options->expires_in_ns = (1 + test_random_below(prng, 20)) * MS;
        ticket->expires = leat_os_boot_ns() + options->expires_in_ns;
    }
}

static void
order_times(struct flow_order *order, struct test_prng *prng)
{
    uint32_t way = test_random_below(prng, 8);
    if (way < 2) {
        order->job.delay_ns = test_random_below(prng, 4000) * UINT64_C(1000);
        atom_store_rel(&order->ticket->due, leat_os_boot_ns() + order->job.delay_ns);
    } else if (way == 2) {
        order->options.run_at_ns =
            leat_os_wall_ns() + test_random_below(prng, 3000) * UINT64_C(1000);
    }
    if (order->options.block_ns == 0) {
        order->options.block_ns = 1 + test_random_below(prng, 1000) * 1000;
    }
}

bool
flow_order(struct flow *flow, struct flow_order *order, uint32_t thread, struct test_prng *prng,
           bool plain)
{
    static leat_atomic_u32 orders[FLOW_KEYS][FLOW_THREADS];
    struct flow_ticket *ticket = flow_claim(flow, test_random_below(prng, FLOW_TICKETS));
    if (ticket == NULL) {
        return false;
    }
    *order = (struct flow_order){.ticket = ticket,
                                 .job = leat_job_default(),
                                 .options = leat_job_options_default(),
                                 .name = FLOW_KEYS};
    ticket->unique = FLOW_KEYS;
    ticket->expires = LEAT_FOREVER;
    ticket->label.queue = test_random_below(prng, FLOW_QUEUES);
    ticket->kept = test_random_below(prng, 8) == 0;
    ticket->label.thread = thread;
    ticket->label.key = test_random_below(prng, 3 * FLOW_KEYS);
    if (ticket->label.key > FLOW_KEYS || ticket->label.queue == FLOW_REVIVED) {
        ticket->label.key = FLOW_KEYS;
    }
    order->job.type = flow->types[test_random_below(prng, FLOW_TYPES)];
    order->job.queue = flow->queues[ticket->label.queue].handle;
    order->job.payload = order->payload;
    order->job.payload_bytes = sizeof(ticket->label) + test_random_below(prng, 160);
    order->job.priority = plain ? LEAT_PRIORITY_NORMAL : test_random_below(prng, 8);
    order->job.max_attempts = 1 + test_random_below(prng, 4);
    order->job.flags = ticket->kept ? LEAT_JOB_KEEP_RESULT : 0;
    order->job.completions = flow->ends;
    order->job.user = ticket;
    order->options.tags = &tag_text;
    order->options.tags_count = test_random_below(prng, 2);
    order_names(flow, order, prng, plain);
    order_times(order, prng);
    if (ticket->label.key != FLOW_KEYS) {
        (void)snprintf(order->key, sizeof(order->key), "k%u", ticket->label.key);
        order->options.key = order->key;
        order->options.key_bytes = strlen(order->key);
    }
    bool promised = ticket->label.key != FLOW_KEYS && order->job.delay_ns == 0 &&
                    order->options.run_at_ns == 0 && ticket->unique == FLOW_KEYS;
    ticket->label.order = promised ? atom_add_rlx(&orders[ticket->label.key][thread], 1) + 1 : 0;
    memcpy(order->payload, &ticket->label, sizeof(ticket->label));
    order->closed = atom_load_acq(&flow->queues[ticket->label.queue].closed);
    return true;
}

static bool
lives(struct flow *flow, leat_job_id id)
{
    struct leat_job_info info = leat_job_info_default();
    return id.bits != 0 && leat_get(flow->engine, id, &info) == LEAT_OK &&
           info.state < LEAT_JOB_COMPLETED;
}

/* Both were taken before this: if one lives, and then the other, they do at the same time. */
static void
only_one(struct flow *flow, leat_atomic_u64 *last, leat_job_id id, const char *what)
{
    leat_job_id before = {atom_swap_acq_rel(last, id.bits)};
    if (before.bits != id.bits && lives(flow, before) && lives(flow, id)) {
        flow_illegal(flow, what, NULL);
    }
}

static void
order_taken(struct flow *flow, const struct flow_order *order, leat_job_id id)
{
    const struct flow_ticket *ticket = order->ticket;
    (void)atom_add_rlx(&flow->submitted, 1);
    if ((order->closed & 1) != 0 &&
        atom_load_acq(&flow->queues[ticket->label.queue].closed) == order->closed) {
        flow_illegal(flow, "a queue that is closed took it", ticket);
    }
    if (ticket->unique != FLOW_KEYS && order->options.unique_scope == LEAT_UNIQUE_UNTIL_FINISHED) {
        only_one(flow, &flow->unique_last[ticket->unique], id, "two with a unique key");
    }
    if (order->name != FLOW_KEYS) {
        only_one(flow, &flow->name_last[order->name], id, "two with a name");
    }
}

void
flow_ordered(struct flow *flow, const struct flow_order *order, enum leat_status status,
             leat_job_id id)
{
    bool named = order->ticket->unique != FLOW_KEYS || order->name != FLOW_KEYS;
    bool legal = status == LEAT_OK || status == LEAT_FULL || status == LEAT_CLOSED ||
                 (status == LEAT_TIMEOUT && order->ticket->label.queue == FLOW_BLOCKS) ||
                 (named && (status == LEAT_EXISTS || status == LEAT_BUSY)) ||
                 (status == LEAT_JOINED && order->ticket->unique != FLOW_KEYS);
    if (!legal || (id.bits != 0) != (status == LEAT_OK || status == LEAT_JOINED)) {
        flow_expect(flow, legal ? LEAT_INVALID : status, LEAT_OK, "leat_submit");
    }
    if (status == LEAT_OK) {
        order_taken(flow, order, id);
    } else {
        id.bits = 0;
    }
    flow_submitted(flow, order->ticket, id);
}

struct leat_outcome
flow_answer(const struct flow_attempt *attempt, struct test_prng *prng)
{
    uint64_t delay_ns = test_random_below(prng, 3) * MS / 2;
    switch (test_random_below(prng, 16)) {
    case 0:
        return leat_retry_in(delay_ns);
    case 1:
        return leat_snooze(delay_ns);
    case 2:
        return attempt->label.stays ? leat_done() : leat_fail();
    case 3:
        return leat_retry();
    default:
        return leat_done();
    }
}
