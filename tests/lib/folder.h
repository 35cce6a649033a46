/* SPDX-License-Identifier: Apache-2.0 */
/* Folders that live as long as a test. */
#ifndef SQ_TEST_FOLDER_H
#define SQ_TEST_FOLDER_H

#include "engine/base/buf.h"

struct test_folder {
    char path[256];
};

/* Under TMPDIR or /tmp; aborts when it can't, as the others do. */
void test_folder_init(struct test_folder *folder);
void test_folder_deinit(struct test_folder *folder); /* with everything in it */

void test_folder_write(const struct test_folder *folder, const char *file, struct sq_str contents);
void test_folder_remove(const struct test_folder *folder, const char *file);

/* A whole file of the source tree (path from its root) or, with a leading slash, of anywhere. The caller deinitialises buf. */
void test_read_file(const char *path, struct sq_buf *buf);

#endif
