/* model_deque_anchor.c - model_deque.c once more, with the full fence as ThreadSanitizer's builds
 * have it: a read-modify-write of the anchor. It orders as much between the sides of the deque, and
 * carries nothing to those who look at its positions only. So this shows that the deque holds in
 * these builds too, and notices if deque_pop:C or deque_steal:C, which have a fence before them,
 * lose their release. */
#define LEAT_THREAD_SANITIZER 1

#include "ring/deque.c"
#include "tests/model/model_deque.c"
