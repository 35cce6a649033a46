/* SPDX-License-Identifier: Apache-2.0 */
/* A message of protobuf is a row of fields: a varint with the field's number and wire type, then a varint, four or eight bytes,
 * or a length and as many bytes. Fields that nobody asks for are skipped; of a field that comes twice the last one counts. */
#include "engine/tokenizer/spm.h"

#include <math.h>
#include <stdlib.h>

#define FAIL(...) sq_err_set(err, SQ_E_MODEL_FILE, __VA_ARGS__)

enum wire { VARINT, EIGHT_BYTES, LENGTH, START_GROUP, END_GROUP, FOUR_BYTES };

struct field {
    uint64_t number;
    unsigned wire;
    uint64_t value;      /* VARINT, and the bits of FOUR_BYTES */
    struct sq_str bytes; /* LENGTH */
};

static bool take_varint(struct sq_str *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && rest->bytes; shift += 7) {
        unsigned char byte = (unsigned char)*rest->data++;
        rest->bytes--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

static bool take_bytes(struct sq_str *rest, uint64_t count, struct sq_str *bytes)
{
    if (count > rest->bytes) return false;
    *bytes = (struct sq_str){rest->data, (size_t)count};
    rest->data += count;
    rest->bytes -= (size_t)count;
    return true;
}

/* The next field of a message that isn't at its end; false if it is malformed. */
static bool take_field(struct sq_str *rest, struct field *field)
{
    uint64_t key;
    if (!take_varint(rest, &key)) return false;
    *field = (struct field){.number = key >> 3, .wire = (unsigned)(key & 7)};
    switch (field->wire) {
    case VARINT: return take_varint(rest, &field->value);
    case EIGHT_BYTES: return take_bytes(rest, 8, &field->bytes);
    case LENGTH: return take_varint(rest, &field->value) && take_bytes(rest, field->value, &field->bytes);
    case FOUR_BYTES:
        if (!take_bytes(rest, 4, &field->bytes)) return false;
        for (unsigned i = 0; i < 4; i++) field->value |= (uint64_t)(unsigned char)field->bytes.data[i] << 8 * i;
        return true;
    default: return false; /* groups, which no version of the format has */
    }
}

static bool read_piece(struct sq_spm_piece *piece, struct sq_str message)
{
    enum { PIECE = 1, SCORE = 2, TYPE = 3 };
    struct field field;
    *piece = (struct sq_spm_piece){.text = {"", 0}, .type = SQ_SPM_NORMAL};
    while (message.bytes) {
        if (!take_field(&message, &field)) return false;
        if (field.number == PIECE && field.wire == LENGTH) piece->text = field.bytes;
        if (field.number == TYPE && field.wire == VARINT) piece->type = field.value;
        if (field.number == SCORE && field.wire == FOUR_BYTES) {
            uint32_t bits = (uint32_t)field.value;
            memcpy(&piece->score, &bits, sizeof bits);
        }
    }
    return isfinite(piece->score);
}

/* One field of an embedded message: its number, by wire type. */
static bool read_member(struct sq_str message, uint64_t number, unsigned wire, struct field *found)
{
    struct field field;
    while (message.bytes) {
        if (!take_field(&message, &field)) return false;
        if (field.number == number && field.wire == wire) *found = field;
    }
    return true;
}

enum { PIECES = 1, TRAINER = 2, NORMALIZER = 3, TRAINER_MODEL_TYPE = 3, NORMALIZER_CHARSMAP = 2 };

static bool read_field(struct sq_spm *spm, const struct field *field)
{
    struct field member = {0};
    if (field->wire != LENGTH) return true;
    switch (field->number) {
    case PIECES: return read_piece(&spm->pieces[spm->pieces_count++], field->bytes);
    case TRAINER:
        if (!read_member(field->bytes, TRAINER_MODEL_TYPE, VARINT, &member)) return false;
        if (member.number) spm->model = member.value;
        return true;
    case NORMALIZER:
        if (!read_member(field->bytes, NORMALIZER_CHARSMAP, LENGTH, &member)) return false;
        if (member.number) spm->charsmap = member.bytes;
        return true;
    default: return true;
    }
}

/* How many pieces there are; false if the message is malformed. */
static bool count_pieces(struct sq_str message, size_t *count)
{
    struct field field;
    *count = 0;
    while (message.bytes) {
        if (!take_field(&message, &field)) return false;
        *count += field.number == PIECES && field.wire == LENGTH;
    }
    return true;
}

int sq_spm_parse(struct sq_spm *spm, struct sq_str file, size_t pieces_max, struct sq_err *err)
{
    size_t count;
    *spm = (struct sq_spm){.model = SQ_SPM_UNIGRAM};
    if (!count_pieces(file, &count) || count == 0) return FAIL("not a SentencePiece model");
    if (count > pieces_max) return FAIL("%zu pieces, more than %zu", count, pieces_max);
    spm->pieces = malloc(count * sizeof *spm->pieces);
    if (!spm->pieces) return sq_err_set(err, SQ_E_NOMEM, "no memory for %zu pieces", count);
    while (file.bytes) {
        struct field field;
        if (take_field(&file, &field) && read_field(spm, &field)) continue;
        count = spm->pieces_count;
        sq_spm_deinit(spm);
        return FAIL("not a SentencePiece model: malformed behind piece %zu", count);
    }
    return 0;
}

void sq_spm_deinit(struct sq_spm *spm)
{
    free(spm->pieces);
    *spm = (struct sq_spm){0};
}
