/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: one table, a class for each row that the pipeline switches on, and a message that says where and what to do.
 *
 * A function that can fail returns 0 or one of the negative codes below and fills its `struct sq_err *err`. The class decides what
 * happens to the record or the process, so no caller compares single codes. Reasons of dead letters, the metric's label values and
 * ops/docs/ERRORS.md all come out of this table.
 *
 * Memory is no exception: each allocation that fails is NOMEM to the caller (or a sticky flag that the caller asks for, sq_buf_failed), and
 * never ends the process by itself; tests/torture lets them fail one by one. `assert` is for promises among our own functions, never for input
 * or resources. One place calls abort(): the watchdog, for a forward pass that hangs, as nothing else can end a thread that does. */
#ifndef SQ_BASE_ERR_H
#define SQ_BASE_ERR_H

#include <stddef.h>

enum sq_err_class {
    SQ_CLASS_OK,
    SQ_CLASS_RETRY,  /* the same input may succeed later */
    SQ_CLASS_POISON, /* this record never will: to the dead letters */
    SQ_CLASS_FATAL,  /* stop the process with the row's exit code */
    SQ_CLASS_BUG,    /* a broken promise of our own code */
};

/* X(NAME, "word", CLASS, exit code, "meaning") */
#define SQ_ERR_TABLE(X)                                                                                                          \
    X(OK, "ok", OK, 0, "no error")                                                                                               \
    X(FAILED, "failed", FATAL, 1, "a failure that no other row names")                                                           \
    X(NOMEM, "no_memory", FATAL, 1, "memory is used up: raise the limit, or lower model.threads or the queue bounds")            \
    X(IO, "io", FATAL, 1, "a file or socket could not be read or written")                                                       \
    X(USAGE, "usage", FATAL, 2, "the command line is wrong: see squall COMMAND --help")                                          \
    X(CONFIG, "config", FATAL, 78, "the configuration is wrong: the message names file, line and key")                           \
    X(MODEL_FILE, "model_file", FATAL, 78, "a model folder can't be used: the message names the file and the field")             \
    X(KAFKA_FATAL, "kafka_fatal", FATAL, 1, "the Kafka client can't go on: fenced, or an unrecoverable state")                   \
    X(BROKER, "broker", RETRY, 69, "no broker can be reached")                                                                   \
    X(TIMEOUT, "timeout", RETRY, 1, "no answer in time")                                                                         \
    X(FULL, "full", RETRY, 1, "a bounded queue is full: take less until it drains")                                              \
    X(CLOSED, "closed", RETRY, 1, "the queue or pool is shutting down")                                                          \
    X(DECODE, "decode", POISON, 1, "the record is not in the configured format")                                                 \
    X(MISSING_FIELD, "missing_field", POISON, 1, "a required field is absent or null")                                           \
    X(WRONG_TYPE, "wrong_type", POISON, 1, "a field has another type than the configuration says")                               \
    X(INVALID_UTF8, "invalid_utf8", POISON, 1, "a text is not valid UTF-8")                                                      \
    X(EMPTY, "empty", POISON, 1, "the text is empty or only white space, or the record has no value")                            \
    X(TOO_LARGE, "too_large", POISON, 1, "the record or the text is over its bound")                                             \
    X(TOKENIZE, "tokenize", POISON, 1, "the tokenizer refused the text")                                                         \
    X(INFERENCE, "model", POISON, 1, "the model gave no finite scores for the text")                                             \
    X(UNREADABLE, "unreadable", POISON, 1, "the Kafka client can't unpack the record's batch: damaged, or it expands without bound") \
    X(CRASH_LOOP, "crash_loop", POISON, 1, "workers died over it: several in a row without getting further, the last with no other record in flight") \
    X(PRODUCE, "produce", POISON, 1, "the broker refused this record")                                                           \
    X(STATE, "state", BUG, 1, "an internal state that should not exist: please report it")

enum sq_err_row {
#define SQ_ERR_ROW(name, word, class, exit_code, meaning) SQ_ERR_ROW_##name,
    SQ_ERR_TABLE(SQ_ERR_ROW)
#undef SQ_ERR_ROW
        SQ_ERR_COUNT
};

enum sq_err_code {
#define SQ_ERR_CODE(name, word, class, exit_code, meaning) SQ_E_##name = -(int)SQ_ERR_ROW_##name,
    SQ_ERR_TABLE(SQ_ERR_CODE)
#undef SQ_ERR_CODE
};

enum { SQ_ERR_MESSAGE_BYTES = 1024 };

struct sq_err {
    int code;                           /* 0 or SQ_E_* */
    char message[SQ_ERR_MESSAGE_BYTES]; /* a sentence for people, cut to fit; no newline at its end */
};

/* Fills err and returns code, so that `return sq_err_set(...)` reads well. err may be NULL. */
int sq_err_set(struct sq_err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts a context such as "model/config.json: " before the message; returns err->code. */
int sq_err_prefix(struct sq_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All total: a code outside the table is treated as STATE. */
const char *sq_err_word(int code);
const char *sq_err_meaning(int code);
enum sq_err_class sq_err_class(int code);
int sq_err_exit_code(int code);

#endif
