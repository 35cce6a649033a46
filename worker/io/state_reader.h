/* SPDX-License-Identifier: Apache-2.0 */
/* Reads partitions of <app>.alert-state: all that was decided when the reading was asked for, which is all that belongs to the offset that
 * the group had committed before.
 *
 * Thread: the loop's. Nothing blocks. Partitions are read one after the other, in the order asked. The handler is never called from inside
 * an operation. */
#ifndef SQ_IO_STATE_READER_H
#define SQ_IO_STATE_READER_H

#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/str.h"

struct sq_state_handler {
    /* The next record, in the log's order; value.data NULL: deleted. Borrowed for the call. */
    void (*record)(void *cookie, struct sq_str key, struct sq_str value, void *ctx);
    /* How far it has come, offsets of the log. */
    void (*progress)(void *cookie, int64_t offset, int64_t end_offset, void *ctx);
    void (*done)(void *cookie, void *ctx);
    void *ctx;
};

struct sq_state_reader;
struct sq_state_reader_ops {
    void (*start)(struct sq_state_reader *reader, const struct sq_state_handler *handler);
    /* 0 or NOMEM; trouble with the broker is none: it goes on trying. */
    int (*read)(struct sq_state_reader *reader, int32_t partition, void *cookie, struct sq_err *err);
    void (*cancel)(struct sq_state_reader *reader, void *cookie); /* the handler hears nothing more of it */
    void (*close)(struct sq_state_reader *reader);
};
struct sq_state_reader {
    const struct sq_state_reader_ops *ops;
};

#endif
