/* ticket.c - the parts of the ticket ring that are not on the plain path, see ticket.h. */
#include "ring/ticket.h"

#include <inttypes.h>

size_t
leat_ticket_bytes(uint32_t slots_log2)
{
    return leat_slots_bytes(slots_log2);
}

static void
side_init(struct leat_ticket_side *side, uint64_t start)
{
    atom_init(&side->tickets, start);
    atom_init(&side->credits, start);
    atom_init(&side->seen, start);
}

void
leat_ticket_init(struct leat_ticket *ring, const struct leat_ring_config *config)
{
    leat_slots_init(&ring->slots, config);
    side_init(&ring->tail, config->start);
    side_init(&ring->head, config->start);
}

uint64_t
leat_ticket_count(const struct leat_ticket *ring)
{
    /* ticket_count:A sc -> ticket_take:B, ticket_take:C.  Orders: as ticket_take:A.  Carries: what
     * each consumer wrote before its pop. */
    uint64_t head = atom_load_sc(&ring->head.tickets);
    /* ticket_count:B sc -> ticket_take:A, ticket_take:C.  Orders: as ticket_take:A. */
    uint64_t count = atom_load_sc(&ring->tail.tickets) - head;
    /* The tail is younger than the head: pushes and pops in between can lift it above. */
    return count > ring->slots.mask + 1 ? ring->slots.mask + 1 : count;
}

/* Credits are tickets, and what the side has seen is not more than there is. */
static bool
side_check(const struct leat_ticket_side *side, uint64_t other, FILE *why)
{
    uint64_t tickets = atom_load_rlx(&side->tickets); /* rlx: not shared yet */
    uint64_t credits = atom_load_rlx(&side->credits); /* rlx: not shared yet */
    uint64_t seen = atom_load_rlx(&side->seen);       /* rlx: not shared yet */
    bool holds = credits == tickets && (int64_t)(other - seen) >= 0;
    if (!holds && why != NULL) {
        (void)fprintf(why,
                      "ticket: I3: %" PRIu64 " tickets, %" PRIu64 " credits, %" PRIu64
                      " seen of %" PRIu64 "\n",
                      tickets, credits, seen, other);
    }
    return holds;
}

bool
leat_ticket_check(const struct leat_ticket *ring, FILE *why)
{
    uint64_t head = atom_load_rlx(&ring->head.tickets); /* rlx: not shared yet */
    uint64_t tail = atom_load_rlx(&ring->tail.tickets); /* rlx: not shared yet */
    return leat_slots_check(&ring->slots, head, tail, why) && side_check(&ring->tail, head, why) &&
           side_check(&ring->head, tail, why);
}
