/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/io/sink.h"

#include <stdlib.h>

#include "engine/base/clock.h"

struct sq_batch_chunk {
    struct sq_batch_chunk *next;
    size_t capacity_bytes, used_bytes;
    _Alignas(max_align_t) unsigned char data[];
};

void sq_batch_init(struct sq_batch *batch) { *batch = (struct sq_batch){0}; }

/* Frees all chunks but the oldest. */
static struct sq_batch_chunk *chunks_trim(struct sq_batch_chunk *chunk)
{
    while (chunk && chunk->next) {
        struct sq_batch_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    return chunk;
}

void sq_batch_deinit(struct sq_batch *batch)
{
    free(chunks_trim(batch->chunks));
    free(batch->outputs);
    free(batch->offsets);
    sq_batch_init(batch);
}

void sq_batch_clear(struct sq_batch *batch)
{
    batch->chunks = chunks_trim(batch->chunks);
    if (batch->chunks) batch->chunks->used_bytes = 0;
    batch->outputs_count = batch->offsets_count = batch->bytes = 0;
    batch->opened_ns = 0;
    batch->offsets_are_committed = false;
}

void *sq_batch_alloc(struct sq_batch *batch, size_t bytes)
{
    bytes = (bytes + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    struct sq_batch_chunk *chunk = batch->chunks;
    if (!chunk || chunk->capacity_bytes - chunk->used_bytes < bytes) {
        size_t capacity_bytes = bytes > SQ_BATCH_CHUNK_BYTES ? bytes : SQ_BATCH_CHUNK_BYTES;
        chunk = malloc(sizeof *chunk + capacity_bytes);
        if (!chunk) return NULL;
        *chunk = (struct sq_batch_chunk){.next = batch->chunks, .capacity_bytes = capacity_bytes};
        batch->chunks = chunk;
    }
    void *memory = chunk->data + chunk->used_bytes;
    chunk->used_bytes += bytes;
    return memory;
}

bool sq_batch_copy(struct sq_batch *batch, struct sq_str str, struct sq_str *copy)
{
    *copy = (struct sq_str){0};
    if (!str.data) return true;
    char *memory = sq_batch_alloc(batch, str.bytes + 1); /* never a NULL for an empty string */
    if (!memory) return false;
    memcpy(memory, str.data, str.bytes);
    memory[str.bytes] = '\0';
    *copy = (struct sq_str){memory, str.bytes};
    return true;
}

/* Room for one more item in an array of items_bytes each. */
static bool grow(void **items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity) return true;
    size_t wanted = *capacity ? *capacity * 2 : 64;
    void *grown = realloc(*items, wanted * item_bytes);
    if (!grown) return false;
    *items = grown;
    *capacity = wanted;
    return true;
}

static void note_opened(struct sq_batch *batch)
{
    if (!batch->opened_ns) batch->opened_ns = sq_clock_monotonic_ns();
}

struct sq_output *sq_batch_add(struct sq_batch *batch)
{
    void *items = batch->outputs;
    if (!grow(&items, batch->outputs_count, &batch->outputs_capacity, sizeof *batch->outputs)) return NULL;
    batch->outputs = items;
    note_opened(batch);
    struct sq_output *output = &batch->outputs[batch->outputs_count++];
    *output = (struct sq_output){.partition = -1, .status = SQ_E_TIMEOUT};
    return output;
}

void sq_batch_account(struct sq_batch *batch, const struct sq_output *output)
{
    batch->bytes += output->key.bytes + output->value.bytes;
    for (unsigned i = 0; i < output->headers_count; i++) batch->bytes += output->headers[i].name.bytes + output->headers[i].value.bytes;
}

bool sq_batch_add_offset(struct sq_batch *batch, const struct sq_next_offset *offset)
{
    void *items = batch->offsets;
    if (!grow(&items, batch->offsets_count, &batch->offsets_capacity, sizeof *batch->offsets)) return false;
    batch->offsets = items;
    note_opened(batch);
    batch->offsets[batch->offsets_count++] = *offset;
    return true;
}

size_t sq_batch_count(const struct sq_batch *batch, int status)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->outputs_count; i++) count += batch->outputs[i].status == status;
    return count;
}
