/* pending.h - attempts that end elsewhere: until when each may take, and who ends it. Why so:
 * docs/design/0014.
 *
 * An attempt that is pending without a time is RUNNING and AWAITED, and nobody has its record but
 * who completes it. One with a time is LINKED as well: its record is on a wheel, or in the hand of
 * who arms it or has it from there.
 *
 * Source   ours.
 * Roles    the attempt's worker writes `pending`, before its handler's answer is in the word. Any
 *          thread completes, extends, cancels. Who has the record from its wheel ends an attempt
 *          whose time is over.
 * Claims   begin, over, extend  lock-free: a swap fails only where another thread's was done.
 *          Decided once: by the outcome in the job's word, which is set while it is 0 only. The
 *                  completion that sets it ends the attempt. Who sets TIMED_OUT does, and takes
 *                  LINKED away in the same swap, having the record from the wheel.
 *          Whose record: who completes says an outcome, takes the timer off, and then says in the
 *                  word what becomes of the job. If LINKED is set by then, its wheel has it, or a
 *                  thread that looks at the word when it is done, and either sends it where the
 *                  word says. If not, the completing thread has it, and does so itself.
 *          Never early: what is handed out before its time is armed again. Late as a delay is.
 *          Extended or over: by a swap of `pending`. So extending does not touch the wheel: the
 *                  timer comes when it would have, and is then armed for the rest.
 * `pending`  number of the run 16 | until when 48: in units of the shortest tick since the start of
 *          the wheels, so that rounding makes no tick later. 0 there: over.
 *            any         -> run, time   the worker of a run that answers pending for a time
 *            run, time   -> run, later  extended
 *            run, time   -> run, 0      over; by who has the record from its wheel
 * I1       LINKED while RUNNING: AWAITED, and the record is on a wheel or in one hand
 * I2       AWAITED, LINKED and no outcome: `pending` is of this run
 * If a thread stops for ever: before the timer is armed, that attempt has no timeout, and a next
 * one waits with the thread; behind a swap that says the outcome, that job does. No other job is
 * held up, but by who has the role of a wheel (docs/design/0009).
 */
#ifndef ENGINE_PENDING_H
#define ENGINE_PENDING_H

#include "engine/engine_internal.h"

/* The handler has answered that its attempt is pending for so long, at least a nanosecond. False:
 * its outcome was said before, or it was timed out: *before is the word. */
bool leat_pending_begin(const struct leat_run *run, uint64_t timeout_ns, uint64_t *before);

/* Until when a pending attempt may take, by the clock BOOT; 0: it is over. */
uint64_t leat_pending_until_ns(const struct leat_engine *engine, uint32_t index);

/* Its wheel handed a RUNNING job out, that had this word: its time is over at now_ns, or it was
 * completed. False: not so by now; look at the word again. */
bool leat_pending_over(struct leat_engine *engine, uint32_t index, uint64_t word, uint64_t now_ns);

#endif
