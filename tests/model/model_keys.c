/* model_keys.c - the real engine/keys.c with the swaps of engine/job.c: every interleaving of
 * threads that submit, end and cancel jobs of one key, with C11 memory. What is put on by the key
 * comes to a place of one job, from which a worker takes it; a worker ends a job, and a canceller
 * cancels it, with the swaps of retain.c and look.c.
 *
 * submit   two threads submit, and workers run what comes: both jobs run, one at a time, and what
 *          one handler wrote is seen by the next; the key is gone at the end. Who has submitted and
 *          finds nothing on its way finds its job let in: a drain relies on that.
 * end      a job ends while another one comes: it takes the key, or finds it gone.
 * line     one in line is cancelled while the key is handed on.
 * holder   the one that has the key is cancelled while a worker takes it, and while one comes.
 * early    one is cancelled while it comes.
 * unheld   as holder, by one who has no hold: the key is handed on when the place lets go.
 * stuck    holder and early where nobody takes the cancelled one from its place: the next one goes
 *          on all the same. One that was cancelled in line before is not given the key.
 * later    one that has the key, and one in line, is given another time: it leaves, and the next
 *          one goes on; it goes to a wheel, which here is as if it were due never.
 * snoozed  one that has the key is given another time, comes due, begins and is snoozed, while the
 *          look for that other time is answered: it keeps its key.
 * first    two threads make the first key of the engine: of the two tables one stays.
 * none     the same where there is no memory for one.
 * forgets  And if nobody sees to what is cancelled, its block is freed while others stand behind.
 * In each, a job runs once or is let go of once, not both; and all that were not cancelled run.
 */
#include "tests/model/keys_body.h"

static const struct scenario scenarios[] = {
    {.name = "keys_submit", .jobs = 2, .acts = {SUBMIT(0), SUBMIT(1), WORK}, .preemptions = 1},
    {.name = "keys_submit_deep",
     .jobs = 2,
     .acts = {SUBMIT(0), SUBMIT(1), WORK},
     .preemptions = 2,
     .deep = true},
    {.name = "keys_submit_2w",
     .jobs = 2,
     .acts = {SUBMIT(0), SUBMIT(1), WORK, WORK},
     .preemptions = 1},
    {.name = "keys_end", .before = 1, .jobs = 2, .acts = {SUBMIT(1), WORK}},
    {.name = "keys_line", .before = 3, .jobs = 3, .acts = {CANCEL(1), WORK}},
    {.name = "keys_line_2w",
     .before = 3,
     .jobs = 3,
     .acts = {CANCEL(1), WORK, WORK},
     .preemptions = 1},
    {.name = "keys_holder", .before = 2, .jobs = 2, .acts = {CANCEL(0), WORK}},
    {.name = "keys_holder_comes",
     .before = 1,
     .jobs = 2,
     .acts = {CANCEL(0), SUBMIT(1), WORK},
     .preemptions = 1},
    {.name = "keys_early",
     .jobs = 2,
     .acts = {SUBMIT(0), CANCEL(0), SUBMIT(1), WORK},
     .preemptions = 1},
    {.name = "keys_early_line",
     .before = 1,
     .jobs = 2,
     .acts = {SUBMIT(1), CANCEL(1), WORK},
     .preemptions = 1},
    {.name = "keys_early_line_deep",
     .before = 1,
     .jobs = 2,
     .acts = {SUBMIT(1), CANCEL(1), WORK},
     .preemptions = 2,
     .deep = true},
    {.name = "keys_unheld", .before = 2, .jobs = 2, .unheld = true, .acts = {CANCEL(0), WORK}},
    {.name = "keys_unheld_line", .before = 3, .jobs = 3, .unheld = true, .acts = {CANCEL(1), WORK}},
    {.name = "keys_stuck", .before = 2, .jobs = 2, .stuck = 1, .acts = {CANCEL(0), WORK}},
    {.name = "keys_stuck_line",
     .before = 3,
     .jobs = 3,
     .unheld = true,
     .cancelled = 2,
     .stuck = 2,
     .acts = {WORK}},
    {.name = "keys_stuck_early",
     .jobs = 2,
     .stuck = 1,
     .acts = {SUBMIT(0), CANCEL(0), SUBMIT(1), WORK},
     .preemptions = 1},
    {.name = "keys_later", .before = 2, .jobs = 2, .acts = {PUT_OFF(0), WORK}},
    {.name = "keys_later_line", .before = 3, .jobs = 3, .acts = {PUT_OFF(1), WORK}},
    {.name = "keys_later_early",
     .before = 1,
     .jobs = 2,
     .acts = {SUBMIT(1), PUT_OFF(1), WORK},
     .preemptions = 1},
    {.name = "keys_snoozed",
     .before = 2,
     .jobs = 2,
     .snoozes = true,
     .acts = {PUT_OFF(0), WORK},
     .preemptions = 3},
    {.name = "keys_first", .jobs = 2, .first = true, .acts = {MAKE(0), MAKE(1)}},
    {.name = "keys_none", .jobs = 2, .first = true, .none = true, .acts = {MAKE(0), MAKE(1)}},
    {.name = "keys_forgets",
     .before = 2,
     .jobs = 2,
     .unheld = true,
     .forgets = true,
     .acts = {CANCEL(0), WORK},
     .fails = "LEAT_KEY_OUTSIDE"},
};

int
main(void)
{
    return explore_keys(scenarios, sizeof(scenarios) / sizeof(scenarios[0])) ? 0 : 1;
}
