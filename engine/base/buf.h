/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer for building texts and records. The first failed allocation sticks: later appends do nothing, and the owner
 * asks sq_buf_failed once at the end instead of checking every call. */
#ifndef SQ_BASE_BUF_H
#define SQ_BASE_BUF_H

#include "engine/base/str.h"

struct sq_buf {
    char *data; /* always NUL-terminated at [bytes] once anything was appended; owned */
    size_t bytes;
    size_t capacity_bytes;
    bool failed;
};

void sq_buf_init(struct sq_buf *buf);
void sq_buf_deinit(struct sq_buf *buf);
void sq_buf_clear(struct sq_buf *buf); /* empties it, keeps the memory */
bool sq_buf_failed(const struct sq_buf *buf);

void sq_buf_append(struct sq_buf *buf, const void *data, size_t bytes);
void sq_buf_append_str(struct sq_buf *buf, struct sq_str str);
void sq_buf_append_text(struct sq_buf *buf, const char *text);
void sq_buf_append_char(struct sq_buf *buf, char c);
void sq_buf_printf(struct sq_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `bytes` more, to be filled by the caller, who then adds to buf->bytes; NULL on failure. */
char *sq_buf_reserve(struct sq_buf *buf, size_t bytes);

static inline struct sq_str sq_buf_view(const struct sq_buf *buf) { return (struct sq_str){buf->data, buf->bytes}; }

#endif
