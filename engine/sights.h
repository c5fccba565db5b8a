/* sights.h - for how long a job has been in its state, as far as anyone looked: a word for each
 * record that says what was seen there first, and when. No submit and no worker writes it. Why so:
 * docs/design/0032.
 *
 * Word, 64 bits: generation, its low 20 bits above the one that is always set | attempt 6, phase 4:
 * what was seen | 34 bits of time in LEAT_SIGHT_NS, modulo half a year and more. 0: nothing.
 *
 * Source   ours.
 * Roles    any thread looks.
 * Claims   look  wait-free: one load and, at a first sight, one store.
 *          At most the truth: a job that was seen in this phase, in this attempt, at an earlier
 *          look and at this one. Three things are not noticed: that it left the phase and came back
 *          between two looks, without an attempt; a record that was used exactly a multiple of 2^20
 *          times between two looks, and is in the same phase and attempt; more than 2^54 ns.
 *          Where two look at once, the one whose look is older may store last: the time then
 *          counts anew.
 * I1       a word that fits a job is of a moment at which a look found the job so
 * Edges    sights:B -> sights:A    the words, zeroed
 * If a thread stops for ever: nothing.
 */
#ifndef ENGINE_SIGHTS_H
#define ENGINE_SIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct leat_engine;

/* Finer than a person asks, and so coarse that the time does not come round for half a year. */
#define LEAT_SIGHT_NS_LOG2   20
#define LEAT_SIGHT_TIME_BITS 34

/* The words, made at the first use. False: no memory. Progress: blocking (a system call). */
bool leat_sights_make(struct leat_engine *engine);
/* No thread looks any more. */
void leat_sights_fini(struct leat_engine *engine);
/* Bytes of them that are in memory. */
size_t leat_sights_resident(const struct leat_engine *engine);

/* The record's word says `word`, at `now_ns` by BOOT: returns for how long it is known to be in
 * this phase of this attempt. pre: leat_sights_make(). */
uint64_t leat_sights_look(const struct leat_engine *engine, uint32_t index, uint64_t word,
                          uint64_t now_ns);

#endif
