/* SPDX-License-Identifier: Apache-2.0 */
/* The log: one line an event on stderr, as text for people or as JSON for machines.
 *
 *     sq_log(SQ_LOG_INFO, SQ_L("partitions assigned"), SQ_LS("stage", "score"), SQ_LI("count", 3));
 *     2026-01-31T12:00:00.123Z INFO  partitions assigned stage=score count=3
 *     {"ts":"2026-01-31T12:00:00.123Z","level":"info","msg":"partitions assigned","stage":"score","count":3}
 *
 * Texts of records never go in. Thread-safe: a line is one write. Lines are cut at SQ_LOG_LINE_BYTES. */
#ifndef SQ_IO_LOG_H
#define SQ_IO_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/io/config.h" /* the levels and formats are configuration */

enum { SQ_LOG_LINE_BYTES = 2048 };

struct sq_log_field {
    const char *key;
    enum { SQ_LOG_KIND_STR, SQ_LOG_KIND_INT, SQ_LOG_KIND_REAL } kind;
    const char *str;
    int64_t integer;
    double real;
};
#define SQ_LS(name, value) ((struct sq_log_field){.key = (name), .kind = SQ_LOG_KIND_STR, .str = (value)})
#define SQ_LI(name, value) ((struct sq_log_field){.key = (name), .kind = SQ_LOG_KIND_INT, .integer = (int64_t)(value)})
#define SQ_LR(name, value) ((struct sq_log_field){.key = (name), .kind = SQ_LOG_KIND_REAL, .real = (value)})
#define SQ_L(message) SQ_LS("msg", message) /* always the first */

#define sq_log(level, ...) sq_log_write((level), (const struct sq_log_field[]){__VA_ARGS__, {0}})

/* Level INFO and AUTO on stderr until set: text on a terminal, JSON elsewhere. Before other threads start. */
void sq_log_set(enum sq_log_level level, enum sq_log_format format);
void sq_log_set_fd(int fd); /* for tests; not owned */
bool sq_log_enabled(enum sq_log_level level);
void sq_log_write(enum sq_log_level level, const struct sq_log_field *fields);

/* One line an interval for what can happen a thousand times a second. */
struct sq_log_limit {
    _Atomic uint64_t next_ns;
    _Atomic uint64_t suppressed;
};
/* True when a line may go out; *suppressed (may be NULL) says how many were held back since the last one. Thread-safe. */
bool sq_log_allow(struct sq_log_limit *limit, uint64_t interval_ms, uint64_t *suppressed);

#endif
