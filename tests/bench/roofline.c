/* SPDX-License-Identifier: Apache-2.0 */
/* In assembler, so that a turn is these instructions and no others, and the file needs no flags. There are more sums than instructions in
 * flight: two start a cycle, and each takes four cycles, vdpbf16ps six. */
#include "tests/bench/roofline.h"

#if defined(__x86_64__)

#define USED "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

/* Registers above 15 exist with AVX-512 only and hold nothing across calls; a compiler without the flag has no name for them.
 * Registers 14 and 15 are the operands: as floats, as pairs of 16-bit floats and as bytes something neither zero nor subnormal. */
#define LOOP(name, registers, body)                                                             \
    static void name(uint64_t turns)                                                            \
    {                                                                                           \
        static const uint32_t operand = 0x3f7f3f7fu;                                            \
        __asm__ volatile("vbroadcastss %[operand], %%" registers "14\n\t"                        \
                         "vbroadcastss %[operand], %%" registers "15\n\t"                        \
                         ".p2align 6\n"                                                         \
                         "1:\n\t" body "dec %[turns]\n\t"                                        \
                         "jnz 1b\n\t"                                                           \
                         "vzeroupper"                                                           \
                         : [turns] "+r"(turns)                                                  \
                         : [operand] "m"(operand)                                               \
                         : USED);                                                               \
    }

#define TWELVE(one) one("0") one("1") one("2") one("3") one("4") one("5") one("6") one("7") one("8") one("9") one("10") one("11")
#define TWENTY_FOUR(one) \
    TWELVE(one) one("16") one("17") one("18") one("19") one("20") one("21") one("22") one("23") one("24") one("25") one("26") one("27")
#define EIGHT(one) one("0") one("1") one("2") one("3") one("4") one("5") one("6") one("7")

#define DPBUSD_ZMM(sum) "vpdpbusd %%zmm14, %%zmm15, %%zmm" sum "\n\t"
#define DPBUSD_YMM(sum) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" sum "\n\t"
#define DPBF16_ZMM(sum) "vdpbf16ps %%zmm14, %%zmm15, %%zmm" sum "\n\t"
#define FMA_ZMM(sum) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" sum "\n\t"
#define FMA_YMM(sum) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" sum "\n\t"
#define WIDEN_YMM(sum) "vpmaddwd %%ymm12, %%ymm14, %%ymm12\n\tvpaddd %%ymm12, %%ymm" sum ", %%ymm" sum "\n\t"
#define MADDUBS_YMM(sum) "vpmaddubsw %%ymm14, %%ymm15, %%ymm12\n\t" WIDEN_YMM(sum)
#define TWO_MADDUBS_YMM(sum) \
    "vpmaddubsw %%ymm14, %%ymm15, %%ymm12\n\tvpmaddubsw %%ymm14, %%ymm15, %%ymm13\n\tvpaddw %%ymm12, %%ymm13, %%ymm12\n\t" WIDEN_YMM(sum)

LOOP(dpbusd_zmm, "zmm", TWENTY_FOUR(DPBUSD_ZMM))
LOOP(dpbusd_ymm, "ymm", TWELVE(DPBUSD_YMM))
LOOP(dpbf16_zmm, "zmm", TWENTY_FOUR(DPBF16_ZMM))
LOOP(fma_zmm, "zmm", TWENTY_FOUR(FMA_ZMM))
LOOP(fma_ymm, "ymm", TWELVE(FMA_YMM))
LOOP(maddubs_ymm, "ymm", EIGHT(MADDUBS_YMM))
LOOP(two_maddubs_ymm, "ymm", EIGHT(TWO_MADDUBS_YMM))

const struct roofline rooflines[] = {
    {"avx512vnni", "int8", "vpdpbusd zmm", dpbusd_zmm, 24 * 64 * 2},
    {"avxvnni", "int8", "vpdpbusd ymm", dpbusd_ymm, 12 * 32 * 2},
    {"avx2", "int8", "vpmaddubsw ymm, two added", two_maddubs_ymm, 8 * 64 * 2},
    {"avx2", "a8w7", "vpmaddubsw ymm", maddubs_ymm, 8 * 32 * 2},
    {"avx512bf16", "bf16", "vdpbf16ps zmm", dpbf16_zmm, 24 * 32 * 2},
    {"avx512", "fp32", "vfmadd231ps zmm", fma_zmm, 24 * 16 * 2},
    {"avx2", "fp32", "vfmadd231ps ymm", fma_ymm, 12 * 8 * 2},
    {NULL, NULL, NULL, NULL, 0},
};

#else
const struct roofline rooflines[] = {{NULL, NULL, NULL, NULL, 0}};
#endif
