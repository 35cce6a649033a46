/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target promises; a broken promise ends the process, so that the fuzzer keeps the input. */
#ifndef SQ_FUZZ_REQUIRE_H
#define SQ_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                                                                        \
    do {                                                                                                                          \
        if (!(condition)) {                                                                                                       \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                       \
            abort();                                                                                                              \
        }                                                                                                                         \
    } while (0)

#endif
