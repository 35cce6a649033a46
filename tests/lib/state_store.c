/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/state_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

struct state_record {
    UT_hash_handle hh;
    char key[512];
    size_t rule_bytes, entity_bytes, data_bytes;
    char *data;
};

static void must(int status, const struct sq_err *err)
{
    if (status == 0) return;
    fprintf(stderr, "state store: %s\n", err->message);
    abort();
}

void state_store_init(struct state_store *store)
{
    *store = (struct state_store){0};
    sq_buf_init(&store->meta);
}

void state_store_deinit(struct state_store *store)
{
    struct state_record *record, *next;
    HASH_ITER(hh, store->records, record, next)
    {
        HASH_DEL(store->records, record);
        free(record->data);
        free(record);
    }
    sq_buf_deinit(&store->meta);
}

static void put(struct state_store *store, const char *key, size_t rule_bytes, size_t entity_bytes, const char *data, size_t data_bytes)
{
    struct state_record *record;
    HASH_FIND(hh, store->records, key, rule_bytes + entity_bytes + 1, record);
    if (record) {
        HASH_DEL(store->records, record);
        free(record->data);
        free(record);
    }
    if (!data) return;
    record = calloc(1, sizeof *record);
    if (!record || !(record->data = malloc(data_bytes + 1))) abort();
    memcpy(record->key, key, rule_bytes + entity_bytes + 1);
    memcpy(record->data, data, data_bytes);
    record->rule_bytes = rule_bytes;
    record->entity_bytes = entity_bytes;
    record->data_bytes = data_bytes;
    HASH_ADD_KEYPTR(hh, store->records, record->key, rule_bytes + entity_bytes + 1, record);
}

static int save_one(const struct sq_saved_state *state, void *ctx)
{
    struct state_store *store = ctx;
    char key[512] = {0};
    memcpy(key, state->rule.data, state->rule.bytes);
    memcpy(key + state->rule.bytes + 1, state->entity.data, state->entity.bytes);
    put(store, key, state->rule.bytes, state->entity.bytes, state->data.data, state->data.bytes);
    store->written += state->data.data != NULL;
    store->deleted += state->data.data == NULL;
    if (state->data.bytes > store->bytes_largest) store->bytes_largest = state->data.bytes;
    return 0;
}

void state_store_save(struct state_store *store, struct sq_detector *detector)
{
    struct sq_err err;
    must(sq_detector_save(detector, save_one, store, &store->meta, &err), &err);
}

void state_store_restore(const struct state_store *store, struct sq_detector *detector, sq_detector_emit_fn emit, void *ctx)
{
    struct sq_err err;
    for (const struct state_record *record = store->records; record; record = record->hh.next) {
        const struct sq_saved_state state = {.rule = {record->key, record->rule_bytes},
                                             .entity = {record->key + record->rule_bytes + 1, record->entity_bytes},
                                             .data = {record->data, record->data_bytes}};
        must(sq_detector_restore_state(detector, &state, &err), &err);
    }
    must(sq_detector_restore_meta(detector, sq_buf_view(&store->meta), &err), &err);
    must(sq_detector_restore_end(detector, emit, ctx, &err), &err);
}

unsigned state_store_count(const struct state_store *store) { return HASH_COUNT(store->records); }

bool state_store_equal(const struct state_store *a, const struct state_store *b)
{
    if (state_store_count(a) != state_store_count(b) || !sq_str_equal(sq_buf_view(&a->meta), sq_buf_view(&b->meta))) return false;
    for (const struct state_record *record = a->records; record; record = record->hh.next) {
        const struct state_record *other;
        HASH_FIND(hh, b->records, record->key, record->rule_bytes + record->entity_bytes + 1, other);
        if (!other || other->data_bytes != record->data_bytes || memcmp(other->data, record->data, record->data_bytes) != 0) return false;
    }
    return true;
}

void state_store_copy(struct state_store *to, const struct state_store *from)
{
    state_store_init(to);
    for (const struct state_record *record = from->records; record; record = record->hh.next)
        put(to, record->key, record->rule_bytes, record->entity_bytes, record->data, record->data_bytes);
    sq_buf_append_str(&to->meta, sq_buf_view(&from->meta));
}
