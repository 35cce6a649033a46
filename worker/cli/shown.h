/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of strangers on a terminal. */
#ifndef SQ_CLI_SHOWN_H
#define SQ_CLI_SHOWN_H

#include "engine/base/buf.h"

/* Appends the text with a `?` for each control character. */
void sq_shown_append(struct sq_buf *out, struct sq_str text);

#endif
