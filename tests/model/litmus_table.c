/* litmus_table.c - the programs and their verdicts. The names are those of the literature (J.
 * Alglave et al., "Herding cats", 2014; M. Batty et al., "Mathematizing C++ concurrency", 2011; O.
 * Lahav et al., "Repairing sequential consistency in C/C++11", 2017). */
#include <inttypes.h>
#include <stdio.h>

#include "tests/model/litmus.h"

static const struct litmus table[] = {
    /* Store buffering: each thread writes, then reads what the other one writes. */
    {"SB", {"x=1 a=y", "y=1 b=x"}, "a=0 b=0", ALLOWED},
    {"SB+rel+acq", {"x=1.rel a=y.acq", "y=1.rel b=x.acq"}, "a=0 b=0", ALLOWED},
    {"SB+sc", {"x=1.sc a=y.sc", "y=1.sc b=x.sc"}, "a=0 b=0", FORBIDDEN},
    {"SB+sc+one_load_acq", {"x=1.sc a=y.sc", "y=1.sc b=x.acq"}, "a=0 b=0", ALLOWED},
    {"SB+sc+one_store_rel", {"x=1.sc a=y.sc", "y=1.rel b=x.sc"}, "a=0 b=0", ALLOWED},
    {"SB+fences_sc", {"x=1 F.sc a=y", "y=1 F.sc b=x"}, "a=0 b=0", FORBIDDEN},
    {"SB+one_fence_sc", {"x=1 F.sc a=y", "y=1 b=x"}, "a=0 b=0", ALLOWED},
    {"SB+fences_acq_rel", {"x=1 F.ar a=y", "y=1 F.ar b=x"}, "a=0 b=0", ALLOWED},
    {"SB+fence_sc+sc", {"x=1 F.sc a=y", "y=1.sc b=x.sc"}, "a=0 b=0", FORBIDDEN},
    {"SB+fence_sc+sc_load", {"x=1 F.sc a=y", "y=1 b=x.sc"}, "a=0 b=0", ALLOWED},
    {"SB+fence_sc+sc_store", {"x=1 F.sc a=y", "y=1.sc b=x"}, "a=0 b=0", ALLOWED},
    {"SB+fence_early", {"F.sc x=1 a=y", "y=1 F.sc b=x"}, "a=0 b=0", ALLOWED},
    {"SB+fence_late", {"x=1 a=y F.sc", "y=1 F.sc b=x"}, "a=0 b=0", ALLOWED},
    {"SB+swap_acq_rel", {"c=x:1.ar a=y.acq", "d=y:1.ar b=x.acq"}, "a=0 b=0", ALLOWED},
    {"SB+swap_sc+acq", {"c=x:1.sc a=y.acq", "d=y:1.sc b=x.acq"}, "a=0 b=0", ALLOWED},
    {"SB+swap_sc+sc", {"c=x:1.sc a=y.sc", "d=y:1.sc b=x.sc"}, "a=0 b=0", FORBIDDEN},
    {"SB+anchor_acq_rel", {"x=1 c=z+0.ar a=y", "y=1 d=z+0.ar b=x"}, "a=0 b=0", FORBIDDEN},
    {"SB+anchor_rlx", {"x=1 c=z+0 a=y", "y=1 d=z+0 b=x"}, "a=0 b=0", ALLOWED},
    {"SB+anchor_rel", {"x=1 c=z+0.rel a=y", "y=1 d=z+0.rel b=x"}, "a=0 b=0", ALLOWED},
    {"SB+rmw_both", {"x=1 a=y+0", "y=1 b=x+0"}, "a=0 b=0", ALLOWED},
    {"3SB", {"x=1 a=y", "y=1 b=z", "z=1 c=x"}, "a=0 b=0 c=0", ALLOWED},
    {"3SB+fences_sc", {"x=1 F.sc a=y", "y=1 F.sc b=z", "z=1 F.sc c=x"}, "a=0 b=0 c=0", FORBIDDEN},
    {"3SB+two_fences_sc", {"x=1 F.sc a=y", "y=1 F.sc b=z", "z=1 c=x"}, "a=0 b=0 c=0", ALLOWED},

    /* Message passing. */
    {"MP", {"x=1 y=1", "a=y b=x"}, "a=1 b=0", ALLOWED},
    {"MP+rel+acq", {"x=1 y=1.rel", "a=y.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"MP+rel", {"x=1 y=1.rel", "a=y b=x"}, "a=1 b=0", ALLOWED},
    {"MP+acq", {"x=1 y=1", "a=y.acq b=x"}, "a=1 b=0", ALLOWED},
    {"MP+sc", {"x=1.sc y=1.sc", "a=y.sc b=x.sc"}, "a=1 b=0", FORBIDDEN},
    {"MP+sc+acq", {"x=1 y=1.sc", "a=y.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"MP+data_rel", {"x=1.rel y=1", "a=y.acq b=x.acq"}, "a=1 b=0", ALLOWED},
    {"MP+fences", {"x=1 F.rel y=1", "a=y F.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"MP+fence_rel+acq", {"x=1 F.rel y=1", "a=y.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"MP+rel+fence_acq", {"x=1 y=1.rel", "a=y F.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"MP+fence_rel", {"x=1 F.rel y=1", "a=y b=x"}, "a=1 b=0", ALLOWED},
    {"MP+fence_acq", {"x=1 y=1", "a=y F.acq b=x"}, "a=1 b=0", ALLOWED},
    {"MP+fence_rel_early", {"F.rel x=1 y=1", "a=y F.acq b=x"}, "a=1 b=0", ALLOWED},
    {"MP+fence_rel_late", {"x=1 y=1 F.rel", "a=y F.acq b=x"}, "a=1 b=0", ALLOWED},
    {"MP+fence_acq_early", {"x=1 F.rel y=1", "F.acq a=y b=x"}, "a=1 b=0", ALLOWED},
    {"MP+fence_acq_late", {"x=1 F.rel y=1", "a=y b=x F.acq"}, "a=1 b=0", ALLOWED},
    {"MP+fences_swapped", {"x=1 F.acq y=1", "a=y F.rel b=x"}, "a=1 b=0", ALLOWED},
    {"MP+fences_sc", {"x=1 F.sc y=1", "a=y F.sc b=x"}, "a=1 b=0", FORBIDDEN},
    {"MP+fence_sc_writer", {"x=1 F.sc y=1", "a=y b=x"}, "a=1 b=0", ALLOWED},
    {"MP+rmw_reads_old", {"x=1 y=1", "a=y b=x+1"}, "a=1 b=0", ALLOWED},
    {"MP+swap", {"x=1 c=y:1.rel", "a=y:2.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"MP+two_acquires", {"x=1 y=1.rel", "a=y.acq b=y c=x"}, "a=0 b=1 c=0", ALLOWED},
    {"MP+plain", {"p=1 y=1.rel", "a=y.acq ?a b=p"}, "a=1 b=0", FORBIDDEN},
    {"MP+plain_relaxed_store", {"p=1 y=1", "a=y.acq ?a b=p"}, "", RACE},
    {"MP+plain_relaxed_load", {"p=1 y=1.rel", "a=y ?a b=p"}, "", RACE},
    {"MP+plain_unasked", {"p=1 y=1.rel", "a=y.acq b=p"}, "", RACE},
    {"MP+plain_fences", {"p=1 F.rel y=1", "a=y ?a F.acq b=p"}, "a=1 b=0", FORBIDDEN},
    {"MP+plain_fence_sc_no_hb", {"p=1 F.sc y=1", "a=y ?a b=p"}, "", RACE},
    {"MP+plain_reuse", {"a=p y=1.rel", "b=y.acq ?b p=1"}, "b=1 a=1", FORBIDDEN},
    {"MP+plain_reuse_relaxed", {"a=p y=1", "b=y ?b p=1"}, "", RACE},
    {"MP+publish_two", {"p=1 q=1 x=1.rel", "a=x.acq ?a b=p c=q"}, "b=0", FORBIDDEN},

    /* Release sequences: only read-modify-writes continue one. */
    {"RS+rmw", {"x=1 y=1.rel", "c=y+1", "a=y.acq b=x"}, "a=2 b=0", FORBIDDEN},
    {"RS+rmw_rmw", {"x=1 y=1.rel", "c=y+1", "d=y+1", "a=y.acq b=x"}, "a=3 b=0", FORBIDDEN},
    {"RS+rmw_of_other", {"x=1 y=1.rel", "c=y+1", "a=y.acq b=x"}, "a=1 c=0 b=0", ALLOWED},
    {"RS+rmw_relaxed_head", {"x=1 y=1", "c=y+1.ar", "a=y.acq b=x"}, "a=2 b=0", ALLOWED},
    {"RS+store_of_other", {"x=1 y=1.rel", "y=2", "a=y.acq b=x"}, "a=2 b=0", ALLOWED},
    {"RS+store_after_read", {"x=1 y=1.rel", "c=y ?c y=2", "a=y.acq b=x"}, "a=2 b=0", ALLOWED},
    {"RS+store_of_same", {"x=1 y=1.rel y=2", "a=y.acq b=x"}, "a=2 b=0", ALLOWED},
    {"RS+fence_head", {"x=1 F.rel y=1", "c=y+1", "a=y.acq b=x"}, "a=2 b=0", FORBIDDEN},
    {"RS+swap_if", {"x=1 y=1.rel", "c=y?1>2", "a=y.acq b=x"}, "a=2 b=0", FORBIDDEN},
    {"RS+swap", {"x=1 y=1.rel", "c=y:2", "a=y F.acq b=x"}, "a=2 c=1 b=0", FORBIDDEN},
    {"RS+plain", {"p=1 y=1.rel", "c=y+1", "a=y.acq ?a=2 b=p"}, "b=0", FORBIDDEN},

    /* Load buffering. */
    {"LB", {"a=x y=1", "b=y x=1"}, "a=1 b=1", UNSEEN},
    {"LB+rel", {"a=x y=1.rel", "b=y.acq x=1"}, "a=1 b=1", FORBIDDEN},
    {"LB+acq", {"a=x.acq y=1.rel", "b=y.acq x=1.rel"}, "a=1 b=1", FORBIDDEN},
    {"LB+data", {"a=x y=a", "b=y x=b"}, "a=1 b=1", FORBIDDEN},
    {"LB+fence_sc_one", {"a=x F.sc y=1", "b=y x=1"}, "a=1 b=1", UNSEEN},
    {"LB+fences_sc", {"a=x F.sc y=1", "b=y F.sc x=1"}, "a=1 b=1", FORBIDDEN},

    /* Independent reads of independent writes. */
    {"IRIW", {"x=1", "y=1", "a=x b=y", "c=y d=x"}, "a=1 b=0 c=1 d=0", ALLOWED},
    {"IRIW+acq",
     {"x=1.rel", "y=1.rel", "a=x.acq b=y.acq", "c=y.acq d=x.acq"},
     "a=1 b=0 c=1 d=0",
     ALLOWED},
    {"IRIW+sc",
     {"x=1.sc", "y=1.sc", "a=x.sc b=y.sc", "c=y.sc d=x.sc"},
     "a=1 b=0 c=1 d=0",
     FORBIDDEN},
    {"IRIW+sc_writes",
     {"x=1.sc", "y=1.sc", "a=x.acq b=y.acq", "c=y.acq d=x.acq"},
     "a=1 b=0 c=1 d=0",
     ALLOWED},
    {"IRIW+sc_last_acq",
     {"x=1.sc", "y=1.sc", "a=x.sc b=y.sc", "c=y.sc d=x.acq"},
     "a=1 b=0 c=1 d=0",
     ALLOWED},
    {"IRIW+fences_sc",
     {"x=1", "y=1", "a=x F.sc b=y", "c=y F.sc d=x"},
     "a=1 b=0 c=1 d=0",
     FORBIDDEN},
    {"IRIW+one_fence_sc",
     {"x=1.rel", "y=1.rel", "a=x.acq F.sc b=y.acq", "c=y.acq d=x.acq"},
     "a=1 b=0 c=1 d=0",
     ALLOWED},
    {"IRIW+fences_acq_rel",
     {"x=1", "y=1", "a=x F.ar b=y", "c=y F.ar d=x"},
     "a=1 b=0 c=1 d=0",
     ALLOWED},

    /* Write to read causality; the message goes through a third thread. */
    {"WRC", {"x=1", "a=x y=1", "b=y c=x"}, "a=1 b=1 c=0", ALLOWED},
    {"WRC+rel+acq", {"x=1.rel", "a=x.acq y=1.rel", "b=y.acq c=x"}, "a=1 b=1 c=0", FORBIDDEN},
    {"WRC+rlx_first", {"x=1", "a=x y=1.rel", "b=y.acq c=x"}, "a=1 b=1 c=0", FORBIDDEN},
    {"WRC+rlx_second", {"x=1.rel", "a=x.acq y=1", "b=y c=x"}, "a=1 b=1 c=0", ALLOWED},
    {"WRC+plain", {"p=1 x=1.rel", "a=x.acq ?a y=1.rel", "b=y.acq ?b c=p"}, "c=0", FORBIDDEN},
    {"WRC+plain_rlx_first", {"p=1 x=1.rel", "a=x ?a y=1.rel", "b=y.acq ?b c=p"}, "", RACE},
    {"ISA2", {"x=1 y=1", "a=y z=1", "b=z c=x"}, "a=1 b=1 c=0", ALLOWED},
    {"ISA2+rel+acq", {"x=1 y=1.rel", "a=y.acq z=1.rel", "b=z.acq c=x"}, "a=1 b=1 c=0", FORBIDDEN},
    {"ISA2+rlx_middle", {"x=1 y=1.rel", "a=y z=1", "b=z.acq c=x"}, "a=1 b=1 c=0", ALLOWED},
    {"ISA2+fences", {"x=1 F.rel y=1", "a=y F.ar z=1", "b=z F.acq c=x"}, "a=1 b=1 c=0", FORBIDDEN},
    {"WWC", {"x=2", "a=x.acq y=1.rel", "b=y.acq x=1"}, "a=2 b=1 x=2", FORBIDDEN},
    {"WWC+rlx", {"x=2", "a=x y=1", "b=y x=1"}, "a=2 b=1 x=2", ALLOWED},

    /* Orders of writes. */
    {"2+2W", {"x=1 y=2", "y=1 x=2"}, "x=1 y=1", ALLOWED},
    {"2+2W+rel", {"x=1.rel y=2.rel", "y=1.rel x=2.rel"}, "x=1 y=1", ALLOWED},
    {"2+2W+sc", {"x=1.sc y=2.sc", "y=1.sc x=2.sc"}, "x=1 y=1", FORBIDDEN},
    {"2+2W+fences_sc", {"x=1 F.sc y=2", "y=1 F.sc x=2"}, "x=1 y=1", FORBIDDEN},
    {"2+2W+one_fence_sc", {"x=1 F.sc y=2", "y=1 x=2"}, "x=1 y=1", ALLOWED},
    {"3+3W", {"x=1 y=2", "y=1 z=2", "z=1 x=2"}, "x=1 y=1 z=1", ALLOWED},
    {"R", {"x=1 y=1", "y=2 a=x"}, "y=2 a=0", ALLOWED},
    {"R+rel+acq", {"x=1.rel y=1.rel", "y=2.rel a=x.acq"}, "y=2 a=0", ALLOWED},
    {"R+sc", {"x=1.sc y=1.sc", "y=2.sc a=x.sc"}, "y=2 a=0", FORBIDDEN},
    {"R+fences_sc", {"x=1 F.sc y=1", "y=2 F.sc a=x"}, "y=2 a=0", FORBIDDEN},
    {"R+fence_sc+sc", {"x=1 F.sc y=1", "y=2.sc a=x.sc"}, "y=2 a=0", FORBIDDEN},
    {"S", {"x=2 y=1", "a=y x=1"}, "a=1 x=2", ALLOWED},
    {"S+rel+acq", {"x=2 y=1.rel", "a=y.acq x=1"}, "a=1 x=2", FORBIDDEN},
    {"S+fences", {"x=2 F.rel y=1", "a=y F.acq x=1"}, "a=1 x=2", FORBIDDEN},
    {"S+rel", {"x=2 y=1.rel", "a=y x=1"}, "a=1 x=2", ALLOWED},
    {"S+sc", {"x=2.sc y=1.sc", "a=y.sc x=1.sc"}, "a=1 x=2", FORBIDDEN},

    /* Read to write causality. */
    {"RWC", {"x=1", "a=x b=y", "y=1 c=x"}, "a=1 b=0 c=0", ALLOWED},
    {"RWC+acq", {"x=1.rel", "a=x.acq b=y.acq", "y=1.rel c=x.acq"}, "a=1 b=0 c=0", ALLOWED},
    {"RWC+sc", {"x=1.sc", "a=x.sc b=y.sc", "y=1.sc c=x.sc"}, "a=1 b=0 c=0", FORBIDDEN},
    {"RWC+fences_sc", {"x=1", "a=x F.sc b=y", "y=1 F.sc c=x"}, "a=1 b=0 c=0", FORBIDDEN},
    {"RWC+fence_sc+sc", {"x=1.sc", "a=x F.sc b=y", "y=1.sc c=x.sc"}, "a=1 b=0 c=0", FORBIDDEN},
    {"RWC+one_fence_sc", {"x=1", "a=x.acq b=y", "y=1 F.sc c=x"}, "a=1 b=0 c=0", ALLOWED},
    {"W+RWC", {"x=1 y=1.rel", "a=y.acq b=z", "z=1 F.sc c=x"}, "a=1 b=0 c=0", ALLOWED},
    {"W+RWC+fences_sc",
     {"x=1 y=1.rel", "a=y.acq F.sc b=z", "z=1 F.sc c=x"},
     "a=1 b=0 c=0",
     FORBIDDEN},
    {"W+RWC+sc", {"x=1.sc y=1.rel", "a=y.acq b=z.sc", "z=1.sc c=x.sc"}, "a=1 b=0 c=0", FORBIDDEN},
    {"Z6.3", {"x=1 y=1", "y=2 z=1", "a=z b=x"}, "y=2 a=1 b=0", ALLOWED},
    {"Z6.3+rel+acq", {"x=1 y=1.rel", "y=2.rel z=1.rel", "a=z.acq b=x"}, "y=2 a=1 b=0", ALLOWED},
    {"Z6.3+sc", {"x=1.sc y=1.sc", "y=2.sc z=1.sc", "a=z.sc b=x.sc"}, "y=2 a=1 b=0", FORBIDDEN},
    {"Z6.3+fences_sc", {"x=1 F.sc y=1", "y=2 F.sc z=1", "a=z F.sc b=x"}, "y=2 a=1 b=0", FORBIDDEN},
    {"Z6.U", {"x=1.sc y=1.rel", "b=y+1.sc c=y", "y=3.sc a=x.sc"}, "b=1 c=3 a=0", UNSEEN},
    {"fence_chain_rlx", {"x=1 F.sc y=1", "a=y z=1", "b=z F.sc c=x"}, "a=1 b=1 c=0", UNSEEN},

    /* Coherence: each word alone is sequentially consistent. */
    {"CoRR", {"x=1", "a=x b=x"}, "a=1 b=0", FORBIDDEN},
    {"CoRR2", {"x=1", "x=2", "a=x b=x", "c=x d=x"}, "a=1 b=2 c=2 d=1", FORBIDDEN},
    {"CoRR+stale", {"x=1 x=2", "a=x b=x"}, "a=1 b=1", ALLOWED},
    {"CoRR+hb", {"x=1 y=1.rel", "a=y.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"CoWW", {"x=1 x=2"}, "x=1", FORBIDDEN},
    {"CoWW+two", {"x=1", "x=2"}, "x=1", ALLOWED},
    {"CoWR", {"x=1 a=x", "x=2"}, "a=0", FORBIDDEN},
    {"CoWR2", {"x=1 a=x", "x=2"}, "a=2 x=1", FORBIDDEN},
    {"CoWR3", {"x=1 a=x", "x=2"}, "a=1 x=1", ALLOWED},
    {"CoRW", {"a=x x=1"}, "a=1", FORBIDDEN},
    {"CoRW2", {"a=x x=1", "x=2"}, "a=2 x=2", FORBIDDEN},

    /* Read-modify-writes. */
    {"RMW+two_adds", {"a=x+1", "b=x+1"}, "a=0 b=0", FORBIDDEN},
    {"RMW+two_swaps_if", {"a=x?0>1", "b=x?0>2"}, "a=0 b=0", FORBIDDEN},
    {"RMW+three_adds", {"a=x+1", "b=x+1", "c=x+1"}, "x=2", FORBIDDEN},
    {"RMW+store_between", {"a=x+1", "x=5"}, "a=0 x=1", FORBIDDEN},
    {"RMW+store_before", {"a=x+1", "x=5"}, "a=5 x=6", ALLOWED},
    {"RMW+store_behind", {"a=x+1", "x=5"}, "a=0 x=5", ALLOWED},
    {"RMW+behind_unseen_store", {"x=5 y=1", "b=y a=x+1"}, "b=1 a=0 x=5", ALLOWED},
    {"swap_if+stale_failure", {"x=1 y=1", "a=y b=x?7>8"}, "a=1 b=0", ALLOWED},
    {"swap_if+no_false_failure", {"a=x?0>1"}, "x=0", FORBIDDEN},
    {"swap_if+failure_rlx", {"x=1 y=1.rel", "a=y?7>8.ar b=x"}, "a=1 b=0", ALLOWED},
    {"swap_if+failure_acq", {"x=1 y=1.rel", "a=y?7>8.ar/acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"swap_if+success_acq", {"x=1 y=1.rel", "a=y?1>2.acq b=x"}, "a=1 b=0", FORBIDDEN},
    {"swap_if+success_rel", {"x=1 y=1.rel", "a=y?1>2.rel/acq b=x"}, "a=1 b=0", ALLOWED},

    /* Mutual exclusion in one attempt, with plain data inside. */
    {"Dekker+sc", {"x=1.sc a=y.sc ?a=0 p=1", "y=1.sc b=x.sc ?b=0 p=2"}, "a=0 b=0", FORBIDDEN},
    {"Dekker+acq_rel", {"x=1.rel a=y.acq ?a=0 p=1", "y=1.rel b=x.acq ?b=0 p=2"}, "", RACE},
    {"Dekker+fences_sc", {"x=1 F.sc a=y ?a=0 p=1", "y=1 F.sc b=x ?b=0 p=2"}, "a=0 b=0", FORBIDDEN},
    {"lock+acq_rel",
     {"a=x?0>1.acq ?a=0 p=1 x=0.rel", "b=x?0>1.acq ?b=0 p=2 x=0.rel"},
     "a=9",
     FORBIDDEN},
    {"lock+rlx", {"a=x?0>1 ?a=0 p=1 x=0.rel", "b=x?0>1 ?b=0 p=2 x=0.rel"}, "", RACE},

    /* A sequence lock: the version is even before and behind the data. */
    {"seqlock",
     {"s=1 F.rel x=1 y=1 s=2.rel", "a=s.acq b=x c=y F.acq d=s"},
     "a=0 b=1 d=0",
     FORBIDDEN},
    {"seqlock+torn",
     {"s=1 F.rel x=1 y=1 s=2.rel", "a=s.acq b=x c=y F.acq d=s"},
     "a=2 c=0 d=2",
     FORBIDDEN},
    {"seqlock+no_fence_writer",
     {"s=1 x=1 y=1 s=2.rel", "a=s.acq b=x c=y F.acq d=s"},
     "a=0 b=1 d=0",
     ALLOWED},
    {"seqlock+no_fence_reader",
     {"s=1 F.rel x=1 y=1 s=2.rel", "a=s.acq b=x c=y d=s"},
     "a=0 b=1 d=0",
     ALLOWED},

    /* Announce, then look: the two sides of a sleeper and who wakes it. */
    {"announce+fences_sc", {"x=1 F.sc a=y", "b=y:1.sc F.sc c=x"}, "a=0 c=0", FORBIDDEN},
    {"announce+rmw_sc_only", {"x=1 F.sc a=y", "b=y:1.sc c=x"}, "a=0 c=0", ALLOWED},
    {"announce+rmw_sc_acq", {"x=1 F.sc a=y", "b=y:1.sc c=x.acq"}, "a=0 c=0", ALLOWED},
    {"announce+no_fence_here", {"x=1.rel a=y", "b=y:1.sc F.sc c=x"}, "a=0 c=0", ALLOWED},
};

/* Each program that has no race once more, with and without pruning. */
static uint32_t
pruning_test(void)
{
    uint32_t wrong = 0;
    uint64_t states = 0;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].verdict != RACE && !litmus_prunes_well(&table[i], &states)) {
            printf("litmus %s: pruning loses something\n", table[i].name);
            wrong++;
        }
    }
    printf("%" PRIu64 " states of these with pruning, and the same without; %u wrong\n", states,
           wrong);
    return wrong;
}

uint32_t
litmus_table(void)
{
    static const char *const names[] = {
        [ALLOWED] = "allowed", [FORBIDDEN] = "forbidden", [RACE] = "racy", [UNSEEN] = "left out"};
    uint32_t counts[4] = {0};
    uint32_t wrong = 0;
    size_t count = sizeof(table) / sizeof(table[0]);
    for (size_t i = 0; i < count; i++) {
        counts[table[i].verdict]++;
        if (!litmus_run(&table[i])) {
            printf("litmus %s: is %s\n", table[i].name, names[table[i].verdict]);
            wrong++;
        }
    }
    printf("%zu litmus tests: %u allowed and found, %u forbidden and not found, %u racy and said "
           "so, %u allowed and left out (litmus.h); %u wrong\n",
           count, counts[ALLOWED], counts[FORBIDDEN], counts[RACE], counts[UNSEEN], wrong);
    return wrong + pruning_test();
}
