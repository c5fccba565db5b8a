/* prng.h - random numbers that a seed brings back. A test prints its seed; LEAT_TEST_SEED in the
 * environment repeats it. */
#ifndef TESTS_SUPPORT_PRNG_H
#define TESTS_SUPPORT_PRNG_H

#include <stdint.h>

struct test_prng {
    uint64_t state;
};

/* Source: Sebastiano Vigna, "splitmix64", 2015. Any seed will do, also 0. */
static inline uint64_t
test_random(struct test_prng *prng)
{
    prng->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = prng->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/* 0 .. below - 1. The bias of the remainder does not matter to a test. */
static inline uint32_t
test_random_below(struct test_prng *prng, uint32_t below)
{
    return (uint32_t)(test_random(prng) % below);
}

/* The seed of this run, printed as `name: seed N`. */
uint64_t test_seed(const char *name);

#endif
