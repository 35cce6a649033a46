/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/model/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/json.h"
#include "engine/model/dtype.h"

enum { LENGTH_BYTES = 8, CHUNK_BYTES = 256 * 1024 };

static int fail(const char *name, const char *what, struct sq_err *err)
{
    return sq_err_set(err, SQ_E_MODEL_FILE, "tensor %s: %s", name, what);
}

uint64_t sq_tensor_values_count(const struct sq_tensor *tensor)
{
    uint64_t count = 1; /* can't overflow: checked when the header was parsed */
    for (unsigned i = 0; i < tensor->rank; i++) count *= tensor->shape[i];
    return count;
}

const char *sq_tensor_dtype_name(const struct sq_tensor *tensor) { return tensor->dtype->name; }

/* Names end up in messages on terminals. */
static bool is_good_name(const char *name)
{
    size_t bytes = strlen(name);
    if (bytes == 0 || bytes > SQ_SAFETENSORS_NAME_BYTES_MAX) return false;
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) return false;
    }
    return true;
}

static int read_size(uint64_t *size, const json_t *value, const char *name, const char *field, struct sq_err *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return sq_err_set(err, SQ_E_MODEL_FILE, "tensor %s: %s: expected whole numbers from 0 up", name, field);
    *size = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_dtype(struct sq_tensor *tensor, const json_t *info, struct sq_err *err)
{
    const json_t *dtype = json_object_get(info, "dtype");
    if (!json_is_string(dtype)) return fail(tensor->name, "dtype: expected a string", err);
    tensor->dtype = sq_dtype_find(json_string_value(dtype));
    if (tensor->dtype) return 0;
    return fail(tensor->name, "dtype: not an element type of the safetensors format", err);
}

static int read_shape(struct sq_tensor *tensor, const json_t *info, struct sq_err *err)
{
    const json_t *shape = json_object_get(info, "shape");
    if (!json_is_array(shape)) return fail(tensor->name, "shape: expected a list", err);
    if (json_array_size(shape) > SQ_SAFETENSORS_RANK_MAX) return fail(tensor->name, "shape: more than 8 dimensions", err);
    tensor->rank = (unsigned)json_array_size(shape);
    for (unsigned i = 0; i < tensor->rank; i++) {
        int status = read_size(&tensor->shape[i], json_array_get(shape, i), tensor->name, "shape", err);
        if (status < 0) return status;
    }
    return 0;
}

static int read_offsets(struct sq_tensor *tensor, const json_t *info, struct sq_err *err)
{
    const json_t *offsets = json_object_get(info, "data_offsets");
    if (!json_is_array(offsets) || json_array_size(offsets) != 2) return fail(tensor->name, "data_offsets: expected [begin, end]", err);
    int status = read_size(&tensor->begin, json_array_get(offsets, 0), tensor->name, "data_offsets", err);
    if (status == 0) status = read_size(&tensor->end, json_array_get(offsets, 1), tensor->name, "data_offsets", err);
    return status;
}

/* The bytes that shape and dtype ask for are the bytes that data_offsets give. */
static int check_bytes(const struct sq_tensor *tensor, struct sq_err *err)
{
    uint64_t bits = tensor->dtype->bits;
    for (unsigned i = 0; i < tensor->rank; i++) {
        if (__builtin_mul_overflow(bits, tensor->shape[i], &bits)) return fail(tensor->name, "shape: the product overflows", err);
    }
    if (bits % 8 != 0) return fail(tensor->name, "shape: does not fill whole bytes", err);
    if (tensor->end < tensor->begin) return fail(tensor->name, "data_offsets: ends before it begins", err);
    if (bits / 8 == tensor->end - tensor->begin) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "tensor %s: data_offsets: %" PRIu64 " bytes, but shape and dtype take %" PRIu64, tensor->name,
                      tensor->end - tensor->begin, bits / 8);
}

static int read_tensor(struct sq_tensor *tensor, const char *name, const json_t *info, struct sq_err *err)
{
    if (!is_good_name(name)) return sq_err_set(err, SQ_E_MODEL_FILE, "a tensor's name is empty, too long or has control characters");
    tensor->name = strdup(name);
    if (!tensor->name) return sq_err_set(err, SQ_E_NOMEM, "no memory for the list of tensors");
    if (!json_is_object(info) || json_object_size(info) != 3) return fail(name, "expected dtype, shape and data_offsets", err);
    int status = read_dtype(tensor, info, err);
    if (status == 0) status = read_shape(tensor, info, err);
    if (status == 0) status = read_offsets(tensor, info, err);
    if (status == 0) status = check_bytes(tensor, err);
    return status;
}

static int check_metadata(const json_t *metadata, struct sq_err *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) return fail("__metadata__", "expected an object of strings", err);
    json_object_foreach((json_t *)(uintptr_t)metadata, key, value)
    {
        if (!json_is_string(value)) return fail("__metadata__", "expected an object of strings", err);
    }
    return 0;
}

static int compare_begin(const void *a, const void *b)
{
    const struct sq_tensor *left = a, *right = b;
    if (left->begin != right->begin) return left->begin < right->begin ? -1 : 1;
    return (left->end > right->end) - (left->end < right->end);
}

/* The tensors lie one behind the other from the first byte to the last: none overlaps, no byte is left over. */
static int check_layout(struct sq_safetensors *safetensors, uint64_t data_bytes, struct sq_err *err)
{
    uint64_t end = 0;
    if (safetensors->tensors_count)
        qsort(safetensors->tensors, safetensors->tensors_count, sizeof *safetensors->tensors, compare_begin);
    for (size_t i = 0; i < safetensors->tensors_count; i++) {
        const struct sq_tensor *tensor = &safetensors->tensors[i];
        if (tensor->begin != end)
            return sq_err_set(err, SQ_E_MODEL_FILE, "tensor %s: data_offsets: begins at byte %" PRIu64 ", but the one before ends at %" PRIu64,
                              tensor->name, tensor->begin, end);
        end = tensor->end;
    }
    if (end == data_bytes) return 0;
    return sq_err_set(err, SQ_E_MODEL_FILE, "the tensors take %" PRIu64 " bytes, but the file has %" PRIu64 " after its header%s", end,
                      data_bytes, end > data_bytes ? ": it is cut short, copy it again" : "");
}

static int read_tensors(struct sq_safetensors *safetensors, json_t *header, struct sq_err *err)
{
    const char *name;
    json_t *info;
    if (!json_is_object(header)) return sq_err_set(err, SQ_E_MODEL_FILE, "the header is not a JSON object");
    size_t entries_count = json_object_size(header);
    if (entries_count > SQ_SAFETENSORS_TENSORS_MAX)
        return sq_err_set(err, SQ_E_MODEL_FILE, "%zu tensors, more than %d", entries_count, SQ_SAFETENSORS_TENSORS_MAX);
    safetensors->tensors = calloc(entries_count + 1, sizeof *safetensors->tensors);
    if (!safetensors->tensors) return sq_err_set(err, SQ_E_NOMEM, "no memory for the list of tensors");
    json_object_foreach(header, name, info)
    {
        int status = strcmp(name, "__metadata__") == 0
                         ? check_metadata(info, err)
                         : read_tensor(&safetensors->tensors[safetensors->tensors_count++], name, info, err);
        if (status < 0) return status;
    }
    return 0;
}

int sq_safetensors_parse(struct sq_safetensors *safetensors, const char *path, struct sq_str header, uint64_t data_bytes,
                         struct sq_err *err)
{
    json_t *object = NULL;
    *safetensors = (struct sq_safetensors){.path = strdup(path), .file = -1};
    if (!safetensors->path) return sq_err_set(err, SQ_E_NOMEM, "no memory for a path");
    int status = sq_json_parse(&object, "header", header, SQ_E_MODEL_FILE, err);
    if (status == 0) status = read_tensors(safetensors, object, err);
    json_decref(object);
    if (status == 0) status = check_layout(safetensors, data_bytes, err);
    if (status == 0) return 0;
    sq_err_prefix(err, "%s: ", path);
    sq_safetensors_close(safetensors);
    return status;
}

/* Reads all of bytes at offset. */
static int read_at(int file, unsigned char *bytes, size_t count, uint64_t offset, struct sq_err *err)
{
    for (size_t done = 0; done < count;) {
        ssize_t got = pread(file, bytes + done, count - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return sq_err_set(err, SQ_E_MODEL_FILE, "%s", strerror(errno));
        if (got == 0) return sq_err_set(err, SQ_E_MODEL_FILE, "ends at byte %" PRIu64 ": it is cut short, copy it again", offset + done);
        done += (size_t)got;
    }
    return 0;
}

/* The header's bytes (*header, the caller frees) and how many follow it. */
static int read_header(int file, unsigned char **header, size_t *header_bytes, uint64_t *data_bytes, struct sq_err *err)
{
    struct stat info;
    unsigned char length[LENGTH_BYTES];
    if (fstat(file, &info) < 0) return sq_err_set(err, SQ_E_MODEL_FILE, "%s", strerror(errno));
    if (!S_ISREG(info.st_mode)) return sq_err_set(err, SQ_E_MODEL_FILE, "is not a file");
    uint64_t file_bytes = (uint64_t)info.st_size;
    if (file_bytes < LENGTH_BYTES) return sq_err_set(err, SQ_E_MODEL_FILE, "is too short for a safetensors file");
    int status = read_at(file, length, sizeof length, 0, err);
    if (status < 0) return status;
    uint64_t bytes = 0;
    for (unsigned i = LENGTH_BYTES; i-- > 0;) bytes = bytes << 8 | length[i];
    if (bytes > SQ_SAFETENSORS_HEADER_BYTES_MAX)
        return sq_err_set(err, SQ_E_MODEL_FILE, "says its header has %" PRIu64 " bytes, more than %d", bytes, SQ_SAFETENSORS_HEADER_BYTES_MAX);
    if (bytes > file_bytes - LENGTH_BYTES)
        return sq_err_set(err, SQ_E_MODEL_FILE, "says its header has %" PRIu64 " bytes, but the file has %" PRIu64, bytes, file_bytes);
    *header = malloc((size_t)bytes + 1);
    if (!*header) return sq_err_set(err, SQ_E_NOMEM, "no memory for its header");
    *header_bytes = (size_t)bytes;
    *data_bytes = file_bytes - LENGTH_BYTES - bytes;
    return read_at(file, *header, (size_t)bytes, LENGTH_BYTES, err);
}

int sq_safetensors_open(struct sq_safetensors *safetensors, const char *path, struct sq_err *err)
{
    *safetensors = (struct sq_safetensors){.file = -1};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return sq_err_set(err, SQ_E_MODEL_FILE, "%s: %s", path, strerror(errno));
    unsigned char *header = NULL;
    size_t header_bytes = 0;
    uint64_t data_bytes = 0;
    int status = read_header(file, &header, &header_bytes, &data_bytes, err);
    if (status < 0) sq_err_prefix(err, "%s: ", path);
    else status = sq_safetensors_parse(safetensors, path, (struct sq_str){(char *)header, header_bytes}, data_bytes, err);
    free(header);
    if (status < 0) {
        close(file);
        return status;
    }
    safetensors->file = file;
    safetensors->data_offset = LENGTH_BYTES + header_bytes;
    return 0;
}

void sq_safetensors_close(struct sq_safetensors *safetensors)
{
    for (size_t i = 0; i < safetensors->tensors_count; i++) free(safetensors->tensors[i].name);
    free(safetensors->tensors);
    free(safetensors->path);
    if (safetensors->file >= 0) close(safetensors->file);
    *safetensors = (struct sq_safetensors){.file = -1};
}

const struct sq_tensor *sq_safetensors_find(const struct sq_safetensors *safetensors, const char *name)
{
    for (size_t i = 0; i < safetensors->tensors_count; i++) {
        if (strcmp(safetensors->tensors[i].name, name) == 0) return &safetensors->tensors[i];
    }
    return NULL;
}

static int read_chunks(const struct sq_safetensors *safetensors, const struct sq_tensor *tensor, sq_dtype_take_fn take, size_t value_bytes,
                       unsigned char *values, unsigned char *chunk, struct sq_err *err)
{
    uint64_t left_bytes = tensor->end - tensor->begin;
    uint64_t offset = safetensors->data_offset + tensor->begin;
    while (left_bytes > 0) {
        size_t bytes = left_bytes < CHUNK_BYTES ? (size_t)left_bytes : CHUNK_BYTES;
        int status = read_at(safetensors->file, chunk, bytes, offset, err);
        if (status < 0) return status;
        size_t count = bytes / (tensor->dtype->bits / 8);
        if (!take(values, chunk, count)) return fail(tensor->name, "holds values that are not finite", err);
        values += count * value_bytes;
        offset += bytes;
        left_bytes -= bytes;
    }
    return 0;
}

static int read_all(const struct sq_safetensors *safetensors, const struct sq_tensor *tensor, sq_dtype_take_fn take, size_t value_bytes,
                    void *values, struct sq_err *err)
{
    int status;
    if (!take) {
        status = sq_err_set(err, SQ_E_MODEL_FILE, "tensor %s: dtype: weights of type %s can't be used: save the model as F32, F16 or BF16",
                            tensor->name, tensor->dtype->name);
    } else {
        unsigned char *chunk = malloc(CHUNK_BYTES);
        status = chunk ? read_chunks(safetensors, tensor, take, value_bytes, values, chunk, err)
                       : sq_err_set(err, SQ_E_NOMEM, "no memory to read it");
        free(chunk);
    }
    return status < 0 ? sq_err_prefix(err, "%s: ", safetensors->path) : 0;
}

int sq_safetensors_read(const struct sq_safetensors *safetensors, const struct sq_tensor *tensor, float *values, struct sq_err *err)
{
    return read_all(safetensors, tensor, tensor->dtype->convert, sizeof *values, values, err);
}

int sq_safetensors_read_kept(const struct sq_safetensors *safetensors, const struct sq_tensor *tensor, void *values, struct sq_err *err)
{
    return read_all(safetensors, tensor, tensor->dtype->keep, tensor->dtype->bits / 8, values, err);
}
