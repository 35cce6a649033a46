/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/test_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "engine/base/json.h"
#include "proto/codec.h"
#include "worker/io/config_duration.h"

enum { RECORDS_MAX = 5000000, DAYS_MAX = 400, STATES_COUNT = 3 };
static const int64_t time_max_ms = INT64_C(86400000) * DAYS_MAX;

struct reader {
    const char *path;
    struct sq_err *err;
};

static int fail(const struct reader *reader, const struct sq_yaml *node, const char *what)
{
    return sq_err_set(reader->err, SQ_E_CONFIG, "%s:%zu:%zu: %s%s%s", reader->path, node->line, node->column, node->key.bytes ? node->key.data : "",
                      node->key.bytes ? ": " : "", what);
}

/* ---- Values ---- */

typedef int (*read_fn)(const struct reader *reader, const struct sq_yaml *node, void *out);

static int read_text(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    if (node->kind != SQ_YAML_SCALAR || node->text.bytes == 0) return fail(reader, node, "expected a text");
    *(struct sq_str *)out = node->text;
    return 0;
}

static bool parse_time(const struct sq_yaml *node, int64_t *ms)
{
    if (node->kind != SQ_YAML_SCALAR) return false;
    if (sq_str_equal(node->text, SQ_STR("0"))) *ms = 0;
    else if (!sq_config_duration_parse(node->text, ms)) return false;
    return *ms <= time_max_ms;
}

static int read_time(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    return parse_time(node, out) ? 0 : fail(reader, node, "expected a time from the start of the test, as 90s, 3d20m or 0; at most 400d");
}

static int read_real(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    char *end = NULL;
    double value = node->kind == SQ_YAML_SCALAR && node->text.bytes ? strtod(node->text.data, &end) : -1;
    if (!end || *end || !(value >= 0 && value <= 1)) return fail(reader, node, "expected a number from 0 to 1");
    *(double *)out = value;
    return 0;
}

static int read_count(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    char *end = NULL;
    unsigned long value = node->kind == SQ_YAML_SCALAR && node->text.bytes && node->text.data[0] != '-' ? strtoul(node->text.data, &end, 10) : 0;
    if (!end || *end || value == 0 || value > RECORDS_MAX) return fail(reader, node, "expected a whole number from 1");
    *(unsigned *)out = (unsigned)value;
    return 0;
}

static int read_state(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    for (int state = 0; state < STATES_COUNT && node->kind == SQ_YAML_SCALAR; state++) {
        if (strcasecmp(node->text.data, sq_alert_state_name((enum sq_alert_state)state)) != 0) continue;
        *(int *)out = state;
        return 0;
    }
    return fail(reader, node, "expected firing, updated or resolved");
}

/* ---- Mappings along a table of keys ---- */

struct key {
    const char *name;
    read_fn read;
    size_t offset;
};

static const struct key *find_key(const struct key *keys, struct sq_str name)
{
    for (; keys->name; keys++)
        if (sq_str_equal(sq_str_view(keys->name), name)) return keys;
    return NULL;
}

/* Members that the table does not have go to `other`; NULL: they are mistakes. */
static int read_map(const struct reader *reader, const struct sq_yaml *map, const struct key *keys, read_fn other, void *out)
{
    if (map->kind != SQ_YAML_MAP) return fail(reader, map, "expected a mapping of keys to values");
    for (unsigned i = 0; i < map->count; i++) {
        const struct sq_yaml *node = &map->items[i];
        const struct key *key = find_key(keys, node->key);
        int status = key ? key->read(reader, node, (char *)out + key->offset) : other ? other(reader, node, out) : fail(reader, node, "there is no such key here");
        if (status) return status;
    }
    return 0;
}

/* ---- Input ---- */

#define INPUT(member) offsetof(struct sq_test_input, member)
static const struct key input_keys[] = {
    {"entity", read_text, INPUT(entity)}, {"from", read_time, INPUT(from_ms)},  {"to", read_time, INPUT(to_ms)},
    {"every", read_time, INPUT(every_ms)}, {"at", read_time, INPUT(from_ms)},   {"label", read_text, INPUT(label)},
    {"score", read_real, INPUT(score)},   {"author", read_text, INPUT(author)}, {"text", read_text, INPUT(text)},
    {"authors", read_count, INPUT(authors)}, {"texts", read_count, INPUT(texts)}, {0},
};

/* `negative: 0.1`: the share of a label. */
static int read_share(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_input *input = out;
    if (input->label.bytes) return fail(reader, node, "there is no such key here (or a second label)");
    input->label = node->key;
    if (node->kind == SQ_YAML_SCALAR && read_real(reader, node, &input->share) == 0) return 0;
    return fail(reader, node, "there is no such key here; a label's share is a number from 0 to 1");
}

static int read_input(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_input *input = out;
    *input = (struct sq_test_input){.to_ms = -1, .share = 1, .score = 0.9, .line = node->line};
    int status = read_map(reader, node, input_keys, read_share, input);
    if (status) return status;
    bool is_row = input->to_ms >= 0 || input->every_ms > 0;
    if (input->entity.bytes == 0 || input->entity.bytes > SQ_ENTITY_BYTES_MAX) return fail(reader, node, "entity: expected a name of up to 256 bytes");
    if (input->label.bytes == 0 && input->text.bytes == 0) return fail(reader, node, "a label or a text is missing, as `negative: 0.1`, `label: negative` or `text: ...`");
    if (is_row && (input->every_ms <= 0 || input->to_ms <= input->from_ms)) return fail(reader, node, "a row of records needs from (or 0), to after it, and every");
    if (is_row && sq_yaml_member(node, "at")) return fail(reader, node, "at is one record's, from, to and every are a row's");
    if (!is_row) input->to_ms = input->from_ms + (input->every_ms = 1);
    if ((input->to_ms - input->from_ms) / input->every_ms > RECORDS_MAX) return fail(reader, node, "more than five million records");
    return 0;
}

/* ---- Expectations ---- */

static int read_between(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_expectation *expectation = out;
    bool is_pair = node->kind == SQ_YAML_LIST && node->count == 2 && parse_time(&node->items[0], &expectation->from_ms) &&
                   parse_time(&node->items[1], &expectation->to_ms);
    return is_pair && expectation->from_ms <= expectation->to_ms ? 0 : fail(reader, node, "expected two times, as [3d, 3d20m]");
}

static int read_at(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_expectation *expectation = out;
    int status = read_time(reader, node, &expectation->from_ms);
    expectation->to_ms = expectation->from_ms;
    return status;
}

#define EXPECT(member) offsetof(struct sq_test_expectation, member)
static const struct key expectation_keys[] = {
    {"rule", read_text, EXPECT(rule)},   {"entity", read_text, EXPECT(entity)},     {"state", read_state, EXPECT(state)},
    {"between", read_between, 0},        {"at", read_at, 0},                        {"severity", read_text, EXPECT(severity)},
    {"reason", read_text, EXPECT(reason)}, {0},
};

static int read_expectation(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_expectation *expectation = out;
    *expectation = (struct sq_test_expectation){.state = -1, .to_ms = INT64_MAX, .line = node->line};
    return read_map(reader, node, expectation_keys, NULL, expectation);
}

/* ---- Cases ---- */

/* A list into an array of its own. */
static int read_list(const struct reader *reader, const struct sq_yaml *node, read_fn read, size_t item_bytes, void **items, unsigned *count)
{
    if (node->kind != SQ_YAML_LIST) return fail(reader, node, "expected a list");
    *items = calloc((size_t)node->count + 1, item_bytes);
    if (!*items) return sq_err_set(reader->err, SQ_E_NOMEM, "%s: no memory to read it", reader->path);
    int status = 0;
    for (unsigned i = 0; i < node->count && status == 0; i++) status = read(reader, &node->items[i], (char *)*items + i * item_bytes);
    *count = node->count;
    return status;
}

static int read_inputs(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_case *test = out;
    void *items = NULL;
    int status = read_list(reader, node, read_input, sizeof *test->inputs, &items, &test->inputs_count);
    test->inputs = items;
    return status;
}

static int read_expected(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_case *test = out;
    void *items = NULL;
    int status = read_list(reader, node, read_expectation, sizeof *test->expected, &items, &test->expected_count);
    test->expected = items;
    return status;
}

static int read_never(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_case *test = out;
    void *items = NULL;
    int status = read_list(reader, node, read_expectation, sizeof *test->never, &items, &test->never_count);
    test->never = items;
    return status;
}

static const struct key case_keys[] = {
    {"name", read_text, offsetof(struct sq_test_case, name)}, {"input", read_inputs, 0}, {"expect", read_expected, 0}, {"never", read_never, 0}, {0}};

static int read_case(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_case *test = out;
    test->line = node->line;
    int status = read_map(reader, node, case_keys, NULL, test);
    if (status) return status;
    if (test->name.bytes == 0) return fail(reader, node, "a test needs a name");
    return test->expected_count + test->never_count ? 0 : fail(reader, node, "a test needs expect or never: without them nothing can fail");
}

static int read_cases(const struct reader *reader, const struct sq_yaml *node, void *out)
{
    struct sq_test_file *file = out;
    void *items = NULL;
    int status = read_list(reader, node, read_case, sizeof *file->cases, &items, &file->cases_count);
    file->cases = items;
    return status;
}

static const struct key file_keys[] = {{"config", read_text, offsetof(struct sq_test_file, config)}, {"tests", read_cases, 0}, {0}};

int sq_test_file_parse(struct sq_test_file *file, const char *path, struct sq_str text, struct sq_err *err)
{
    const struct reader reader = {path, err};
    *file = (struct sq_test_file){.path = path};
    int status = sq_yaml_parse(&file->root, path, text, err);
    if (status == 0) status = read_map(&reader, file->root, file_keys, NULL, file);
    if (status == 0 && file->cases_count == 0) status = fail(&reader, file->root, "tests: the file has none");
    if (status) sq_test_file_close(file);
    return status;
}

int sq_test_file_open(struct sq_test_file *file, const char *path, struct sq_err *err)
{
    struct sq_buf text;
    *file = (struct sq_test_file){0};
    sq_buf_init(&text);
    int status = sq_json_read_file(&text, path, SQ_YAML_BYTES_MAX, SQ_E_CONFIG, err);
    if (status == 0) status = sq_test_file_parse(file, path, sq_buf_view(&text), err);
    sq_buf_deinit(&text);
    return status;
}

void sq_test_file_close(struct sq_test_file *file)
{
    for (unsigned i = 0; i < file->cases_count; i++) {
        free(file->cases[i].inputs);
        free(file->cases[i].expected);
        free(file->cases[i].never);
    }
    free(file->cases);
    sq_yaml_close(file->root);
    *file = (struct sq_test_file){0};
}

void sq_test_time_format(int64_t ms, char out[48])
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    int bytes = snprintf(out, 48, "%s", ms == 0 ? "0" : "");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ms / units[i].ms) bytes += snprintf(out + bytes, 48 - (size_t)bytes, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
        ms %= units[i].ms;
    }
}
