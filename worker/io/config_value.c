/* SPDX-License-Identifier: Apache-2.0 */
/* Values from what stands in a file. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/utf8.h"
#include "worker/io/config_value.h"

/* ---- One scalar: `to` is where it goes ---- */

typedef int (*read_fn)(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err);

static int expected(struct sq_err *err, struct sq_str found, const char *what)
{
    return sq_err_set(err, SQ_E_CONFIG, "expected %s, found '%.*s'", what, found.bytes > 60 ? 60 : (int)found.bytes, found.data ? found.data : "");
}

static bool in_bounds(const struct sq_config_row *row, double value) { return value >= row->min && value <= row->max; }

static int read_text(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    if (text.bytes >= row->bytes) return sq_err_set(err, SQ_E_CONFIG, "it has %zu bytes, at most %zu are allowed", text.bytes, row->bytes - 1);
    if (sq_utf8_valid_bytes(text) != text.bytes) return sq_err_set(err, SQ_E_CONFIG, "it is not valid UTF-8");
    for (size_t i = 0; i < text.bytes; i++)
        if ((unsigned char)text.data[i] < 0x20) return sq_err_set(err, SQ_E_CONFIG, "it holds a control character");
    memset(to, 0, row->bytes);
    if (text.bytes) memcpy(to, text.data, text.bytes);
    return 0;
}

static int read_bool(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    (void)row;
    bool is_true = sq_str_equal(text, SQ_STR("true"));
    if (!is_true && !sq_str_equal(text, SQ_STR("false"))) return expected(err, text, "true or false");
    *(bool *)to = is_true;
    return 0;
}

static void store_integer(size_t bytes, void *to, int64_t number)
{
    int32_t narrow = (int32_t)number;
    if (bytes == sizeof number) memcpy(to, &number, bytes);
    else memcpy(to, &narrow, bytes);
}

/* strtod takes white space, hexadecimal, "inf" and "nan": a configuration doesn't. */
static bool as_real(struct sq_str text, const char *characters, double *number)
{
    char digits[40];
    if (text.bytes == 0 || text.bytes >= sizeof digits) return false;
    memcpy(digits, text.data, text.bytes);
    digits[text.bytes] = '\0';
    if (strspn(digits, characters) != text.bytes) return false;
    char *end;
    *number = strtod(digits, &end);
    return *end == '\0' && isfinite(*number);
}

static int read_int(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    double number = 0;
    char what[96];
    bool is_zero_word = row->zero_word && sq_str_equal(text, sq_str_view(row->zero_word));
    bool is_number = is_zero_word || as_real(text, "0123456789-", &number);
    if (row->zero_word && number < 1 && !is_zero_word) is_number = false;
    if (row->min == row->max) snprintf(what, sizeof what, "%.0f", row->min);
    else if (row->zero_word) snprintf(what, sizeof what, "%s or a whole number from 1 to %.0f", row->zero_word, row->max);
    else snprintf(what, sizeof what, "a whole number from %.0f to %.0f", row->min, row->max);
    if (!is_number || !in_bounds(row, number)) return expected(err, text, what);
    store_integer(row->bytes, to, (int64_t)number);
    return 0;
}

static int read_real(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    double number;
    char what[96];
    snprintf(what, sizeof what, "a number from %g to %g", row->min, row->max);
    if (!as_real(text, "0123456789.eE+-", &number) || !in_bounds(row, number)) return expected(err, text, what);
    memcpy(to, &number, sizeof number);
    return 0;
}

static int read_duration(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    int64_t ms;
    char least[32], most[32], what[128];
    if (!sq_config_duration_parse(text, &ms)) return expected(err, text, "a duration with its unit, such as 500ms, 30s, 15m, 2h or 7d");
    sq_config_duration_format((int64_t)row->min, least);
    sq_config_duration_format((int64_t)row->max, most);
    snprintf(what, sizeof what, "a duration from %s to %s", least, most);
    if (!in_bounds(row, (double)ms)) return expected(err, text, what);
    memcpy(to, &ms, sizeof ms);
    return 0;
}

static int read_size(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    struct sq_str rest = text;
    int64_t number = 0;
    bool is_number = sq_config_take_number(&rest, &number);
    int64_t unit = rest.bytes == 0 ? 1 : sq_str_equal(rest, SQ_STR("KiB")) ? 1024 : sq_str_equal(rest, SQ_STR("MiB")) ? 1024 * 1024 : 0;
    char what[96];
    snprintf(what, sizeof what, "a size from %.0f to %.0f bytes, as 65536 or 64KiB", row->min, row->max);
    if (!is_number || unit == 0 || !in_bounds(row, (double)number * (double)unit)) return expected(err, text, what);
    size_t bytes = (size_t)(number * unit);
    memcpy(to, &bytes, sizeof bytes);
    return 0;
}

static void list_words(const char *const *words, char *out, size_t out_bytes)
{
    size_t used = (size_t)snprintf(out, out_bytes, "%s", words[1] ? "one of " : "");
    for (size_t i = 0; words[i] && used < out_bytes; i++)
        used += (size_t)snprintf(out + used, out_bytes - used, "%s%s", i ? ", " : "", words[i]);
}

static int find_word(const struct sq_config_row *row, struct sq_str text, unsigned *index, struct sq_err *err)
{
    for (*index = 0; row->words[*index]; ++*index)
        if (sq_str_equal(text, sq_str_view(row->words[*index]))) return 0;
    for (size_t i = 0; row->later_words && row->later_words[i]; i++)
        if (sq_str_equal(text, sq_str_view(row->later_words[i])))
            return sq_err_set(err, SQ_E_CONFIG, "'%s' is not available in this version; it comes later", row->later_words[i]);
    char what[160];
    list_words(row->words, what, sizeof what);
    return expected(err, text, what);
}

static int read_word(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    unsigned index;
    int code = find_word(row, text, &index, err);
    if (code != 0) return code;
    if (row->bytes == sizeof(bool)) *(bool *)to = index != 0;
    else memcpy(to, &index, sizeof index);
    return 0;
}

static int read_set(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    unsigned index, bits;
    int code = find_word(row, text, &index, err);
    if (code != 0) return code;
    memcpy(&bits, to, sizeof bits);
    bits |= 1u << index;
    memcpy(to, &bits, sizeof bits);
    return 0;
}

static int read_field(const struct sq_config_row *row, void *to, struct sq_str text, struct sq_err *err)
{
    (void)row;
    struct sq_field field;
    int code = sq_field_parse(&field, text, err);
    if (code == 0) memcpy(to, &field, sizeof field);
    return code;
}

static const read_fn readers[] = {
    [SQ_KIND_TEXT] = read_text,   [SQ_KIND_BOOL] = read_bool, [SQ_KIND_INT] = read_int,     [SQ_KIND_REAL] = read_real,
    [SQ_KIND_DURATION] = read_duration, [SQ_KIND_SIZE] = read_size, [SQ_KIND_WORD] = read_word, [SQ_KIND_SET] = read_set,
    [SQ_KIND_TEXTS] = read_text,  [SQ_KIND_DURATIONS] = read_duration, [SQ_KIND_FIELD] = read_field,
};

/* ---- Members ---- */

bool sq_config_value_is_list(enum sq_config_kind kind) { return kind == SQ_KIND_SET || kind == SQ_KIND_TEXTS || kind == SQ_KIND_DURATIONS; }

/* Into a copy first, so that a mistake in the third item leaves the old list whole. */
static int set_list(const struct sq_config_row *row, void *base, const struct sq_config_given *given, struct sq_err *err)
{
    size_t bytes = row->bytes * row->items_max;
    char *items = calloc(1, bytes);
    if (!items) return sq_err_set(err, SQ_E_NOMEM, "no memory for a list");
    int code = 0;
    if (row->kind != SQ_KIND_SET && given->count > row->items_max)
        code = sq_err_set(err, SQ_E_CONFIG, "it has %u items, at most %u are allowed", given->count, row->items_max);
    if (row->kind == SQ_KIND_DURATIONS && !row->count_offset && given->count != row->items_max)
        code = sq_err_set(err, SQ_E_CONFIG, "it has %u items, just %u are expected", given->count, row->items_max);
    for (unsigned i = 0; i < given->count && code == 0; i++)
        code = readers[row->kind](row, items + (row->kind == SQ_KIND_SET ? 0 : i * row->bytes), given->items[i], err);
    if (code == 0) {
        memcpy((char *)base + row->offset, items, bytes);
        if (row->count_offset) memcpy((char *)base + row->count_offset, &given->count, sizeof given->count);
    }
    free(items);
    return code;
}

int sq_config_value_set(const struct sq_config_row *row, void *base, const struct sq_config_given *given, struct sq_err *err)
{
    bool wants_list = sq_config_value_is_list(row->kind);
    if (row->flags & SQ_ROW_ONE_OR_MANY && !given->is_list) return set_list(row, base, given, err);
    if (wants_list && !given->is_list) return expected(err, given->items[0], "a list, as in [a, b]");
    if (!wants_list && given->is_list) return sq_err_set(err, SQ_E_CONFIG, "expected a single value, found a list");
    if (wants_list) return set_list(row, base, given, err);
    return readers[row->kind](row, (char *)base + row->offset, given->items[0], err);
}

static struct sq_str trimmed(struct sq_str text)
{
    while (text.bytes && strchr(" \t", text.data[0])) text = (struct sq_str){text.data + 1, text.bytes - 1};
    while (text.bytes && strchr(" \t", text.data[text.bytes - 1])) text.bytes--;
    return text;
}

int sq_config_value_set_text(const struct sq_config_row *row, void *base, struct sq_str text, struct sq_err *err)
{
    struct sq_str items[SQ_CONFIG_ITEMS_MAX] = {text};
    struct sq_config_given given = {items, 1, false};
    if (row->kind == SQ_KIND_PAIRS) {
        if (text.bytes) return sq_err_set(err, SQ_E_CONFIG, "name the property too, as in %s.linger.ms=5", row->path);
        memset((char *)base + row->offset, 0, sizeof(struct sq_config_pairs));
        return 0;
    }
    if (!sq_config_value_is_list(row->kind)) return sq_config_value_set(row, base, &given, err);

    text = trimmed(text);
    if (text.bytes >= 2 && text.data[0] == '[' && text.data[text.bytes - 1] == ']') text = (struct sq_str){text.data + 1, text.bytes - 2};
    given = (struct sq_config_given){items, 0, true};
    for (bool more = trimmed(text).bytes > 0; more;) {
        const char *comma = memchr(text.data, ',', text.bytes);
        size_t bytes = comma ? (size_t)(comma - text.data) : text.bytes;
        if (given.count == SQ_CONFIG_ITEMS_MAX) return sq_err_set(err, SQ_E_CONFIG, "it has more than %d items", SQ_CONFIG_ITEMS_MAX);
        items[given.count++] = trimmed((struct sq_str){text.data, bytes});
        more = comma != NULL;
        if (more) text = (struct sq_str){comma + 1, text.bytes - bytes - 1};
    }
    return sq_config_value_set(row, base, &given, err);
}
