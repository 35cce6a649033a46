/* SPDX-License-Identifier: Apache-2.0 */
/* A model folder without tokenizer.json. The input is the files tokenizer_config.json, config.json, vocab.txt, vocab.json, merges.txt and
 * special_tokens_map.json, a line of '=' signs between one and the next. It is refused with a message or makes a tokenizer that encodes. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/tokenizer/tokenizer.h"
#include "tests/fuzz/require.h"

enum { FILE_BYTES_MAX = 1 << 18, TOKENS_MAX = 32 };

static const char *const files[] = {"tokenizer_config.json", "config.json", "vocab.txt", "vocab.json", "merges.txt", "special_tokens_map.json"};
enum { FILES_COUNT = sizeof files / sizeof *files };
static const char separator[] = "\n====\n";

static const char *folder(void)
{
    static char path[] = "/dev/shm/squall-fuzz-XXXXXX";
    static bool is_made;
    if (!is_made) REQUIRE(mkdtemp(path));
    is_made = true;
    return path;
}

static void write_file(const char *name, const char *data, size_t bytes)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder(), name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(file >= 0 && write(file, data, bytes) == (ssize_t)bytes && close(file) == 0);
}

static void remove_files(void)
{
    for (unsigned i = 0; i < FILES_COUNT; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder(), files[i]);
        unlink(path);
    }
}

static void write_files(const char *data, size_t bytes)
{
    for (unsigned i = 0; i < FILES_COUNT && bytes; i++) {
        const char *end = memmem(data, bytes, separator, sizeof separator - 1);
        size_t part = end ? (size_t)(end - data) : bytes;
        if (part) write_file(files[i], data, part);
        size_t passed = end ? part + sizeof separator - 1 : bytes;
        data += passed;
        bytes -= passed;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_tokenizer *tokenizer = NULL;
    struct sq_err err = {0};
    if (bytes > FILE_BYTES_MAX) return 0;
    write_files((const char *)data, bytes);
    int status = sq_tokenizer_open(&tokenizer, folder(), SQ_NORMALISE_NONE, &err);
    remove_files();
    if (status) {
        REQUIRE(err.code == status && err.message[0] && !tokenizer);
        return 0;
    }
    struct sq_arena scratch;
    int32_t ids[TOKENS_MAX];
    size_t count = 0;
    bool truncated;
    REQUIRE(sq_arena_init(&scratch, sq_tokenizer_scratch_bytes(tokenizer, 64), NULL) == 0);
    status = sq_tokenizer_encode(tokenizer, sq_str_view("Hello w\xc3\xb6rld [MASK] <mask>!"), TOKENS_MAX, &scratch, ids, &count, &truncated, NULL);
    REQUIRE(status == SQ_E_TOO_LARGE || (status == 0 && count <= TOKENS_MAX));
    for (size_t i = 0; status == 0 && i < count; i++) REQUIRE(ids[i] >= 0 && (unsigned)ids[i] < sq_tokenizer_ids_count(tokenizer));
    sq_arena_deinit(&scratch);
    sq_tokenizer_close(tokenizer);
    return 0;
}
