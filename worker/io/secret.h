/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets come from files alone; what they hold is never logged or shown. */
#ifndef SQ_IO_SECRET_H
#define SQ_IO_SECRET_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

/* The file's text without the white space at its end, with a NUL behind it. key: of the configuration, for errors. SQ_E_CONFIG: the file can't
 * be read, is empty, or holds a NUL. */
int sq_secret_read(struct sq_buf *secret, const char *key, const char *path, struct sq_err *err);

#endif
