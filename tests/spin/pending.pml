/* pending.pml - an attempt that is pending for a time, by the steps of engine/pending.c, timers.c and
 * run.c: who ends it, who has its record by then, and where the record goes.
 *
 * Processes
 *   worker     takes the job from its ring, and its handler answers pending for a time: for a moment,
 *              or for longer than the clock goes. Two of them: one may stop between any two steps
 *              while the other one runs the next attempt
 *   completer  leat_complete(), one for each attempt that answers so
 *   extender   leat_pending_extend() with the token of the first attempt (EXTENDS)
 *   canceller  leat_cancel(), of a job that waits for its next attempt (CANCELS)
 *   holder     who has the role of the wheel
 *   clock      goes on to the last moment
 *   init       starts them; when nothing moves any more, says what must hold
 * Each atomic block is one access to memory, or a swap of one word.
 *
 * Left out memory that is seen late: each step that counts is a swap, of the job's word or of the
 *          wheel's; claims, of which one completion for each attempt is what is left; holds; that a
 *          worker must be told of what was taken off: the holder here looks all the time.
 *
 * What must hold
 *   each attempt ends once; none is over before its time, or before the time that an extension
 *   promised. No next attempt comes early. What is armed was on no wheel, what a wheel hands out has
 *   LINKED, and the record is in one place. When nothing moves any more, the job has ended, and its
 *   record was given back.
 *
 * What is wrong on purpose, each to be found
 *   NO_ARM_LOOK    who arms does not look at the word again
 *   NO_ARM_TIME    it does not look until when the job waits by now
 *   NO_SAY         who completes does not say so before it makes the job wait, so that it may be too
 *                  late, and has written the time all the same
 *   DUE_LATE       the time of the next attempt is written behind the word
 *   ARMS_ANYWAY    who completes arms, though LINKED is set
 *   RING_ANYWAY    who completes puts the job into its ring, though LINKED is set
 *   NO_LEAVE       the holder leaves LINKED to an attempt that was completed, and goes on
 *   NO_END_TIME    the holder does not end the time before the attempt
 *   NO_NUMBER      `pending` without the number of the run
 *   EXPIRE_BLIND   the holder does not look whether the time has come
 *   RETIRES        who ends the job gives the record back, though LINKED is set
 */
#ifndef RUNS
#define RUNS 2  /* the last one answers done */
#endif
#ifndef LAST
#define LAST 2  /* moments of the clock */
#endif
#define FAR  9

#define PENDING  0
#define RUNNING  1
#define RETRYING 2
#define ENDED    3
#define GONE     4

/* The job's word. */
byte phase = PENDING;
bit awaited;
bit linked = 1;
bit said;    /* an outcome, or that it is timed out */
byte number; /* of the run */

/* The wheel's. */
bit armed;
bit inbox;
byte tick;

/* The node's: until when a job waits that was completed; `pending`. */
byte due;
byte pending_number;
byte pending_until;  /* 0: over */

bit ring = 1;
byte now;

/* What the threads do not know. */
byte ends[RUNS + 1];
byte earliest[RUNS + 1];
byte wanted; /* when the next attempt is due */

#define WAITS_PENDING (phase == RUNNING && awaited && linked && !said)
#define WAITS         (phase == RETRYING || WAITS_PENDING)
#define SOON          (now < LAST -> now + 1 : now)

/* ---- the wheel ---------------------------------------------------------------------------- */

inline wheel_cancel() {
    atomic { if :: armed -> armed = 0; inbox = 1 :: else fi }
}

inline wheel_rearm(at) {
    atomic {
        if
        :: armed -> inbox = (at < tick -> 1 : inbox); tick = at
        :: else
        fi
    }
}

/* arm_on(), and rearm(). */
inline arm_on(at) {
    atomic { assert(!armed && !inbox && !ring); armed = 1; inbox = 1; tick = at; until = at }
#ifndef NO_ARM_LOOK
    atomic { waits = WAITS; of_retry = phase == RETRYING }
    if
    :: !waits -> wheel_cancel()
#ifdef NO_ARM_TIME
    :: else
#else
    :: else ->
        atomic { next = (of_retry -> due : pending_until) }
        do
        :: next == until -> break
        :: else ->
            until = next;
            wheel_rearm(until);
            atomic { of_retry = phase == RETRYING }
            atomic { next = (of_retry -> due : pending_until) }
        od
#endif
    fi
#endif
}

/* ---- what an attempt comes to ------------------------------------------------------------- */

#define CLEAR awaited = 0; said = 0

inline end_once(which) {
    ends[which]++;
    assert(ends[which] == 1)
}

inline job_end() {
    atomic {
        assert(phase == RUNNING);
#ifdef RETIRES
        phase = GONE; linked = 0;
#else
        phase = (linked -> ENDED : GONE);
#endif
        CLEAR
    }
}

/* wait_until(): the record may be on a wheel yet. */
inline job_wait(at) {
#ifndef DUE_LATE
    due = at;
#endif
    atomic {
        assert(phase == RUNNING);
        phase = RETRYING; was = linked; linked = 1; wanted = at; CLEAR
    }
#ifdef DUE_LATE
    due = at;
#endif
#ifdef ARMS_ANYWAY
    arm_on(at)
#else
    if :: !was -> arm_on(at) :: else fi
#endif
}

/* retry(): at once. */
inline job_retry() {
    atomic {
        assert(phase == RUNNING);
        if
#ifdef RING_ANYWAY
        :: true ->
#else
        :: !linked ->
#endif
            phase = PENDING; linked = 1; CLEAR; was = 0
        :: linked -> was = 1
        fi
    }
    if
    :: was -> job_wait(0)
    :: else -> atomic { assert(!ring && !armed); ring = 1 }
    fi
}

inline job_settle() {
    if
    :: job_end()
    :: job_retry()
    :: atomic { soon = SOON }; job_wait(soon)
    fi
}

/* ---- threads ------------------------------------------------------------------------------ */

proctype worker() {
    byte until, next, soon, mine;
    bit waits, of_retry, was;
end:
    do
    :: atomic { ring -> ring = 0 }
        atomic {
            assert(phase == PENDING);
            phase = RUNNING; linked = 0; number++; mine = number
        }
        if
        :: mine == RUNS -> ends[mine] = 1; job_end()
        :: else ->
            atomic { if :: soon = SOON :: soon = FAR fi }
            atomic { pending_number = mine; pending_until = soon }
            due = soon;
            earliest[mine] = soon;
            atomic {
                was = said;
                if :: !said -> awaited = 1; linked = 1 :: else fi
            }
            if
            :: was -> job_settle()
            :: else -> arm_on(soon)
            fi
        fi
    od
}

proctype completer(byte which) {
    byte until, next, soon;
    bit waits, of_retry, was, mine;
    number >= which;
#ifdef NO_SAY
    atomic { mine = phase == RUNNING && number == which && awaited && !said; soon = SOON }
    if
    :: mine ->
        due = soon;
        atomic {
            if
            :: phase == RUNNING && number == which && !said ->
                phase = RETRYING; was = linked; linked = 1; wanted = soon; CLEAR; end_once(which)
            :: else -> mine = 0
            fi
        }
        if
        :: mine && was -> wheel_cancel()
        :: mine && !was -> arm_on(soon)
        :: else
        fi
    :: else
    fi
#else
    atomic {
        if
        :: phase == RUNNING && number == which && !said ->
            said = 1; mine = awaited; was = linked; end_once(which)
        :: else -> mine = 0
        fi
    }
    if
    :: mine ->
        if :: was -> wheel_cancel() :: else fi
        job_settle()
    :: else
    fi
#endif
}

proctype extender() {
    byte new, old_number, old_until;
    bit good;
    number >= 1;
    atomic { good = WAITS_PENDING && number == 1; new = now + 2 }
    atomic { old_number = pending_number; old_until = pending_until }
    do
    :: !good -> break
#ifdef NO_NUMBER
    :: good && old_until == 0 -> break
#else
    :: good && (old_number != 1 || old_until == 0) -> break
#endif
    :: else ->
        atomic {
            if
            :: new <= old_until ->
                good = 0
#ifdef NO_NUMBER
            :: new > old_until && pending_until == old_until ->
                assert(pending_number == 1);
#else
            :: new > old_until && pending_number == old_number && pending_until == old_until ->
#endif
                pending_until = new;
                earliest[1] = (ends[1] == 0 -> new : earliest[1]);
                good = 0
            :: else -> old_number = pending_number; old_until = pending_until
            fi
        }
    od
}

#ifdef CANCELS
proctype canceller() {
    bit done;
end:
    atomic { phase == RETRYING -> phase = ENDED }
    wheel_cancel()
}
#endif

/* expire() */
proctype holder() {
    byte until, next, soon, old_number, old_until;
    bit waits, of_retry, was, done;
end:
    do
    :: atomic { inbox -> inbox = 0; done = armed }
        if :: done :: else -> goto hand fi
    :: atomic { armed && !inbox && tick <= now -> armed = 0 }
hand:
        atomic { assert(linked); waits = WAITS; of_retry = phase == RETRYING }
        if
        :: atomic { !waits && phase == ENDED -> phase = GONE; linked = 0 }
        :: atomic { waits && of_retry -> soon = due }
#ifdef EXPIRE_BLIND
            if
#else
            if
            :: soon > now -> arm_on(soon)
#endif
            :: else ->
                atomic {
                    done = phase == RETRYING;
                    if :: done -> assert(wanted <= now); phase = PENDING :: else fi
                }
                if
                :: done -> atomic { assert(!ring); ring = 1 }
                :: else -> goto hand
                fi
            fi
        :: atomic { waits && !of_retry -> old_number = pending_number; old_until = pending_until }
            if
            :: old_until > now -> soon = old_until; arm_on(soon)
            :: else ->
#ifndef NO_END_TIME
                atomic {
                    done = pending_number == old_number && pending_until == old_until;
                    if :: done -> pending_until = 0 :: else fi
                }
                if :: done :: else -> goto hand fi;
#endif
                atomic {
                    done = WAITS_PENDING;
                    if
                    :: done ->
                        said = 1; linked = 0; end_once(number); assert(earliest[number] <= now)
                    :: else
                    fi
                }
                if
                :: done -> job_settle()
                :: else -> goto hand
                fi
            fi
#ifdef NO_LEAVE
        :: atomic { !waits && phase == RUNNING -> skip }
#else
        :: atomic { !waits && phase == RUNNING && awaited && linked && said -> linked = 0 }
#endif
        :: atomic { !waits && phase == RETRYING -> goto hand }
        fi
    od
}

proctype clock() {
    do
    :: now < LAST -> now++
    :: else -> break
    od
}

init {
    atomic {
        run worker(); run worker(); run completer(1); run holder(); run clock();
#if RUNS > 2
        run completer(2);
#endif
#ifdef EXTENDS
        run extender();
#endif
#ifdef CANCELS
        run canceller()
#endif
    }
    timeout ->
    assert(phase == GONE && !linked && !ring && !armed && !inbox);
    assert(number < 1 || ends[1] == 1);
#if RUNS > 2
    assert(number < 2 || ends[2] == 1)
#endif
}
