/* crc32c.h - the check sum of the log: CRC-32C (Castagnoli), by the CPU's own instruction where it
 * has one.
 *
 * Source   G. Castagnoli, S. Braeuer, M. Herrmann, "Optimization of cyclic redundancy-check codes
 *          with 24 and 32 parity bits", 1993 (the polynomial); RFC 3720, B.4 (test vectors);
 *          V. Gopal and others, "Fast CRC computation for iSCSI polynomial using CRC32
 *          instruction", Intel, 2011. Differs: one stream, no folding: 8 bytes in three cycles.
 */
#ifndef ENGINE_WAL_CRC32C_H
#define ENGINE_WAL_CRC32C_H

#include "ring/base.h"

/* Of `bytes` behind those that `before` is of; 0 for none. */
uint32_t leat_crc32c(uint32_t before, const void *data, size_t bytes);

/* The same by a table: what the other one is checked against. */
uint32_t leat_crc32c_table(uint32_t before, const void *data, size_t bytes);

#endif
