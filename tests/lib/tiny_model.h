/* SPDX-License-Identifier: Apache-2.0 */
/* A BERT folder of a few kilobytes whose label follows from words: "bad" makes a text negative, "good" positive, else it is neutral. For
 * tests that are about records, not about the encoder. */
#ifndef SQ_TEST_TINY_MODEL_H
#define SQ_TEST_TINY_MODEL_H

#include "tests/lib/folder.h"

void test_tiny_model_write(const struct test_folder *folder);

#endif
