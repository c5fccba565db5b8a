/* crc32c.c - see crc32c.h. */
#include "engine/wal/crc32c.h"

#include <string.h>

#if defined(__aarch64__)
#    include <sys/auxv.h>
#endif

/* Reflected: x^32 is the lowest bit's neighbour below. */
#define POLYNOMIAL UINT32_C(0x82f63b78)

/* Of each half of a byte. */
static uint32_t
nibble(uint32_t value)
{
    for (uint32_t bit = 0; bit < 4; bit++) {
        value = (value & 1) != 0 ? value >> 1 ^ POLYNOMIAL : value >> 1;
    }
    return value;
}

uint32_t
leat_crc32c_table(uint32_t before, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    uint32_t table[16];
    uint32_t crc = ~before;
    for (uint32_t i = 0; i < 16; i++) {
        table[i] = nibble(i);
    }
    for (size_t i = 0; i < bytes; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

#if defined(__x86_64__)

static bool
has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) static uint32_t
by_instruction(uint32_t before, const unsigned char *at, size_t bytes)
{
    uint64_t crc = ~before;
    for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t eight = 0;
        memcpy(&eight, at, sizeof(eight));
        crc = __builtin_ia32_crc32di(crc, eight);
    }
    uint32_t rest = (uint32_t)crc;
    for (; bytes != 0; bytes--, at++) {
        rest = __builtin_ia32_crc32qi(rest, *at);
    }
    return ~rest;
}

#elif defined(__aarch64__)

#    define HWCAP_OF_CRC32 (1UL << 7)

static bool
has_instruction(void)
{
    return (getauxval(AT_HWCAP) & HWCAP_OF_CRC32) != 0;
}

static uint32_t
by_instruction(uint32_t before, const unsigned char *at, size_t bytes)
{
    uint32_t crc = ~before;
    for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t eight = 0;
        memcpy(&eight, at, sizeof(eight));
        __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(eight));
    }
    for (; bytes != 0; bytes--, at++) {
        __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"((uint32_t)*at));
    }
    return ~crc;
}

#else

static bool
has_instruction(void)
{
    return false;
}

static uint32_t
by_instruction(uint32_t before, const unsigned char *at, size_t bytes)
{
    return leat_crc32c_table(before, at, bytes);
}

#endif

uint32_t
leat_crc32c(uint32_t before, const void *data, size_t bytes)
{
    return LEAT_LIKELY(has_instruction()) ? by_instruction(before, data, bytes)
                                          : leat_crc32c_table(before, data, bytes);
}
