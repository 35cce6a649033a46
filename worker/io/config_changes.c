/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys two configurations differ in: for a reload, which takes some of them and has to name the others. */
#include "worker/io/config_walk.h"

static void write_row(struct sq_config_visitor *visitor, const struct sq_config_row *row, struct sq_str name, const void *base, int item, unsigned depth)
{
    (void)name;
    (void)item;
    (void)depth;
    sq_buf_printf(visitor->out, "%s: ", row->path);
    sq_config_value_write(row, base, true, visitor->out);
    sq_buf_append_char(visitor->out, '\n');
}

/* A line a value, "path: value". */
static void write_lines(const struct sq_config *config, struct sq_buf *out)
{
    struct sq_config_visitor visitor = {.row = write_row, .out = out, .config = config};
    sq_buf_init(out);
    sq_config_walk(&visitor);
}

static struct sq_str next_line(struct sq_str *rest)
{
    const char *end = memchr(rest->data, '\n', rest->bytes);
    struct sq_str line = {rest->data, end ? (size_t)(end - rest->data) : rest->bytes};
    size_t used = line.bytes + (end != NULL);
    *rest = (struct sq_str){rest->data + used, rest->bytes - used};
    return line;
}

static bool has_line(struct sq_str lines, struct sq_str line)
{
    while (lines.bytes)
        if (sq_str_equal(next_line(&lines), line)) return true;
    return false;
}

static bool is_named(const struct sq_buf *names, struct sq_str name)
{
    struct sq_str rest = sq_buf_view(names);
    for (; rest.bytes >= name.bytes; rest = (struct sq_str){rest.data + 1, rest.bytes - 1})
        if (memcmp(rest.data, name.data, name.bytes) == 0 && (rest.bytes == name.bytes || rest.data[name.bytes] == ',')) return true;
    return false;
}

/* The paths of the lines that only `ours` has. */
static void name_own(struct sq_str ours, struct sq_str theirs, const char *but_for, struct sq_buf *names)
{
    while (ours.bytes) {
        struct sq_str line = next_line(&ours), path = {line.data, strcspn(line.data, ":")};
        if (strncmp(line.data, but_for, strlen(but_for)) == 0 || has_line(theirs, line) || is_named(names, path)) continue;
        if (names->bytes) sq_buf_append_text(names, ", ");
        sq_buf_append_str(names, path);
    }
}

void sq_config_changes(const struct sq_config *before, const struct sq_config *now, const char *but_for, struct sq_buf *names)
{
    struct sq_buf old_lines, new_lines;
    write_lines(before, &old_lines);
    write_lines(now, &new_lines);
    if (!sq_buf_failed(&old_lines) && !sq_buf_failed(&new_lines)) {
        name_own(sq_buf_view(&new_lines), sq_buf_view(&old_lines), but_for, names);
        name_own(sq_buf_view(&old_lines), sq_buf_view(&new_lines), but_for, names);
    }
    sq_buf_deinit(&old_lines);
    sq_buf_deinit(&new_lines);
}
