/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "engine/base/clock.h"
#include "engine/build_id.h"

enum { REVISION = 1 /* of the header */, MADE_FOR_BYTES = SQ_CACHE_HEADER_BYTES - 80 /* what is left of it */, LOCK_LOOK_MS = 20 };

/* As it lies in the file, in the machine's byte order: another order fails the magic number. */
struct header {
    uint64_t magic;
    uint32_t revision, bytes;
    uint64_t payload_bytes;
    XXH128_hash_t payload_hash;
    struct sq_build_id build;
    char made_for[MADE_FOR_BYTES];
    uint64_t header_hash; /* of all before it */
};
_Static_assert(sizeof(struct header) == SQ_CACHE_HEADER_BYTES, "the header fills its page");
static const uint64_t magic = 0x3165686361637153; /* "Sqcache1" */

void sq_cache_open(struct sq_cache *cache, const char *folder) { *cache = (struct sq_cache){.folder = folder, .lock = -1}; }

static bool is_off(const struct sq_cache *cache) { return !cache->folder || !cache->folder[0]; }

/* The first trouble is the one to mend. */
__attribute__((format(printf, 2, 3))) static bool trouble(struct sq_cache *cache, const char *format, ...)
{
    va_list args;
    if (cache->trouble[0]) return false;
    va_start(args, format);
    vsnprintf(cache->trouble, sizeof cache->trouble, format, args);
    va_end(args);
    return false;
}

static bool make_path(const struct sq_cache *cache, char path[PATH_MAX], const char *kind, const char *made_for, const char *suffix)
{
    return snprintf(path, PATH_MAX, "%s/%s-%016" PRIx64 "%s", cache->folder, kind, XXH3_64bits(made_for, strlen(made_for)), suffix) < PATH_MAX;
}

/* ---- reading ---- */

static uint64_t hash_header(const struct header *header) { return XXH3_64bits(header, offsetof(struct header, header_hash)); }

const char *sq_cache_check(struct sq_str file, const char *made_for, struct sq_str *payload)
{
    struct header header;
    struct sq_build_id build;
    if (file.bytes < SQ_CACHE_HEADER_BYTES) return "it is cut short";
    memcpy(&header, file.data, sizeof header);
    if (header.magic != magic) return "it is no cache file";
    if (header.revision != REVISION || header.bytes != SQ_CACHE_HEADER_BYTES) return "its form is another version's";
    if (header.header_hash != hash_header(&header)) return "its header is damaged";
    if (!sq_build_id(&build) || memcmp(&build, &header.build, sizeof build) != 0) return "another build made it";
    if (!memchr(header.made_for, '\0', sizeof header.made_for) || strcmp(header.made_for, made_for) != 0) return "it was made for something else";
    if (header.payload_bytes != file.bytes - SQ_CACHE_HEADER_BYTES) return "it is cut short or has grown";
    *payload = (struct sq_str){file.data + SQ_CACHE_HEADER_BYTES, file.bytes - SQ_CACHE_HEADER_BYTES};
    XXH128_hash_t hash = XXH3_128bits(payload->data, payload->bytes);
    return XXH128_isEqual(hash, header.payload_hash) ? NULL : "its contents are damaged";
}

/* Whoever can write a file can change it or cut it short while it is mapped. */
static const char *why_not_ours(const struct stat *file)
{
    if (!S_ISREG(file->st_mode)) return "it is no regular file";
    if (file->st_uid != geteuid() && file->st_uid != 0) return "another user wrote it";
    if (file->st_mode & (S_IWGRP | S_IWOTH)) return "others may write it";
    return file->st_size > 0 ? NULL : "it is empty";
}

static const char *map_file(int file, struct sq_cache_entry *entry, const char *made_for)
{
    struct stat status;
    if (fstat(file, &status) < 0) return strerror(errno);
    const char *problem = why_not_ours(&status);
    if (problem) return problem;
    entry->map_bytes = (size_t)status.st_size;
    entry->map = mmap(NULL, entry->map_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    if (entry->map == MAP_FAILED) {
        entry->map = NULL;
        return strerror(errno);
    }
    return sq_cache_check((struct sq_str){entry->map, entry->map_bytes}, made_for, &entry->payload);
}

bool sq_cache_find(struct sq_cache *cache, struct sq_cache_entry *entry, const char *kind, const char *made_for)
{
    char path[PATH_MAX];
    *entry = (struct sq_cache_entry){0};
    if (is_off(cache) || !make_path(cache, path, kind, made_for, "")) return false;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0) return errno == ENOENT ? false : trouble(cache, "%s: %s", path, strerror(errno));
    const char *problem = map_file(file, entry, made_for);
    close(file);
    if (!problem) return true;
    sq_cache_entry_close(entry);
    return trouble(cache, "%s is ignored: %s", path, problem);
}

void sq_cache_entry_close(struct sq_cache_entry *entry)
{
    if (entry->map) munmap(entry->map, entry->map_bytes);
    *entry = (struct sq_cache_entry){0};
}

/* ---- writing ---- */

static bool wait_for_lock(struct sq_cache *cache, const char *path, unsigned wait_ms_max)
{
    uint64_t end_ns = sq_clock_monotonic_ns() + wait_ms_max * 1000000ull;
    while (flock(cache->lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return trouble(cache, "%s can't be locked: %s", path, strerror(errno));
        if (sq_clock_monotonic_ns() >= end_ns) return trouble(cache, "%s: another process has held this lock for %u ms", path, wait_ms_max);
        nanosleep(&(struct timespec){.tv_nsec = LOCK_LOOK_MS * 1000000L}, NULL);
    }
    return true;
}

bool sq_cache_lock_wait(struct sq_cache *cache, const char *name, unsigned wait_ms_max)
{
    char path[PATH_MAX];
    if (is_off(cache) || !make_path(cache, path, "lock", name, "")) return false;
    cache->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (cache->lock < 0) return trouble(cache, "%s can't be written: %s", cache->folder, strerror(errno));
    if (wait_for_lock(cache, path, wait_ms_max)) return true;
    sq_cache_unlock(cache);
    return false;
}

/* The file stays: were it removed, the next to come and one who waits would lock two different ones. */
void sq_cache_unlock(struct sq_cache *cache)
{
    if (cache->lock >= 0) close(cache->lock);
    cache->lock = -1;
}

static bool hash_parts(XXH128_hash_t *hash, const struct sq_str *parts, size_t parts_count)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state) return false;
    XXH3_128bits_reset(state);
    for (size_t i = 0; i < parts_count; i++) XXH3_128bits_update(state, parts[i].data, parts[i].bytes);
    *hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    return true;
}

/* NULL, or why it can't be. */
static const char *fill_header(struct header *header, const char *made_for, const struct sq_str *parts, size_t parts_count)
{
    *header = (struct header){.magic = magic, .revision = REVISION, .bytes = SQ_CACHE_HEADER_BYTES};
    for (size_t i = 0; i < parts_count; i++) header->payload_bytes += parts[i].bytes;
    if ((size_t)snprintf(header->made_for, sizeof header->made_for, "%s", made_for) >= sizeof header->made_for) return "its name is too long";
    if (!sq_build_id(&header->build)) return "this build has no build ID";
    if (!hash_parts(&header->payload_hash, parts, parts_count)) return "no memory";
    header->header_hash = hash_header(header);
    return NULL;
}

static bool write_all(int file, struct sq_str bytes)
{
    while (bytes.bytes > 0) {
        ssize_t written = write(file, bytes.data, bytes.bytes);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        bytes = (struct sq_str){bytes.data + written, bytes.bytes - (size_t)written};
    }
    return true;
}

/* Not forced to the disk: what a power cut leaves of it is damaged, and found to be. */
static bool write_entry(const char *path, const struct header *header, const struct sq_str *parts, size_t parts_count)
{
    unlink(path); /* what a process left behind that was killed while it wrote */
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (file < 0) return false;
    bool ok = write_all(file, (struct sq_str){(const char *)header, sizeof *header});
    for (size_t i = 0; ok && i < parts_count; i++) ok = write_all(file, parts[i]);
    return close(file) == 0 && ok;
}

bool sq_cache_store(struct sq_cache *cache, const char *kind, const char *made_for, const struct sq_str *parts, size_t parts_count)
{
    struct header header;
    char path[PATH_MAX], beside[PATH_MAX];
    if (cache->lock < 0 || !make_path(cache, path, kind, made_for, "") || !make_path(cache, beside, kind, made_for, ".part")) return false;
    const char *problem = fill_header(&header, made_for, parts, parts_count);
    if (problem) return trouble(cache, "%s is not kept: %s", path, problem);
    if (write_entry(beside, &header, parts, parts_count) && rename(beside, path) == 0) return true;
    trouble(cache, "%s can't be written: %s", path, strerror(errno));
    unlink(beside);
    return false;
}
