/* graph.h - jobs that wait for other jobs: their parents. Why it is so: docs/design/0030.
 *
 * A job that has parents, children or a cohort (cohort.h) has a node. A child with parents that
 * have not ended is BLOCKED and stands in no ring, list or wheel: its edges have its index, and its
 * word is LINKED for them. Each of its edges is in the list of one parent. The end of the parent
 * takes the list and counts the child down, and who counts it down to 0 sends it where it waits.
 *
 *   child's word    FILLING ──► BLOCKED ──► PENDING | SCHEDULED   released, by the last count
 *                                  └──────► CANCELLED | DEAD      a parent failed; cancel, expiry
 *                   (a cohort)     └──────► COMPLETED             all its members have
 *   edge            made ──► in the list ──► taken ──► counted    (taken ──► in the list: WAIT)
 *
 * node.waits, 64 bits
 *   63..33  0
 *   32      FAILED   a parent failed, so that the child is not to run; stays
 *   31..0   count    edges that are not counted yet, and 1 for the submit that is at work
 *
 * The holds of a word are also the flag that it has a node to be looked at: `uses` of a node are
 * one hold on its record, from the first to the last. Uses are: one for each edge, from its making
 * to the end of the child, or to its count if the child ended before; and one of a job itself whose
 * submitter gave it a node, to its end. So a job that has none of this is ended as ever, and who
 * ends one whose word has no hold knows that its list is empty.
 *
 * Source   ours; the list is R. K. Treiber's stack, which is only taken as a whole.
 *          Differs: no node leaves it singly, so that there is no ABA.
 * Roles    make   who submits the child, before it is published: holds each parent for a moment.
 *          join   the same, once it is published.
 *          ended  whoever ended a job by a swap of its word; in phase final, with a hold.
 *          release, cancel: whoever counts a child down.
 * Claims   All lock-free: a swap fails only where another one succeeded. Nothing is allocated but
 *          in make; so no end of a job can fail, and no release: the child has its record and its
 *          room since its submit, and goes to the ring or to the lists behind it.
 *          Each edge is counted once: it is in one list, which is taken by one swap.
 *          No edge is forgotten: who puts one into a list swaps the parent's word behind that
 *          (graph:A); the end of the parent is a swap of the same word, and its thread looks into
 *          the list behind it. Of the two swaps one is later, and its thread finds the edge.
 *          A child is released, or ended, once: that is a swap of its word.
 *          Work: an end does what all descendants that end by it need, one after another, without
 *          recursion; no thread waits for that.
 *          Order: children of one parent are released in the order in which they joined it, those
 *          of several parents when the last one ends.
 * I1       an edge in a list is one of `waits` of its child, and one of `uses` of its parent
 * I2       uses > 0: one hold of the word is theirs
 * I3       LINKED while BLOCKED, or ended and waits.count > 0: the record stays until all edges are
 *          counted
 * I4       behind the end of a job, and who ended it: its list is empty, but for edges of WAIT
 *          while it is DEAD and LINKED, so that it may be brought back
 * Edges    tie:A -> tie:B             the edge
 *          edge:B -> edge:B     what a parent did, to who releases the child
 * If a thread stops for ever: between a parent's end and the last count of its children, these
 * wait; in a submit, that job, and the record of its parents is not given back. No other job is
 * held up by any of these.
 */
#ifndef ENGINE_GRAPH_H
#define ENGINE_GRAPH_H

#include "engine/engine_internal.h"

struct leat_cohort;

#define LEAT_WAITS_COUNT  UINT64_C(0xffffffff)
#define LEAT_WAITS_FAILED (UINT64_C(1) << 32)

/* From a parent to a child. It stands in the child's node. */
struct leat_edge {
    struct leat_edge *next; /* of the list that it is in */
    uint64_t parent;        /* id; 0: not made */
    uint32_t place;         /* in its child's node */
    bool within;            /* the parent came with the same call, so the edge is in its list */
    bool gone;              /* the parent has ended and is not there: the edge is no use of it */
    bool failed;            /* gone: and it did not complete */
};

/* Letters: I set by the submitter; O who submits, releases or ends it; S many writers. */
struct leat_node {
    leat_atomic_pointer children; /* S the newest struct leat_edge, or NULL */
    leat_atomic_u64 waits;        /* S */
    leat_atomic_u32 uses;         /* S */
    uint32_t index;               /* I of its job's record; where nobody gave it: 0 */
    uint32_t count;               /* I edges */
    uint32_t made;                /* O edges of that which have a parent */
    uint8_t policy;               /* I enum leat_parent_policy */
    bool paid;                    /* O its room was taken at its submit */
    bool self;                    /* O one of the uses is its own */
    uint64_t delay_ns;            /* I from its release on */
    uint64_t run_at_ns;           /* I */
    uint64_t cohort_id;           /* I the one that it is a member of, or 0 */
    struct leat_cohort *cohort;   /* I it is one; or NULL */
    struct leat_node *todo;       /* O the next one of those that somebody has ended */
    struct leat_edge edges[];     /* O */
};

/* The jobs that a thread has ended while they were BLOCKED, and whose own children it has yet to
 * see to. It has a hold on each. */
struct leat_todo {
    struct leat_node *first;
};

/* What a submit gives a job beside what its options say. */
struct leat_ties {
    uint32_t parents; /* that come with the same call */
    uint32_t held;    /* what else it is counted down by */
    bool noded;       /* it gets a node */
    bool paid;        /* its room was taken */
    bool released;    /* its parents have ended, in a log */
    bool blocks;      /* it was published as BLOCKED; of a log: it is to be, whatever it has */
};

LEAT_INLINE struct leat_node *
leat_node_of(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_job_extra *extra = leat_job_extra(leat_job_record(engine, index));
    return extra == NULL ? NULL : leat_block(&extra->node);
}

/* pre: it has one. */
LEAT_INLINE struct leat_node *
leat_node_there(const struct leat_engine *engine, uint32_t index)
{
    struct leat_node *node = leat_node_of(engine, index);
    LEAT_ASSERT(node != NULL);
    return node;
}

/* ---- submit --------------------------------------------------------------------------------- */

/* LEAT_OK, LEAT_INVALID; says whether it is to have a node. */
enum leat_status leat_graph_check_options(const struct leat_job_options *options,
                                          struct leat_ties *ties);
/* Gives a record that nobody knows yet its node, and holds its parents.
 * LEAT_NO_MEMORY; LEAT_GONE, LEAT_NOT_FOUND, LEAT_BUSY: of a parent, or the cohort; LEAT_ENDED: the
 * cohort has. What was made until then leat_graph_refuse() takes back. */
enum leat_status leat_graph_make(struct leat_engine *engine, uint32_t index,
                                 const struct leat_job *job, const struct leat_ties *ties);
/* Puts an edge between two records that nobody knows yet. pre: their nodes, and room in the
 * child's. */
void leat_graph_tie(struct leat_engine *engine, uint32_t parent, uint32_t child);
/* The job is not to be. pre: nobody knows it. */
void leat_graph_refuse_slowly(struct leat_engine *engine, uint32_t index);
/* It was published as BLOCKED, and the caller alone keeps it so: it joins its parents. */
void leat_graph_join(struct leat_engine *engine, uint32_t index);
/* ---- jobs of a log ---- */

/* A child that is read back gets an edge, to a parent that is not found yet. pre: nobody knows the
 * child, its node has room. */
void leat_graph_back_tie(struct leat_engine *engine, uint32_t index, uint64_t parent, bool failed);
/* Its parents are looked for. pre: it was published, and all others are. LEAT_NO_MEMORY. */
enum leat_status leat_graph_back_find(struct leat_engine *engine, uint32_t index);
/* A record stays for those who find it, until that is taken back. LEAT_NO_MEMORY. */
enum leat_status leat_graph_back_keep(struct leat_engine *engine, uint32_t index);
void leat_graph_back_drop(struct leat_engine *engine, uint32_t index);
/* The word, behind whatever this thread has done before; and before whatever the thread of a later
 * swap does behind that. */
uint64_t leat_graph_look(const struct leat_engine *engine, uint32_t index);

/* The record is given back. */
void leat_graph_free(struct leat_engine *engine, struct leat_job_extra *extra);

/* The node of a record that the caller has just filled, or NULL. */
LEAT_INLINE struct leat_node *
leat_graph_filled(const struct leat_engine *engine, uint32_t index)
{
    /* rlx: single writer */
    bool none = atom_load_rlx(&leat_job_record(engine, index)->extra) == NULL;
    return LEAT_LIKELY(none) ? NULL : leat_node_of(engine, index);
}

/* The holds with which a job is published. */
LEAT_INLINE uint64_t
leat_graph_holds(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_node *node = leat_graph_filled(engine, index);
    return LEAT_LIKELY(node == NULL) ? 0 : LEAT_WORD_HOLD;
}

/* It is to be published as BLOCKED, and joins. */
LEAT_INLINE bool
leat_graph_blocks(const struct leat_engine *engine, uint32_t index)
{
    const struct leat_node *node = leat_graph_filled(engine, index);
    /* rlx: not shared yet */
    return LEAT_UNLIKELY(node != NULL) && atom_load_rlx(&node->waits) != 0;
}

LEAT_INLINE void
leat_graph_refuse(struct leat_engine *engine, uint32_t index)
{
    if (LEAT_UNLIKELY(leat_graph_filled(engine, index) != NULL)) {
        leat_graph_refuse_slowly(engine, index);
    }
}

/* ---- ends ----------------------------------------------------------------------------------- */

/* The job was ended by the caller's swap of its word, which said `before`, and the caller has a
 * hold: its children are counted down. */
void leat_graph_ended(struct leat_engine *engine, uint32_t index, uint64_t before);
/* Of `before`, the holds of those who look at it. pre: as above, and before that call. */
uint64_t leat_graph_lookers(const struct leat_engine *engine, uint32_t index, uint64_t before);
/* A BLOCKED job was ended: gives back what it had while it waited. pre: a hold. */
void leat_graph_unblocked(struct leat_engine *engine, uint32_t index);
/* One edge less, by who has it, or has taken it from its list. The node may be gone behind this. */
void leat_graph_count(struct leat_engine *engine, struct leat_node *node, struct leat_todo *todo);
/* A parent of the job failed. pre: an edge that is not counted. */
void leat_graph_fail(struct leat_engine *engine, struct leat_node *node, struct leat_todo *todo);
/* Sees to those that were ended. */
void leat_graph_todo(struct leat_engine *engine, struct leat_todo *todo);
/* A dead job cannot be brought back any more: who waited for that is counted down. pre: a hold. */
void leat_graph_forsaken(struct leat_engine *engine, uint32_t index);
/* The job keeps its result for its children. pre: it is in the caller's hand, or a hold. */
bool leat_graph_keeps(const struct leat_engine *engine, uint32_t index);

/* A dead job is to be brought back, for which nobody but its node may have a hold: *unless is the
 * mask for the others'. LEAT_BUSY. Then leat_graph_revived(), whether it was or not. pre: the
 * caller alone has it from the book. */
enum leat_status leat_graph_revive(struct leat_engine *engine, leat_job_id id, uint64_t *unless);
void leat_graph_revived(struct leat_engine *engine, uint32_t index, uint64_t unless);

/* Its uses have a hold, which lets others look at it. pre: a hold. */
bool leat_graph_uses(const struct leat_engine *engine, uint32_t index);

/* For quiescent moments: I1 to I4 of all jobs; says on `why` (may be NULL) what is wrong. */
bool leat_graph_check(struct leat_engine *engine, FILE *why);
/* For such moments: edges have the record. */
bool leat_graph_waits(const struct leat_engine *engine, uint32_t index);

#endif
