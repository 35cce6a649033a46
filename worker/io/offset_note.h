/* SPDX-License-Identifier: Apache-2.0 */
/* What is written beside a committed offset, as its metadata: the tag of the attempt that committed it (worker/io/txn_client.h; "" without
 * transactions), and the number of worker/core/breaker.h, as in "3f2a.18c.7 begun=1". Metadata of other hands reads as none of both.
 *
 * Pure. */
#ifndef SQ_IO_OFFSET_NOTE_H
#define SQ_IO_OFFSET_NOTE_H

#include "engine/base/str.h"

enum { SQ_OFFSET_NOTE_BYTES = 96 };

/* "" when there is nothing to say. The tag has no blanks and is shorter than SQ_TXN_TAG_BYTES. */
void sq_offset_note_write(char note[SQ_OFFSET_NOTE_BYTES], const char *tag, unsigned begun);

bool sq_offset_note_has_tag(struct sq_str note, const char *tag);
unsigned sq_offset_note_begun(struct sq_str note); /* 0: none */

#endif
