/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "worker/cli/bench_run.h"
#include "worker/cli/lines.h"

int sq_bench_texts_read(struct sq_bench_texts *texts, const char *path, size_t *left_out, struct sq_err *err)
{
    struct sq_lines lines;
    struct sq_str line;
    size_t capacity = 0;
    *texts = (struct sq_bench_texts){0};
    *left_out = 0;
    int kind = sq_lines_open(&lines, path, SQ_TEXT_BYTES_MAX, err);
    if (kind < 0) return kind;
    while ((kind = sq_lines_next(&lines, &line, err)) > SQ_LINE_END) {
        if (kind == SQ_LINE_TOO_LONG) {
            (*left_out)++;
            continue;
        }
        if (texts->count == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            struct sq_str *items = realloc(texts->items, capacity * sizeof *items);
            if (!items) break;
            texts->items = items;
        }
        char *copy = malloc(line.bytes + 1);
        if (!copy) break;
        memcpy(copy, line.data, line.bytes);
        texts->items[texts->count++] = (struct sq_str){copy, line.bytes};
    }
    sq_lines_close(&lines);
    if (kind > SQ_LINE_END) kind = sq_err_set(err, SQ_E_NOMEM, "no memory for the texts");
    if (kind == 0 && texts->count == 0) kind = sq_err_set(err, SQ_E_IO, "%s: holds no text", path);
    if (kind < 0) sq_bench_texts_deinit(texts);
    return kind;
}

void sq_bench_texts_deinit(struct sq_bench_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) free((void *)(uintptr_t)texts->items[i].data);
    free(texts->items);
    *texts = (struct sq_bench_texts){0};
}
