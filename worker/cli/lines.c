/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

int sq_lines_open(struct sq_lines *lines, const char *path, size_t bytes_max, struct sq_err *err)
{
    bool is_stdin = !path || strcmp(path, "-") == 0;
    *lines = (struct sq_lines){.name = is_stdin ? "stdin" : path, .bytes_max = bytes_max};
    lines->file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (lines->file < 0) return sq_err_set(err, SQ_E_IO, "%s: %s", path, strerror(errno));
    return 0;
}

void sq_lines_close(struct sq_lines *lines)
{
    if (lines->file > STDIN_FILENO) close(lines->file);
    sq_buf_deinit(&lines->buf);
}

/* The next '\n' among what was read, or NULL. */
static const char *find_end(struct sq_lines *lines)
{
    if (!lines->buf.data) return NULL;
    const char *from = lines->buf.data + lines->given_bytes + lines->searched_bytes;
    size_t bytes = lines->buf.bytes - lines->given_bytes - lines->searched_bytes;
    const char *end = bytes ? memchr(from, '\n', bytes) : NULL;
    if (!end) lines->searched_bytes += bytes;
    return end;
}

/* Moves what is not yet given to the front and reads more behind it. Returns 0 or SQ_E_IO. */
static int read_more(struct sq_lines *lines, struct sq_err *err)
{
    struct sq_buf *buf = &lines->buf;
    if (lines->given_bytes) {
        buf->bytes -= lines->given_bytes;
        memmove(buf->data, buf->data + lines->given_bytes, buf->bytes);
        lines->given_bytes = 0;
    }
    char *to = sq_buf_reserve(buf, READ_BYTES);
    if (!to) return sq_err_set(err, SQ_E_NOMEM, "%s: no memory for a line", lines->name);
    ssize_t bytes;
    do bytes = read(lines->file, to, READ_BYTES);
    while (bytes < 0 && errno == EINTR);
    if (bytes < 0) return sq_err_set(err, SQ_E_IO, "%s: %s", lines->name, strerror(errno));
    lines->at_end = bytes == 0;
    buf->bytes += (size_t)bytes;
    return 0;
}

/* Gives the line of `bytes` at the front, and its '\n' where it has one. */
static int give(struct sq_lines *lines, size_t bytes, bool has_end, struct sq_str *line)
{
    *line = (struct sq_str){lines->buf.data + lines->given_bytes, bytes};
    lines->given_bytes += bytes + has_end;
    lines->searched_bytes = 0;
    return bytes > lines->bytes_max ? SQ_LINE_TOO_LONG : SQ_LINE_TEXT;
}

int sq_lines_next(struct sq_lines *lines, struct sq_str *line, struct sq_err *err)
{
    bool skipping = false; /* inside a line that is over the bound */
    for (;;) {
        const char *end = find_end(lines);
        size_t waiting_bytes = lines->buf.bytes - lines->given_bytes;
        if (end) {
            int kind = give(lines, (size_t)(end - lines->buf.data) - lines->given_bytes, true, line);
            return skipping ? SQ_LINE_TOO_LONG : kind;
        }
        if (lines->at_end) {
            if (waiting_bytes == 0) return skipping ? SQ_LINE_TOO_LONG : SQ_LINE_END;
            int kind = give(lines, waiting_bytes, false, line);
            return skipping ? SQ_LINE_TOO_LONG : kind;
        }
        if (waiting_bytes > lines->bytes_max) {
            skipping = true;
            lines->given_bytes = lines->buf.bytes;
            lines->searched_bytes = 0;
        }
        int status = read_more(lines, err);
        if (status < 0) return status;
    }
}

int sq_lines_peek(struct sq_lines *lines, size_t bytes, struct sq_str *view, struct sq_err *err)
{
    while (lines->buf.bytes - lines->given_bytes < bytes && !lines->at_end) {
        int status = read_more(lines, err);
        if (status < 0) return status;
    }
    *view = (struct sq_str){lines->buf.data + lines->given_bytes, lines->buf.bytes - lines->given_bytes};
    return 0;
}

void sq_lines_skip(struct sq_lines *lines, size_t bytes)
{
    lines->given_bytes += bytes;
    lines->searched_bytes = 0;
}

bool sq_lines_would_wait(struct sq_lines *lines)
{
    struct pollfd file = {.fd = lines->file, .events = POLLIN};
    if (lines->at_end || find_end(lines)) return false;
    return poll(&file, 1, 0) == 0;
}
