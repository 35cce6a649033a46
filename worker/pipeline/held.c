/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/held.h"

#include <stdlib.h>

static size_t bytes_of(const struct sq_delivery_record *record)
{
    size_t bytes = record->record.key.bytes + record->record.value.bytes;
    for (unsigned i = 0; i < record->headers_count; i++) bytes += record->headers[i].name.bytes + record->headers[i].value.bytes;
    return bytes;
}

static void move(struct sq_str *str, char **at)
{
    if (str->bytes) memcpy(*at, str->data, str->bytes);
    if (str->data) str->data = *at;
    *at += str->bytes;
}

bool sq_held_keep(struct sq_held *held, struct sq_owned *owned, const struct sq_delivery_record *record)
{
    char *at = malloc(bytes_of(record) + 1); /* never NULL for want of bytes */
    if (!at) return false;
    held->owned = sq_owned_ref(owned);
    held->record = *record;
    held->memory = at;
    if (record->record.header_ctx == record) held->record.record.header_ctx = &held->record;
    move(&held->record.record.key, &at);
    move(&held->record.record.value, &at);
    for (unsigned i = 0; i < record->headers_count; i++) {
        move(&held->record.headers[i].name, &at);
        move(&held->record.headers[i].value, &at);
    }
    return true;
}

void sq_held_drop(struct sq_held *held)
{
    if (!held->owned) return;
    sq_owned_unref(held->owned);
    free(held->memory);
    held->owned = NULL;
}
