/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/pipeline/slots.h"

#include <assert.h>
#include <stdlib.h>

int sq_slots_init(struct sq_slots *slots, size_t count, struct sq_err *err)
{
    *slots = (struct sq_slots){.count = count};
    slots->items = calloc(count, sizeof *slots->items);
    slots->memory = malloc(count * SQ_SLOT_BYTES);
    if (!slots->items || !slots->memory) {
        sq_slots_deinit(slots);
        return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu records in flight", count);
    }
    for (size_t i = count; i-- > 0;) {
        slots->items[i].own_memory = slots->memory + i * SQ_SLOT_BYTES;
        slots->items[i].next_free = slots->free;
        slots->free = &slots->items[i];
    }
    return 0;
}

void sq_slots_deinit(struct sq_slots *slots)
{
    for (size_t i = 0; slots->items && i < slots->count; i++) free(slots->items[i].block);
    free(slots->items);
    free(slots->memory);
    *slots = (struct sq_slots){0};
}

struct sq_slot *sq_slots_take(struct sq_slots *slots, size_t bytes)
{
    struct sq_slot *slot = slots->free;
    assert(slot);
    char *own_memory = slot->own_memory, *block = NULL;
    if (bytes > SQ_SLOT_BYTES && !(block = malloc(bytes))) return NULL;
    slots->free = slot->next_free;
    slots->used_count++;
    if (block) slots->extra_bytes += bytes;
    *slot = (struct sq_slot){.own_memory = own_memory, .block = block, .capacity_bytes = block ? bytes : SQ_SLOT_BYTES};
    return slot;
}

void sq_slots_give_back(struct sq_slots *slots, struct sq_slot *slot)
{
    if (slot->block) {
        slots->extra_bytes -= slot->capacity_bytes;
        free(slot->block);
        slot->block = NULL;
    }
    slot->next_free = slots->free;
    slots->free = slot;
    slots->used_count--;
}

void *sq_slot_alloc(struct sq_slot *slot, size_t bytes)
{
    size_t piece_bytes = sq_slot_piece_bytes(bytes);
    assert(slot->capacity_bytes - slot->used_bytes >= piece_bytes);
    void *memory = (slot->block ? slot->block : slot->own_memory) + slot->used_bytes;
    slot->used_bytes += piece_bytes;
    return memory;
}

struct sq_str sq_slot_copy(struct sq_slot *slot, struct sq_str str)
{
    if (!str.data) return str;
    char *memory = sq_slot_alloc(slot, str.bytes);
    memcpy(memory, str.data, str.bytes);
    memory[str.bytes] = '\0';
    return (struct sq_str){memory, str.bytes};
}
