/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/config_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "engine/base/json.h"
#include "engine/base/utf8.h"

/* ---- Durations ---- */

static const struct {
    const char *name; /* "ms" before "m" */
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
enum { UNITS_COUNT = sizeof units / sizeof *units };

static bool take_number(struct sq_str *text, int64_t *number)
{
    size_t digits = 0;
    *number = 0;
    while (digits < text->bytes && text->data[digits] >= '0' && text->data[digits] <= '9' && digits < 12)
        *number = *number * 10 + (text->data[digits++] - '0');
    *text = (struct sq_str){text->data + digits, text->bytes - digits};
    return digits > 0;
}

static bool take_unit(struct sq_str *text, int64_t *ms)
{
    for (int i = 0; i < UNITS_COUNT; i++) {
        size_t bytes = strlen(units[i].name);
        if (text->bytes < bytes || memcmp(text->data, units[i].name, bytes) != 0) continue;
        *text = (struct sq_str){text->data + bytes, text->bytes - bytes};
        *ms = units[i].ms;
        return true;
    }
    return false;
}

bool sq_config_duration_parse(struct sq_str text, int64_t *ms)
{
    int64_t number, unit_ms, unit_before_ms = INT64_MAX;
    *ms = 0;
    do {
        if (!take_number(&text, &number) || !take_unit(&text, &unit_ms)) return false;
        if (unit_ms >= unit_before_ms || number > INT64_C(1000000000000) / unit_ms * 100) return false;
        unit_before_ms = unit_ms;
        *ms += number * unit_ms;
    } while (text.bytes > 0);
    return true;
}

void sq_config_duration_format(int64_t ms, char out[32])
{
    int unit = UNITS_COUNT - 1;
    while (unit > 0 && (ms == 0 ? unit > 1 : ms % units[unit].ms != 0)) unit--;
    snprintf(out, 32, "%" PRId64 "%s", ms / units[unit].ms, units[unit].name);
}

/* ---- Reading one scalar: `to` is where it goes ---- */

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

static int64_t load_integer(size_t bytes, const void *from)
{
    int64_t number = 0;
    int32_t narrow = 0;
    if (bytes == sizeof number) memcpy(&number, from, bytes);
    else memcpy(&narrow, from, sizeof narrow);
    return bytes == sizeof number ? number : narrow;
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
    bool is_number = take_number(&rest, &number);
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

static unsigned list_count(const struct sq_config_row *row, const void *base)
{
    unsigned count = row->items_max;
    if (row->count_offset) memcpy(&count, (const char *)base + row->count_offset, sizeof count);
    return count;
}

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

/* ---- Properties ---- */

const char *sq_config_pair_find(const struct sq_config_pairs *pairs, const char *name)
{
    for (unsigned i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].name, name) == 0) return pairs->items[i].value;
    return NULL;
}

int sq_config_pair_set(struct sq_config_pairs *pairs, struct sq_str name, struct sq_str value, struct sq_err *err)
{
    struct sq_config_pair pair = {"", ""};
    if (name.bytes == 0 || name.bytes >= sizeof pair.name || value.bytes >= sizeof pair.value)
        return sq_err_set(err, SQ_E_CONFIG, "a property's name has 1 to %zu bytes and its value at most %zu", sizeof pair.name - 1,
                          sizeof pair.value - 1);
    memcpy(pair.name, name.data, name.bytes);
    if (strspn(pair.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != name.bytes)
        return sq_err_set(err, SQ_E_CONFIG, "a property's name is made of letters, digits, dots and underscores, as in linger.ms");
    if (value.bytes && memchr(value.data, '\0', value.bytes)) return sq_err_set(err, SQ_E_CONFIG, "%s: it holds a NUL byte", pair.name);
    if (value.bytes) memcpy(pair.value, value.data, value.bytes);
    if (sq_config_property_refused(pair.name))
        return sq_err_set(err, SQ_E_CONFIG, "'%s' is squall's own to set, since what it promises rests on it", pair.name);
    unsigned at = 0;
    while (at < pairs->count && strcmp(pairs->items[at].name, pair.name) != 0) at++;
    if (at == SQ_CONFIG_PROPERTIES_MAX) return sq_err_set(err, SQ_E_CONFIG, "more than %d properties", SQ_CONFIG_PROPERTIES_MAX);
    pairs->items[at] = pair;
    if (at == pairs->count) pairs->count++;
    return 0;
}

/* ---- Writing ---- */

/* A plain YAML scalar that no YAML reader takes for something else; anything else goes in quotes, where JSON's escapes are YAML's. */
static bool is_plain(const char *text)
{
    static const char *const taken[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    if (!*text || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/", *text)) return false;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcasecmp(text, taken[i]) == 0) return false;
    size_t bytes = strlen(text);
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:-") == bytes && text[bytes - 1] != ':';
}

/* `$` is doubled in YAML, which a reader replaces in; JSON is for machines. */
static void write_text(const char *text, bool json, struct sq_buf *out)
{
    if (!json && is_plain(text)) {
        sq_buf_append_text(out, text);
        return;
    }
    struct sq_buf doubled;
    sq_buf_init(&doubled);
    for (const char *c = text; *c; c++) {
        if (*c == '$' && !json) sq_buf_append_char(&doubled, '$');
        sq_buf_append_char(&doubled, *c);
    }
    sq_json_write_str(out, sq_buf_view(&doubled));
    sq_buf_deinit(&doubled);
}

static void write_duration(const void *from, bool json, struct sq_buf *out)
{
    int64_t ms;
    char text[32];
    memcpy(&ms, from, sizeof ms);
    sq_config_duration_format(ms, text);
    if (json) write_text(text, true, out);
    else sq_buf_append_text(out, text);
}

static void write_list(const struct sq_config_row *row, const void *base, bool json, struct sq_buf *out)
{
    const char *from = (const char *)base + row->offset;
    unsigned count = list_count(row, base), bits = 0, written = 0;
    if (row->kind == SQ_KIND_SET) {
        memcpy(&bits, from, sizeof bits);
        for (count = 0; row->words[count];) count++;
    }
    sq_buf_append_char(out, '[');
    for (unsigned i = 0; i < count; i++) {
        if (row->kind == SQ_KIND_SET && !(bits & (1u << i))) continue;
        if (written++) sq_buf_append_text(out, json ? "," : ", ");
        if (row->kind == SQ_KIND_SET) write_text(row->words[i], json, out);
        else if (row->kind == SQ_KIND_TEXTS) write_text(from + i * row->bytes, json, out);
        else write_duration(from + i * row->bytes, json, out);
    }
    sq_buf_append_char(out, ']');
}

static void write_pairs(const struct sq_config_pairs *pairs, bool json, struct sq_buf *out)
{
    sq_buf_append_char(out, '{');
    for (unsigned i = 0; i < pairs->count; i++) {
        if (i) sq_buf_append_text(out, json ? "," : ", ");
        write_text(pairs->items[i].name, json, out);
        sq_buf_append_text(out, json ? ":" : ": ");
        write_text(sq_config_property_secret(pairs->items[i].name) ? "********" : pairs->items[i].value, json, out);
    }
    sq_buf_append_char(out, '}');
}

static void write_field(const struct sq_field *field, bool json, struct sq_buf *out)
{
    static const char *const prefixes[] = {"", "", "key", "header:"};
    char text[SQ_FIELD_NAME_BYTES + 8];
    snprintf(text, sizeof text, "%s%s", prefixes[field->kind], field->name);
    write_text(text, json, out);
}

static unsigned word_index(const struct sq_config_row *row, const void *from)
{
    unsigned index;
    if (row->bytes == sizeof(bool)) return *(const bool *)from;
    memcpy(&index, from, sizeof index);
    return index;
}

void sq_config_value_write(const struct sq_config_row *row, const void *base, bool json, struct sq_buf *out)
{
    const void *from = (const char *)base + row->offset;
    double real;
    size_t size;
    int64_t number;
    switch (row->kind) {
    case SQ_KIND_TEXT: write_text(from, json, out); break;
    case SQ_KIND_BOOL: sq_buf_append_text(out, *(const bool *)from ? "true" : "false"); break;
    case SQ_KIND_INT:
        number = load_integer(row->bytes, from);
        if (number == 0 && row->zero_word) write_text(row->zero_word, json, out);
        else sq_buf_printf(out, "%" PRId64, number);
        break;
    case SQ_KIND_REAL:
        memcpy(&real, from, sizeof real);
        sq_buf_printf(out, "%.15g", real);
        break;
    case SQ_KIND_DURATION: write_duration(from, json, out); break;
    case SQ_KIND_SIZE:
        memcpy(&size, from, sizeof size);
        sq_buf_printf(out, "%zu", size);
        break;
    case SQ_KIND_WORD: write_text(row->words[word_index(row, from)], json, out); break;
    case SQ_KIND_SET:
    case SQ_KIND_TEXTS:
    case SQ_KIND_DURATIONS: write_list(row, base, json, out); break;
    case SQ_KIND_FIELD: write_field(from, json, out); break;
    case SQ_KIND_PAIRS: write_pairs(from, json, out); break;
    }
}
