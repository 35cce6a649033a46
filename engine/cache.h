/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of files that can all be made again: what takes long to make at start is kept there for the next process.
 *
 * An entry is one file: a page of header, then the payload. The header says what the payload was made for, by which build, and its hash, so
 * a file that is cut, damaged, of another build or put there by hand is never taken for what was asked. Entries are written beside
 * their place and renamed, so a reader finds a whole one or none; what was mapped stays as it was for as long as it is mapped.
 *
 *     struct sq_cache cache;
 *     sq_cache_open(&cache, "/var/cache/squall");
 *     if (!sq_cache_find(&cache, &entry, "verdict", "model X, CPU Y")) {
 *         sq_cache_lock_wait(&cache, "model X");      one process makes it, the others wait and find it
 *         if (!sq_cache_find(...)) make it, sq_cache_store(...);
 *         sq_cache_unlock(&cache);
 *     }
 *
 * The folder may be missing, full or read-only: then nothing is found or kept, and cache.trouble says why. Hashes find damage, not malice,
 * so a file counts only if nobody but root and this process's user can have written it. */
#ifndef SQ_CACHE_H
#define SQ_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/str.h"

enum {
    SQ_CACHE_HEADER_BYTES = 4096, /* the payload starts on a page */
};

struct sq_cache {
    const char *folder; /* borrowed; NULL or "": no cache, and no trouble */
    int lock;           /* -1: not held */
    char trouble[256];  /* "" or the first thing that was not as it should be, for people */
};

/* A payload, mapped read-only and shared with all who have the file mapped. */
struct sq_cache_entry {
    struct sq_str payload;
    void *map; /* owned */
    size_t map_bytes;
};

void sq_cache_open(struct sq_cache *cache, const char *folder);

/* kind: of entries, "[a-z]+"; made_for: what names the payload among its kind, whole. False when there is none that may be used. */
bool sq_cache_find(struct sq_cache *cache, struct sq_cache_entry *entry, const char *kind, const char *made_for);
void sq_cache_entry_close(struct sq_cache_entry *entry); /* one of zeros is fine */

/* Until nobody else makes what `name` stands for, but at most `wait_ms_max`. False, and nothing will be stored: it took too long, or
 * the folder can't be written. */
bool sq_cache_lock_wait(struct sq_cache *cache, const char *name, unsigned wait_ms_max);
void sq_cache_unlock(struct sq_cache *cache);

/* Replaces the entry by the parts, one behind the other. Only with the lock held; else does nothing. False: it was not kept. */
bool sq_cache_store(struct sq_cache *cache, const char *kind, const char *made_for, const struct sq_str *parts, size_t parts_count);

/* Looks into a file's contents: NULL and its payload, or what is wrong with it. Pure but for the running build. */
const char *sq_cache_check(struct sq_str file, const char *made_for, struct sq_str *payload);

#endif
