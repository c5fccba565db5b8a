/* policies.c - a few retry policies, and what they come to by their description. */
#include "tests/reference/reference.h"

#define DAY  (UINT64_C(24) * 60 * 60 * REF_S)
#define YEAR (UINT64_C(366) * DAY)

static const uint64_t list[] = {0, 2 * REF_MS, 30 * REF_MS};

/* As a host's: twice, then no more. */
static uint64_t
function(const struct leat_failure *failure, void *context)
{
    (void)context;
    return failure->attempt < 3 ? failure->attempt * REF_MS : LEAT_FOREVER;
}

struct leat_retry_policy
ref_policy(uint32_t number)
{
    struct leat_retry_policy policy = leat_retry_policy_default();
    switch (number) {
    case 1:
        return leat_retry_fixed(0);
    case 2:
        return leat_retry_fixed(5 * REF_MS);
    case 3:
        return leat_retry_list(list, 3);
    case 4:
        policy = leat_retry_exponential(REF_MS, 3);
        policy.delay_ns_max = 20 * REF_MS;
        break;
    case 5:
        policy.kind = LEAT_RETRY_FUNCTION;
        policy.function = function;
        break;
    case 6:
        policy = leat_retry_fixed(10 * REF_MS);
        policy.jitter_percent = 50;
        break;
    case REF_POLICY_BAD:
        return leat_retry_list(list, 0);
    default:
        break;
    }
    return policy;
}

static uint64_t
middle(uint32_t number, uint64_t attempt)
{
    uint64_t delay_ns = 0;
    switch (number) {
    case REF_POLICY_OURS:
        delay_ns = REF_S * attempt * attempt * attempt * attempt;
        return delay_ns < YEAR ? delay_ns : YEAR;
    case 2:
        return 5 * REF_MS;
    case 3:
        return list[attempt < 3 ? attempt - 1 : 2];
    case 4:
        for (delay_ns = REF_MS; attempt > 1 && delay_ns < 20 * REF_MS; attempt--) {
            delay_ns *= 3;
        }
        return delay_ns < 20 * REF_MS ? delay_ns : 20 * REF_MS;
    case 5:
        return attempt < 3 ? attempt * REF_MS : LEAT_FOREVER;
    case 6:
        return 10 * REF_MS;
    default:
        break;
    }
    return 0;
}

bool
ref_policy_delay(uint32_t number, uint32_t attempt, uint64_t *low_ns, uint64_t *high_ns)
{
    uint64_t delay_ns = middle(number, attempt);
    uint64_t percent = number == REF_POLICY_OURS ? 10 : 0;
    percent = number == 6 ? 50 : percent;
    if (delay_ns == LEAT_FOREVER) {
        return false;
    }
    uint64_t reach_ns = delay_ns * percent / 100;
    *low_ns = delay_ns - reach_ns;
    *high_ns = delay_ns + reach_ns;
    return true;
}
