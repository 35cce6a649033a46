/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tokenizer/wordpiece.h"

void sq_wordpiece_split(const struct sq_wordpiece *wordpiece, struct sq_str word, struct sq_ids *ids)
{
    size_t count_before = ids->count;
    const struct sq_trie *trie = &wordpiece->whole;
    while (word.bytes > 0) {
        int32_t id = 0;
        size_t bytes = sq_trie_longest(trie, word, &id);
        if (bytes == 0) {
            ids->count = count_before;
            sq_ids_add(ids, wordpiece->unknown_id);
            return;
        }
        sq_ids_add(ids, id);
        word.data += bytes;
        word.bytes -= bytes;
        trie = &wordpiece->continuing;
    }
}
