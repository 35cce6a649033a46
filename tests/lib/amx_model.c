/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/amx_model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILES = 8, ROWS_MAX = 16, ROW_BYTES_MAX = 64, CONFIG_TILES = 16, LANE_BYTES = 4 };

static _Thread_local struct {
    int is_configured;
    struct {
        unsigned rows, row_bytes;
        uint8_t data[ROWS_MAX][ROW_BYTES_MAX];
    } tiles[TILES];
    size_t dots;
} cpu;

static void require(int holds, const char *what)
{
    if (holds) return;
    fprintf(stderr, "amx_model: the CPU would fault: %s\n", what);
    abort();
}

void amx_model_configure(const void *config)
{
    const uint8_t *bytes = config, *row_bytes = bytes + 16, *rows = bytes + 48;
    require(bytes[0] == 1, "palette other than 1");
    for (size_t i = 1; i < 16; i++) require(bytes[i] == 0, "a start row, or a reserved byte that isn't zero");
    memset(&cpu.tiles, 0, sizeof cpu.tiles);
    for (size_t i = 0; i < CONFIG_TILES; i++) {
        unsigned width = row_bytes[2 * i] | (unsigned)row_bytes[2 * i + 1] << 8, height = rows[i];
        require(i < TILES || (width == 0 && height == 0), "tiles that the palette hasn't");
        require(width <= ROW_BYTES_MAX && height <= ROWS_MAX, "a tile larger than the palette's");
        require((width == 0) == (height == 0), "a tile with rows and no columns, or columns and no rows");
        if (i >= TILES) continue;
        cpu.tiles[i].rows = height;
        cpu.tiles[i].row_bytes = width;
    }
    cpu.is_configured = 1;
}

void amx_model_release(void)
{
    memset(&cpu.tiles, 0, sizeof cpu.tiles);
    cpu.is_configured = 0;
}

static void require_tile(int tile) { require(cpu.is_configured && tile >= 0 && tile < TILES && cpu.tiles[tile].rows > 0, "a tile that isn't configured"); }

void amx_model_zero(int tile)
{
    require_tile(tile);
    memset(cpu.tiles[tile].data, 0, sizeof cpu.tiles[tile].data);
}

/* What lies beyond the tile's rows and columns becomes zero. */
void amx_model_load(int tile, const void *from, size_t stride_bytes)
{
    amx_model_zero(tile);
    for (unsigned row = 0; row < cpu.tiles[tile].rows; row++)
        memcpy(cpu.tiles[tile].data[row], (const uint8_t *)from + row * stride_bytes, cpu.tiles[tile].row_bytes);
}

void amx_model_store(int tile, void *to, size_t stride_bytes)
{
    require_tile(tile);
    for (unsigned row = 0; row < cpu.tiles[tile].rows; row++)
        memcpy((uint8_t *)to + row * stride_bytes, cpu.tiles[tile].data[row], cpu.tiles[tile].row_bytes);
}

static void dot_row(uint32_t sums[ROW_BYTES_MAX / LANE_BYTES], const uint8_t *bytes, int signed_bytes, unsigned lanes, unsigned columns)
{
    for (unsigned k = 0; k < lanes; k++) {
        for (unsigned n = 0; n < columns; n++) {
            for (unsigned i = 0; i < LANE_BYTES; i++) {
                int weight = (int8_t)cpu.tiles[signed_bytes].data[k][n * LANE_BYTES + i];
                sums[n] += (uint32_t)(bytes[k * LANE_BYTES + i] * weight); /* wraps, as the CPU's does */
            }
        }
    }
}

void amx_model_dot(int sums, int unsigned_bytes, int signed_bytes)
{
    require_tile(sums), require_tile(unsigned_bytes), require_tile(signed_bytes);
    require(sums != unsigned_bytes && sums != signed_bytes && unsigned_bytes != signed_bytes, "one tile given twice");
    unsigned lanes = cpu.tiles[unsigned_bytes].row_bytes / LANE_BYTES, columns = cpu.tiles[sums].row_bytes / LANE_BYTES;
    require(cpu.tiles[sums].row_bytes % LANE_BYTES == 0 && cpu.tiles[unsigned_bytes].row_bytes % LANE_BYTES == 0, "rows of a part of a lane");
    require(cpu.tiles[sums].rows == cpu.tiles[unsigned_bytes].rows, "sums and inputs of unlike heights");
    require(cpu.tiles[signed_bytes].rows == lanes, "weights of another height than inputs have lanes");
    require(cpu.tiles[signed_bytes].row_bytes == cpu.tiles[sums].row_bytes, "sums and weights of unlike widths");
    for (unsigned row = 0; row < cpu.tiles[sums].rows; row++) {
        uint32_t line[ROW_BYTES_MAX / LANE_BYTES];
        memcpy(line, cpu.tiles[sums].data[row], sizeof line);
        dot_row(line, cpu.tiles[unsigned_bytes].data[row], signed_bytes, lanes, columns);
        memcpy(cpu.tiles[sums].data[row], line, sizeof line);
    }
    cpu.dots++;
}

size_t amx_model_dots(void) { return cpu.dots; }
