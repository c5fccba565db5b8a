/* book.c - records of ended jobs, see book.h. */
#include "engine/book.h"

#include "ring/os.h"
#include "sched/clock.h"

/* ---- entries -------------------------------------------------------------------------------- */

static leat_atomic_u64 *
entry_of(const struct leat_book *book, uint64_t position)
{
    return &book->entries[position % book->max];
}

uint64_t
leat_book_put(struct leat_book *book, uint64_t id)
{
    uint64_t position = atom_add_rlx(&book->next, 1); /* rlx: ordered by entry:A */
    /* entry:A acq_rel -> entry:B, entry:C, entry:D.  Carries: what was done to the record so far.
     * If relaxed: who takes it could give back a record that its last thread still writes. */
    uint64_t before = atom_swap_acq_rel(entry_of(book, position), id);
    if (before == 0) {
        (void)atom_add_rlx(&book->count, 1); /* rlx: statistic */
    }
    return before;
}

bool
leat_book_take(struct leat_book *book, uint64_t position, uint64_t id)
{
    /* entry:B acquire -> entry:A, entry:D.  Carries: see entry:A.
     * If relaxed: see entry:A. */
    if (!atom_cas_acq(entry_of(book, position), &id, 0)) {
        return false;
    }
    (void)atom_sub_rlx(&book->count, 1); /* rlx: statistic */
    return true;
}

bool
leat_book_untake(struct leat_book *book, uint64_t position, uint64_t id)
{
    uint64_t none = 0;
    /* entry:D release -> entry:A, entry:B, entry:C.  Carries: claims that were taken anew.
     * If relaxed: who takes it next could free a claim that its job has no more. */
    if (!atom_cas_rel(entry_of(book, position), &none, id)) {
        return false;
    }
    (void)atom_add_rlx(&book->count, 1); /* rlx: statistic */
    return true;
}

uint64_t
leat_book_end(const struct leat_book *book)
{
    return atom_load_rlx(&book->next); /* rlx: statistic */
}

uint64_t
leat_book_first(const struct leat_book *book)
{
    uint64_t end = leat_book_end(book);
    return end > book->max ? end - book->max : 0;
}

uint64_t
leat_book_at(const struct leat_book *book, uint64_t position)
{
    /* entry:C acquire -> entry:A, entry:D.  Carries: see entry:A.
     * If relaxed: a record could be looked at that is not this job's yet. */
    return atom_load_acq(entry_of(book, position));
}

uint64_t
leat_book_count(const struct leat_book *book)
{
    return atom_load_rlx(&book->count); /* rlx: statistic */
}

uint64_t
leat_book_pop(struct leat_book *book, uint64_t end)
{
    uint64_t first = leat_book_first(book);
    uint64_t oldest = atom_load_rlx(&book->oldest); /* rlx: statistic */
    if (leat_book_count(book) == 0) {
        return 0;
    }
    for (uint64_t position = oldest > first ? oldest : first; position < end; position++) {
        uint64_t id = leat_book_at(book, position);
        if (id != 0 && leat_book_take(book, position, id)) {
            atom_store_rlx(&book->oldest, position + 1); /* rlx: statistic */
            return id;
        }
    }
    /* One that came late may stand before. */
    atom_store_rlx(&book->oldest, 0); /* rlx: statistic */
    return 0;
}

/* ---- ages ----------------------------------------------------------------------------------- */

/* Up to where the entries are older than the age. There may be none any more. */
static uint64_t
aged(const struct leat_book *book, uint64_t now_ns)
{
    uint64_t end = 0;
    if (book->age_ns == 0) {
        return end;
    }
    for (uint32_t i = 0; i < LEAT_BOOK_MARKS && i < book->marked; i++) {
        const struct leat_book_mark *mark = &book->marks[i];
        bool old = now_ns >= mark->at_ns && now_ns - mark->at_ns >= book->age_ns;
        end = old && mark->next > end ? mark->next : end;
    }
    return end;
}

/* When to look again. pre: the caller is who looks. */
static uint64_t
look_next(const struct leat_book *book, uint64_t now_ns)
{
    bool never = book->age_ns == 0 || book->max == 0;
    return never ? LEAT_TIME_NEVER : now_ns + book->age_ns / LEAT_BOOK_PARTS;
}

static bool
look_begin(struct leat_book *book)
{
    uint32_t nobody = 0;
    /* aging:A acquire -> aged:B.  Carries: marks and age.
     * If relaxed: a mark could be read while it is written. */
    return atom_cas_acq(&book->looking, &nobody, 1);
}

static void
look_end(struct leat_book *book)
{
    /* aged:B release -> aging:A.  Carries: see aging:A.
     * If relaxed: see aging:A. */
    atom_store_rel(&book->looking, 0);
}

uint64_t
leat_book_look(struct leat_book *book, uint64_t now_ns)
{
    /* rlx: statistic */
    if (now_ns < atom_load_rlx(&book->look_ns) || !look_begin(book)) {
        return 0;
    }
    struct leat_book_mark *mark = &book->marks[book->marked % LEAT_BOOK_MARKS];
    uint64_t end = aged(book, now_ns);
    mark->at_ns = now_ns;
    mark->next = leat_book_end(book);
    book->marked++;
    atom_store_rlx(&book->look_ns, look_next(book, now_ns)); /* rlx: statistic */
    look_end(book);
    return end;
}

bool
leat_book_age(struct leat_book *book, uint64_t age_ns)
{
    if (!look_begin(book)) {
        return false;
    }
    book->age_ns = age_ns;
    /* At once, for a mark of what is there by now. */
    uint64_t next_ns = look_next(book, 0) == LEAT_TIME_NEVER ? LEAT_TIME_NEVER : 0;
    atom_store_rlx(&book->look_ns, next_ns); /* rlx: statistic */
    look_end(book);
    return true;
}

/* ---- init and fini -------------------------------------------------------------------------- */

size_t
leat_book_bytes(uint32_t max)
{
    return sizeof(leat_atomic_u64) * max;
}

bool
leat_book_init(struct leat_book *book, uint32_t max, uint64_t age_ns)
{
    book->max = max;
    book->age_ns = age_ns;
    atom_init(&book->look_ns, age_ns == 0 || max == 0 ? LEAT_TIME_NEVER : 0);
    if (max == 0) {
        return true;
    }
    book->bytes = leat_book_bytes(max);
    book->entries = leat_os_map(book->bytes);
    return book->entries != NULL;
}

void
leat_book_fini(struct leat_book *book)
{
    leat_os_unmap(book->entries, book->bytes);
}
