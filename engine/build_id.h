/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQ_BUILD_ID_H
#define SQ_BUILD_ID_H

#include <stdbool.h>

/* The linker's hash over the whole program (ELF note NT_GNU_BUILD_ID): other code, other number. Zeros at the end. */
struct sq_build_id {
    unsigned char bytes[32];
};

/* Of the running program. False where it was linked without one. */
bool sq_build_id(struct sq_build_id *id);

#endif
