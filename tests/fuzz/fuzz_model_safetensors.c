/* SPDX-License-Identifier: Apache-2.0 */
/* The input is a model.safetensors. Whatever it holds, it is refused with a message, or its tensors lie one behind the other within the
 * file and can be read. */
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/model/safetensors.h"
#include "tests/fuzz/require.h"

static void read_tensor(const struct sq_safetensors *file, const struct sq_tensor *tensor)
{
    struct sq_err err = {0};
    uint64_t count = sq_tensor_values_count(tensor);
    REQUIRE(tensor->end >= tensor->begin);
    REQUIRE(count <= (tensor->end - tensor->begin) * 2); /* four bits a value at least */
    float *values = malloc((count ? count : 1) * sizeof *values);
    REQUIRE(values);
    int status = sq_safetensors_read(file, tensor, values, &err);
    if (status) REQUIRE(status == SQ_E_MODEL_FILE && err.code == status && err.message[0]);
    for (uint64_t i = 0; status == 0 && i < count; i++) REQUIRE(isfinite(values[i]));
    free(values);
}

static void check(const struct sq_safetensors *file, size_t bytes)
{
    uint64_t end = 0;
    for (size_t i = 0; i < file->tensors_count; i++) {
        REQUIRE(file->tensors[i].begin == end);
        end = file->tensors[i].end;
        REQUIRE(sq_safetensors_find(file, file->tensors[i].name) == &file->tensors[i]);
        read_tensor(file, &file->tensors[i]);
    }
    REQUIRE(file->data_offset + end == bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct sq_safetensors file;
    struct sq_err err = {0};
    char path[64];
    int memory = memfd_create("model.safetensors", MFD_CLOEXEC);
    REQUIRE(memory >= 0 && write(memory, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    int status = sq_safetensors_open(&file, path, &err);
    if (status) {
        REQUIRE(status == SQ_E_MODEL_FILE && err.code == status && strstr(err.message, path));
    } else {
        check(&file, bytes);
        sq_safetensors_close(&file);
    }
    close(memory);
    return 0;
}
