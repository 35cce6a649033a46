/* SPDX-License-Identifier: Apache-2.0 */
/* The most that a core can do with the instructions of a rung: loops over registers alone, without a load, a store or a dependency that
 * anything waits for. What a kernel reaches is measured against them. */
#ifndef SQ_BENCH_ROOFLINE_H
#define SQ_BENCH_ROOFLINE_H

#include <stddef.h>
#include <stdint.h>

struct roofline {
    const char *isa, *rung;  /* by the names of sq_kernels_choose and sq_kernels_rung */
    const char *instruction;
    void (*run)(uint64_t turns); /* only where the CPU has it */
    unsigned ops; /* of a turn: a multiplication and an addition are two */
};

/* One a rung that has an instruction of its own, ended by a row without a name. */
extern const struct roofline rooflines[];

#endif
