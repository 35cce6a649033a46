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

/* How many inputs were sound so far, and how many of the kept ones must be. Targets of a format with a version count them: its next version would
 * make a corpus of refused files of theirs, and replay.c says so. */
extern unsigned sq_fuzz_sound, sq_fuzz_sound_min;
#define SOUND_AT_LEAST(min) \
    unsigned sq_fuzz_sound; \
    unsigned sq_fuzz_sound_min = (min)

#endif
