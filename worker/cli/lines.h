/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a stream line by line in bounded memory. A line is what '\n' ends, without it; bytes after the last '\n' are a line as well. NUL
 * bytes are bytes like any other. A line over the bound is skipped to its end and told of. */
#ifndef SQ_LINES_H
#define SQ_LINES_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

struct sq_lines {
    int file;
    const char *name;  /* for errors; borrowed */
    size_t bytes_max;  /* of a line */
    struct sq_buf buf; /* what was read and not yet given */
    size_t given_bytes; /* at the front of buf */
    size_t searched_bytes; /* from given_bytes on: no '\n' in there */
    bool at_end;
};

enum sq_line { SQ_LINE_END, SQ_LINE_TEXT, SQ_LINE_TOO_LONG };

/* path "-" or NULL is stdin. SQ_E_IO when it can't be opened. */
int sq_lines_open(struct sq_lines *lines, const char *path, size_t bytes_max, struct sq_err *err);
void sq_lines_close(struct sq_lines *lines);

/* An enum sq_line, or SQ_E_IO. *line is valid until the next call and set only for SQ_LINE_TEXT. May block in read. */
int sq_lines_next(struct sq_lines *lines, struct sq_str *line, struct sq_err *err);

/* For formats without lines: *view is what comes next, at least `bytes` of it where the stream has so many, until the next call. 0 or
 * SQ_E_IO, SQ_E_NOMEM. May block in read. */
int sq_lines_peek(struct sq_lines *lines, size_t bytes, struct sq_str *view, struct sq_err *err);
void sq_lines_skip(struct sq_lines *lines, size_t bytes); /* no more than were seen */

/* True when the next call would wait for somebody to write: then it is time to show what is done so far. */
bool sq_lines_would_wait(struct sq_lines *lines);

#endif
