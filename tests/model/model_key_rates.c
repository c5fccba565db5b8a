/* model_key_rates.c - the real engine/key_rates.c beside the real engine/keys.c: every interleaving
 * of threads that submit, end and cancel jobs of keys with a rate of one attempt in RATE_NS, with
 * C11 memory; see keys_body.h.
 *
 * rated    the next one in line begins when there is a token, not before; at the end no bucket is
 *          left.
 * rcancel  the one that waits for a token is cancelled, with a hold or without; the next one goes
 *          on when there is a token.
 * rlater   it is given another time, and leaves.
 * rset     time stands still, and the rate is taken away: the one that waits goes on. No wake-up is
 *          lost between who waits and who sets.
 * rfirst   the first rate of the engine is set: who sees it sees the table that is there.
 * ragain   time stands still, and one that has begun comes again, for its next token, while it is
 *          given another time: it does not wait any more.
 * room     there is room for one bucket, and jobs have two keys: both run.
 * In each, a job runs once or is let go of once, all that were not cancelled run, no two attempts
 * of a key begin closer than its rate lets them, and no bucket is left at the end. */
#include "tests/model/keys_body.h"

static const struct scenario scenarios[] = {
    {.name = "key_rated",
     .before = 2,
     .jobs = 2,
     .rated = true,
     .acts = {WORK, TIME},
     .preemptions = 2},
    {.name = "key_rated_comes",
     .before = 1,
     .jobs = 2,
     .rated = true,
     .acts = {SUBMIT(1), WORK, TIME},
     .preemptions = 1},
    {.name = "key_rcancel",
     .before = 3,
     .jobs = 3,
     .rated = true,
     .acts = {CANCEL(1), WORK, TIME},
     .preemptions = 1},
    {.name = "key_rcancel_unheld",
     .before = 3,
     .jobs = 3,
     .rated = true,
     .unheld = true,
     .acts = {CANCEL(1), WORK, TIME},
     .preemptions = 1},
    {.name = "key_rlater",
     .before = 3,
     .jobs = 3,
     .rated = true,
     .acts = {PUT_OFF(1), WORK, TIME},
     .preemptions = 1},
    {.name = "key_rset",
     .before = 2,
     .jobs = 2,
     .rated = true,
     .still = true,
     .acts = {UNRATE, WORK, TIME},
     .preemptions = 1},
    {.name = "key_rfirst", .before = 2, .jobs = 2, .acts = {RATE, WORK, TIME}, .preemptions = 1},
    {.name = "key_ragain",
     .before = 1,
     .jobs = 1,
     .rated = true,
     .still = true,
     .snoozes = true,
     .ran = true,
     .acts = {AGAIN(0), PUT_OFF(0)}},
    {.name = "key_room",
     .before = 3,
     .jobs = 3,
     .rated = true,
     .room = 1,
     .two = true,
     .acts = {WORK, TIME},
     .preemptions = 1},
    {.name = "key_room_deep",
     .before = 3,
     .jobs = 3,
     .rated = true,
     .room = 1,
     .two = true,
     .acts = {WORK, TIME},
     .preemptions = 2,
     .deep = true},
};

int
main(void)
{
    return explore_keys(scenarios, sizeof(scenarios) / sizeof(scenarios[0])) ? 0 : 1;
}
