/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
    const char *word;
    const char *meaning;
    enum sq_err_class class;
    int exit_code;
};

static const struct row rows[] = {
#define SQ_ERR_INIT(name, word, class, exit_code, meaning) {word, meaning, SQ_CLASS_##class, exit_code},
    SQ_ERR_TABLE(SQ_ERR_INIT)
#undef SQ_ERR_INIT
};

static const struct row *row_of(int code)
{
    if (code > 0 || code <= -(int)SQ_ERR_COUNT) code = SQ_E_STATE;
    return &rows[-code];
}

int sq_err_set(struct sq_err *err, int code, const char *format, ...)
{
    if (!err) return code;
    err->code = code;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return code;
}

int sq_err_prefix(struct sq_err *err, const char *format, ...)
{
    if (!err) return SQ_E_FAILED;
    char message[SQ_ERR_MESSAGE_BYTES];
    memcpy(message, err->message, sizeof message);

    va_list args;
    va_start(args, format);
    int prefix_bytes = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (prefix_bytes >= 0 && (size_t)prefix_bytes < sizeof err->message) {
        size_t room = sizeof err->message - (size_t)prefix_bytes;
        snprintf(err->message + prefix_bytes, room, "%s", message);
    }
    return err->code;
}

const char *sq_err_word(int code) { return row_of(code)->word; }
const char *sq_err_meaning(int code) { return row_of(code)->meaning; }
enum sq_err_class sq_err_class(int code) { return row_of(code)->class; }
int sq_err_exit_code(int code) { return row_of(code)->exit_code; }
