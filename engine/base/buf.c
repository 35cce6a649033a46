/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY_MIN_BYTES = 256 };

void sq_buf_init(struct sq_buf *buf) { *buf = (struct sq_buf){0}; }

void sq_buf_deinit(struct sq_buf *buf)
{
    free(buf->data);
    sq_buf_init(buf);
}

void sq_buf_clear(struct sq_buf *buf)
{
    buf->bytes = 0;
    buf->failed = false;
    if (buf->data) buf->data[0] = '\0';
}

bool sq_buf_failed(const struct sq_buf *buf) { return buf->failed; }

char *sq_buf_reserve(struct sq_buf *buf, size_t bytes)
{
    if (buf->failed) return NULL;
    if (bytes < buf->capacity_bytes - buf->bytes) return buf->data + buf->bytes;

    size_t capacity = buf->capacity_bytes ? buf->capacity_bytes : CAPACITY_MIN_BYTES;
    while (capacity - buf->bytes <= bytes && capacity <= SIZE_MAX / 2) capacity *= 2;
    char *data = capacity - buf->bytes > bytes ? realloc(buf->data, capacity) : NULL;
    if (!data) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->capacity_bytes = capacity;
    return buf->data + buf->bytes;
}

void sq_buf_append(struct sq_buf *buf, const void *data, size_t bytes)
{
    char *to = sq_buf_reserve(buf, bytes);
    if (!to) return;
    if (bytes) memcpy(to, data, bytes);
    buf->bytes += bytes;
    buf->data[buf->bytes] = '\0';
}

void sq_buf_append_str(struct sq_buf *buf, struct sq_str str) { sq_buf_append(buf, str.data, str.bytes); }
void sq_buf_append_text(struct sq_buf *buf, const char *text) { sq_buf_append(buf, text, strlen(text)); }
void sq_buf_append_char(struct sq_buf *buf, char c) { sq_buf_append(buf, &c, 1); }

void sq_buf_printf(struct sq_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = bytes >= 0 ? sq_buf_reserve(buf, (size_t)bytes) : NULL;
    if (to) {
        vsnprintf(to, (size_t)bytes + 1, format, again);
        buf->bytes += (size_t)bytes;
    } else {
        buf->failed = true;
    }
    va_end(again);
}
