/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/shown.h"

void sq_shown_append(struct sq_buf *out, struct sq_str text)
{
    for (size_t i = 0; i < text.bytes; i++) {
        unsigned char c = (unsigned char)text.data[i];
        sq_buf_append_char(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
}
