/* SPDX-License-Identifier: Apache-2.0 */
/* `vec` in AVX-512: sixteen floats a register. See vec_plain.h for what each function does. */
#ifndef SQ_KERNELS_VEC_AVX512_H
#define SQ_KERNELS_VEC_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

typedef __m512 vec;
enum { VEC_FLOATS = 16 };

static inline __mmask16 vec_mask(size_t count) { return (__mmask16)((1u << count) - 1); }

static inline vec vec_set(float x) { return _mm512_set1_ps(x); }
static inline vec vec_load(const float *from) { return _mm512_loadu_ps(from); }
static inline vec vec_load_some(const float *from, size_t count, float rest)
{
    return _mm512_mask_loadu_ps(_mm512_set1_ps(rest), vec_mask(count), from);
}
static inline vec vec_load_i32(const int32_t *from) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(from)); }
static inline void vec_store(float *to, vec x) { _mm512_storeu_ps(to, x); }
static inline void vec_store_some(float *to, vec x, size_t count) { _mm512_mask_storeu_ps(to, vec_mask(count), x); }

static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm512_div_ps(a, b); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
static inline vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); }
static inline vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); }
static inline vec vec_round(vec x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vec vec_times_power(vec x, vec n) { return _mm512_scalef_ps(x, n); }

static inline float vec_sum(vec x) { return _mm512_reduce_add_ps(x); }
static inline float vec_largest(vec x) { return _mm512_reduce_max_ps(x); }
static inline float vec_smallest(vec x) { return _mm512_reduce_min_ps(x); }

static inline void vec_store_u8(uint8_t *to, vec x)
{
    _mm_storeu_si128((__m128i *)(void *)to, _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(x)));
}

static inline vec vec_load_f16(const uint16_t *from) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)from)); }
static inline vec vec_load_bf16(const uint16_t *from)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

/* Registers a[0..15] as the rows of a square, turned into its columns: pairs of 32 bits, of 64, of 128, of 256. */
static inline void vec_transpose(vec a[VEC_FLOATS])
{
    __m512d b[16];
    for (int i = 0; i < 16; i += 2) {
        vec low = _mm512_unpacklo_ps(a[i], a[i + 1]), high = _mm512_unpackhi_ps(a[i], a[i + 1]);
        a[i] = low;
        a[i + 1] = high;
    }
    for (int i = 0; i < 16; i += 4) {
        for (int half = 0; half < 2; half++) {
            b[i + 2 * half] = _mm512_unpacklo_pd(_mm512_castps_pd(a[i + half]), _mm512_castps_pd(a[i + 2 + half]));
            b[i + 2 * half + 1] = _mm512_unpackhi_pd(_mm512_castps_pd(a[i + half]), _mm512_castps_pd(a[i + 2 + half]));
        }
    }
    for (int i = 0; i < 4; i++) { /* b[4 g + i] holds columns i, 4 + i, 8 + i, 12 + i of rows 4 g to 4 g + 3 */
        __m512d low01 = _mm512_shuffle_f64x2(b[i], b[4 + i], 0x88), high01 = _mm512_shuffle_f64x2(b[i], b[4 + i], 0xdd);
        __m512d low23 = _mm512_shuffle_f64x2(b[8 + i], b[12 + i], 0x88), high23 = _mm512_shuffle_f64x2(b[8 + i], b[12 + i], 0xdd);
        a[i] = _mm512_castpd_ps(_mm512_shuffle_f64x2(low01, low23, 0x88));
        a[4 + i] = _mm512_castpd_ps(_mm512_shuffle_f64x2(high01, high23, 0x88));
        a[8 + i] = _mm512_castpd_ps(_mm512_shuffle_f64x2(low01, low23, 0xdd));
        a[12 + i] = _mm512_castpd_ps(_mm512_shuffle_f64x2(high01, high23, 0xdd));
    }
}

#endif
