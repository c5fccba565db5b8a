/* calls.c - records of the user's that wait for their place in the log without a thread.
 *
 * Who has the role settles them, behind each batch and each look that found nothing to write, and
 * before it lets go: so those of one thread are settled in its order. No wake-up is lost: who adds
 * one kicks, and the log's thread looks into the inbox between that kick and its next sleep; if
 * another one has the role at that moment, it is told when that lets go (role.h), and looks then.
 *
 * What is done behind the role is the log's thread's alone, so it is in the same order, too. That
 * thread is kicked behind the store of `behind`, and looks at that once more before it sleeps, with
 * the role: who has settled in between either had the role before and is seen, or finds the thread
 * at its wait for the role's next event.
 */
#include "engine/wal/internal.h"

static struct leat_fifo_links
links_of(const struct leat_wal_calls *calls)
{
    return (struct leat_fifo_links){calls->link, calls->context};
}

void
leat_wal_when(struct leat_wal *wal, uint32_t index)
{
    const struct leat_wal_calls *calls = &wal->config.calls;
    (void)leat_inbox_push(&wal->inbox, calls->link(calls->context, index), index);
    leat_wal_kick(wal);
}

void
leat_wal_settle(struct leat_wal *wal, enum leat_status status)
{
    const struct leat_wal_calls *calls = &wal->config.calls;
    const struct leat_fifo_links links = links_of(calls);
    bool all = status != LEAT_OK && status != LEAT_EMPTY;
    uint64_t durable = leat_wal_durable(wal);
    uint32_t index = LEAT_INDEX_NONE;
    if (leat_inbox_ready(&wal->inbox)) {
        (void)leat_fifo_take_over(&wal->calls, links, leat_inbox_take(&wal->inbox));
    }
    bool settled = false;
    wal->calls_sync = false;
    /* Each is looked at once per batch, and few wait for more than two. */
    for (uint32_t count = wal->calls.count; count != 0; count--) {
        (void)leat_fifo_pop_front(&wal->calls, links, &index);
        uint64_t position = calls->position(calls->context, index);
        bool written =
            wal->config.calls_written != NULL && wal->config.calls_written(calls->context, index);
        bool there = position <= durable || (written && leat_wal_is_written(wal, position));
        if (there || all) {
            calls->settled(calls->context, index, there ? LEAT_OK : status);
            settled = true;
        } else {
            wal->calls_sync = wal->calls_sync || !written;
            leat_fifo_push_back(&wal->calls, links, index);
        }
    }
    if (settled && calls->behind != NULL) {
        /* behind:A release -> behind:B.  Carries: what settled() has done.
         * If relaxed: the log's thread could find nothing to be done behind it. */
        atom_store_rel(&wal->behind, 1);
        leat_wal_kick(wal);
    }
}

bool
leat_wal_behind(struct leat_wal *wal)
{
    const struct leat_wal_calls *calls = &wal->config.calls;
    /* behind:B acquire -> behind:A.  Carries: see behind:A.
     * If relaxed: see behind:A. */
    if (atom_swap_acq(&wal->behind, 0) == 0) {
        return false;
    }
    calls->behind(calls->context);
    return true;
}
