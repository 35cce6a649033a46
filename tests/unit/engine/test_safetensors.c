/* SPDX-License-Identifier: Apache-2.0 */
/* Every way in which a safetensors file can lie, and the three types of weights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/model/safetensors.h"
#include "tests/lib/folder.h"

static struct sq_err err;
static struct sq_safetensors file;

static int parse(const char *header, uint64_t data_bytes)
{
    err = (struct sq_err){0};
    return sq_safetensors_parse(&file, "m.safetensors", sq_str_view(header), data_bytes, &err);
}

static void assert_message(const char *part)
{
    if (!strstr(err.message, part)) fail_msg("'%s' does not say '%s'", err.message, part);
}

static void refuse(const char *header, uint64_t data_bytes, const char *part)
{
    assert_int_equal(parse(header, data_bytes), SQ_E_MODEL_FILE);
    assert_message(part);
    assert_message("m.safetensors");
    assert_null(file.tensors);
}

#define TENSOR(name, dtype, shape, begin, end) "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void test_accepts(void **state)
{
    (void)state;
    assert_int_equal(parse("{" TENSOR("b", "F16", "[2,3]", 8, 20) "," TENSOR("a", "F32", "[2]", 0, 8) "}", 20), 0);
    assert_int_equal(file.tensors_count, 2);
    assert_string_equal(file.tensors[0].name, "a"); /* by offset */
    assert_int_equal(sq_tensor_values_count(sq_safetensors_find(&file, "b")), 6);
    assert_string_equal(sq_tensor_dtype_name(sq_safetensors_find(&file, "b")), "F16");
    assert_null(sq_safetensors_find(&file, "c"));
    sq_safetensors_close(&file);
    static const char *const good[] = {
        "{}", " \n\t{} \r\n ", "{\"__metadata__\":{\"format\":\"pt\"}}", "{" TENSOR("zero", "F32", "[0,7]", 0, 0) "}",
        "{" TENSOR("z", "I64", "[0]", 0, 0) "," TENSOR("y", "F32", "[0]", 0, 0) "}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(parse(good[i], 0), 0);
        sq_safetensors_close(&file);
    }
    assert_int_equal(parse("{" TENSOR("scalar", "F32", "[]", 0, 4) "}", 4), 0);
    assert_int_equal(sq_tensor_values_count(&file.tensors[0]), 1);
    sq_safetensors_close(&file);
    assert_int_equal(parse("{" TENSOR("four", "F4", "[2,3]", 0, 3) "}", 3), 0); /* not a weight, but a type of the format */
    sq_safetensors_close(&file);
}

static void test_refuses_json(void **state)
{
    (void)state;
    refuse("", 0, "not valid JSON");
    refuse("{", 0, "not valid JSON");
    refuse("[]", 0, "not a JSON object");
    refuse("7", 0, "not a JSON object");
    refuse("{} x", 0, "not valid JSON");
    refuse("{\"\xff\":1}", 0, "not valid JSON");
    refuse("{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("a", "F32", "[1]", 0, 4) "}", 4, "duplicate");
    refuse("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "duplicate");
    assert_int_equal(sq_safetensors_parse(&file, "m.safetensors", (struct sq_str){"{}\0\0", 4}, 0, &err), SQ_E_MODEL_FILE);
}

static void test_refuses_fields(void **state)
{
    (void)state;
    refuse("{\"a\":7}", 0, "tensor a: expected dtype, shape and data_offsets");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 4, "tensor a");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4],\"more\":[[[1]]]}}", 4, "tensor a");
    refuse("{" TENSOR("a", "F33", "[1]", 0, 4) "}", 4, "tensor a: dtype");
    refuse("{\"a\":{\"dtype\":32,\"shape\":[],\"data_offsets\":[0,4]}}", 4, "tensor a: dtype");
    refuse("{" TENSOR("a", "F32", "7", 0, 4) "}", 4, "tensor a: shape");
    refuse("{" TENSOR("a", "F32", "[-1]", 0, 4) "}", 4, "tensor a: shape");
    refuse("{" TENSOR("a", "F32", "[1.0]", 0, 4) "}", 4, "tensor a: shape");
    refuse("{" TENSOR("a", "F32", "[\"1\"]", 0, 4) "}", 4, "tensor a: shape");
    refuse("{" TENSOR("a", "F32", "[1,1,1,1,1,1,1,1,1]", 0, 4) "}", 4, "more than 8 dimensions");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "tensor a: data_offsets");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}", 4, "tensor a: data_offsets");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,\"4\"]}}", 4, "tensor a: data_offsets");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}", 4, "tensor a: data_offsets");
    refuse("{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "name is empty");
    refuse("{\"\\u001b[2J\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "control characters");
    refuse("{\"__metadata__\":7}", 0, "__metadata__");
    refuse("{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, "__metadata__");
}

static void test_refuses_layout(void **state)
{
    (void)state;
    refuse("{" TENSOR("a", "F32", "[1]", 0, 8) "}", 8, "tensor a: data_offsets: 8 bytes, but shape and dtype take 4");
    refuse("{" TENSOR("a", "F32", "[1]", 8, 4) "}", 8, "ends before it begins");
    refuse("{" TENSOR("a", "F32", "[1]", 4, 8) "}", 8, "begins at byte 4");
    refuse("{" TENSOR("a", "F32", "[1]", 0, 4) "," TENSOR("b", "F32", "[1]", 8, 12) "}", 12, "tensor b");
    refuse("{" TENSOR("a", "F32", "[2]", 0, 8) "," TENSOR("b", "F32", "[1]", 4, 8) "}", 8, "tensor b");
    refuse("{" TENSOR("a", "F32", "[1]", 0, 4) "}", 3, "cut short");
    refuse("{" TENSOR("a", "F32", "[1]", 0, 4) "}", 5, "4 bytes, but the file has 5");
    refuse("{" TENSOR("a", "F4", "[3]", 0, 2) "}", 2, "whole bytes");
    refuse("{" TENSOR("a", "F32", "[4611686018427387904,4]", 0, 4) "}", 4, "overflows");
    refuse("{" TENSOR("a", "F32", "[9223372036854775807,9223372036854775807]", 0, 4) "}", 4, "overflows");
    refuse("{" TENSOR("a", "F32", "[99999999999999999999]", 0, 4) "}", 4, "not valid JSON");
}

/* Ten tensors on one range, and 100,000 of them. */
static void test_refuses_many(void **state)
{
    (void)state;
    static const unsigned counts[] = {10, 100000};
    for (size_t n = 0; n < 2; n++) {
        struct sq_buf header;
        sq_buf_init(&header);
        for (unsigned i = 0; i < counts[n]; i++)
            sq_buf_printf(&header, "%s\"t%u\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}", i ? "," : "{", i);
        sq_buf_append_char(&header, '}');
        refuse(header.data, 4, n ? "100000 tensors" : "begins at byte 0");
        sq_buf_deinit(&header);
    }
}

/* A whole file: 8 bytes of length, header, data. */
static int open_file(uint64_t length, const char *header, const void *data, size_t data_bytes)
{
    struct test_folder folder;
    struct sq_buf contents;
    char path[512];
    test_folder_init(&folder);
    sq_buf_init(&contents);
    for (unsigned i = 0; i < 8; i++) sq_buf_append_char(&contents, (char)(length >> 8 * i & 0xff));
    sq_buf_append_text(&contents, header);
    sq_buf_append(&contents, data, data_bytes);
    test_folder_write(&folder, "m.safetensors", sq_buf_view(&contents));
    snprintf(path, sizeof path, "%s/m.safetensors", folder.path);
    int status = sq_safetensors_open(&file, path, &err);
    test_folder_deinit(&folder); /* the descriptor stays readable */
    sq_buf_deinit(&contents);
    return status;
}

static void test_file_lengths(void **state)
{
    (void)state;
    struct test_folder folder;
    char path[512];
    static const struct {
        uint64_t length;
        const char *part;
    } bad[] = {{3, "but the file has 10"}, {8 * 1024 * 1024 + 1, "more than 8388608"}, {UINT64_MAX, "more than 8388608"}, {0, "not valid JSON"}, {1, "not valid JSON"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(open_file(bad[i].length, "{}", "", 0), SQ_E_MODEL_FILE);
        assert_message(bad[i].part);
    }
    assert_int_equal(open_file(2, "{}", "", 0), 0);
    sq_safetensors_close(&file);
    test_folder_init(&folder);
    snprintf(path, sizeof path, "%s/m.safetensors", folder.path);
    assert_int_equal(sq_safetensors_open(&file, path, &err), SQ_E_MODEL_FILE);
    assert_message("No such file");
    test_folder_write(&folder, "m.safetensors", SQ_STR("\2\0\0"));
    assert_int_equal(sq_safetensors_open(&file, path, &err), SQ_E_MODEL_FILE);
    assert_message("too short");
    assert_int_equal(sq_safetensors_open(&file, folder.path, &err), SQ_E_MODEL_FILE);
    assert_message("is not a file");
    test_folder_deinit(&folder);
}

#define ONE_OF(dtype, bytes) "{" TENSOR("w", dtype, "[4]", 0, bytes) "}"

/* As fp32; and what is kept in the file's own bits is taken and refused alike. */
static int read_four(const char *header, const void *data, size_t bytes, float values[4])
{
    unsigned char kept[4 * sizeof(float)];
    assert_int_equal(open_file(strlen(header), header, data, bytes), 0);
    int status = sq_safetensors_read_kept(&file, sq_safetensors_find(&file, "w"), kept, &err);
    if (status == 0) assert_memory_equal(kept, data, bytes);
    assert_int_equal(sq_safetensors_read(&file, sq_safetensors_find(&file, "w"), values, &err), status);
    sq_safetensors_close(&file);
    return status;
}

static void test_values(void **state)
{
    (void)state;
    float values[4];
    const float f32[4] = {1.5f, -0.0f, 3e38f, 1e-40f};
    assert_int_equal(read_four(ONE_OF("F32", 16), f32, sizeof f32, values), 0);
    assert_memory_equal(values, f32, sizeof f32);
    /* 1, -2, the largest, the smallest subnormal */
    const uint16_t f16[4] = {0x3c00, 0xc000, 0x7bff, 0x0001};
    const float f16_values[4] = {1.0f, -2.0f, 65504.0f, 0x1p-24f};
    assert_int_equal(read_four(ONE_OF("F16", 8), f16, sizeof f16, values), 0);
    assert_memory_equal(values, f16_values, sizeof f16_values);
    const uint16_t bf16[4] = {0x3f80, 0xc000, 0x7f7f, 0x8000};
    const float bf16_values[4] = {1.0f, -2.0f, 0x1.fep127f, -0.0f};
    assert_int_equal(read_four(ONE_OF("BF16", 8), bf16, sizeof bf16, values), 0);
    assert_memory_equal(values, bf16_values, sizeof bf16_values);
}

static void test_values_refused(void **state)
{
    (void)state;
    float values[4];
    const uint32_t f32[4] = {0, 0, 0, 0x7fc00000};
    const uint16_t f16[4] = {0, 0x7c00, 0, 0}, bf16[4] = {0xff80, 0, 0, 0}, i16[4] = {0};
    assert_int_equal(read_four(ONE_OF("F32", 16), f32, sizeof f32, values), SQ_E_MODEL_FILE);
    assert_message("tensor w: holds values that are not finite");
    assert_int_equal(read_four(ONE_OF("F16", 8), f16, sizeof f16, values), SQ_E_MODEL_FILE);
    assert_message("not finite");
    assert_int_equal(read_four(ONE_OF("BF16", 8), bf16, sizeof bf16, values), SQ_E_MODEL_FILE);
    assert_message("not finite");
    assert_int_equal(read_four(ONE_OF("I16", 8), i16, sizeof i16, values), SQ_E_MODEL_FILE);
    assert_message("weights of type I16");
}

/* Every F16 pattern against the definition. */
static void test_every_f16(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 0x10000; first += 4) {
        uint16_t bits[4];
        float values[4];
        bool finite = true;
        for (uint32_t i = 0; i < 4; i++) {
            bits[i] = (uint16_t)(first + i);
            finite = finite && (bits[i] & 0x7c00) != 0x7c00;
        }
        if (first % 1024 != 0 && first % 1024 != 1020 && finite) continue; /* both ends of each exponent; files are slow */
        assert_int_equal(read_four(ONE_OF("F16", 8), bits, sizeof bits, values), finite ? 0 : SQ_E_MODEL_FILE);
        for (uint32_t i = 0; finite && i < 4; i++) {
            int exponent = bits[i] >> 10 & 31, fraction = bits[i] & 1023;
            double magnitude = exponent ? (1024 + fraction) * 0x1p-10 : fraction * 0x1p-9;
            for (int e = exponent ? exponent : 0; e > 15; e--) magnitude *= 2;
            for (int e = exponent ? exponent : 0; e < 15; e++) magnitude /= 2;
            assert_true((double)values[i] == (bits[i] & 0x8000 ? -magnitude : magnitude));
        }
        if (!finite) first |= 0x3fc;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),        cmocka_unit_test(test_refuses_json), cmocka_unit_test(test_refuses_fields),
        cmocka_unit_test(test_refuses_layout), cmocka_unit_test(test_refuses_many), cmocka_unit_test(test_file_lengths),
        cmocka_unit_test(test_values),         cmocka_unit_test(test_values_refused), cmocka_unit_test(test_every_f16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
