/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/amx_traps.h"

#if defined(__x86_64__)
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "tests/lib/amx_model.h"

/* By Intel's manual, volume 2: all are VEX.128 with opcode map 0F38 and W 0, in the three-byte form C4 RXBmmmmm WvvvvLpp. */
enum { VEX3 = 0xc4, MAP_0F38 = 2, PP_NONE = 0, PP_66 = 1, PP_F3 = 2, PP_F2 = 3, OP_CONFIG = 0x49, OP_MOVE = 0x4b, OP_DOT = 0x5e };

static const int registers[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

struct instruction {
    unsigned opcode, prefix;
    int reg, rm, vvvv; /* of ModRM and VEX; rm without meaning where there is memory */
    int has_memory;
    uintptr_t address, stride_bytes; /* stride: the index register's part of the address */
    size_t bytes;
};

static struct sigaction before;

static uintptr_t value_of(const ucontext_t *context, unsigned number) { return (uintptr_t)context->uc_mcontext.gregs[registers[number]]; }

/* ModRM's memory operand, with the bytes that follow it at `at`. Returns where the instruction ends. */
static const uint8_t *decode_memory(struct instruction *in, const ucontext_t *context, const uint8_t *at, unsigned mod, unsigned rm, unsigned x, unsigned b)
{
    unsigned base = rm | b;
    int has_base = 1, disp_bytes = mod == 1 ? 1 : mod == 2 ? 4 : 0, is_relative = 0;
    if (rm == 4) {
        unsigned sib = *at++, index = (sib >> 3 & 7) | x;
        base = (sib & 7) | b;
        if (index != 4) in->stride_bytes = value_of(context, index) << (sib >> 6);
        if (mod == 0 && (sib & 7) == 5) has_base = 0, disp_bytes = 4;
    } else if (mod == 0 && rm == 5) {
        has_base = 0, disp_bytes = 4, is_relative = 1;
    }
    int32_t disp = 0;
    if (disp_bytes == 1) disp = (int8_t)*at;
    else if (disp_bytes == 4) memcpy(&disp, at, sizeof disp);
    at += disp_bytes;
    in->address = (has_base ? value_of(context, base) : is_relative ? (uintptr_t)at : 0) + (uintptr_t)(intptr_t)disp;
    return at;
}

static int decode(struct instruction *in, const ucontext_t *context)
{
    const uint8_t *start = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP], *at = start + 5;
    if (start[0] != VEX3 || (start[1] & 0x1f) != MAP_0F38 || (start[2] & 0x84) != 0) return 0;
    unsigned x = start[1] & 0x40 ? 0 : 8, b = start[1] & 0x20 ? 0 : 8, mod = start[4] >> 6, rm = start[4] & 7;
    *in = (struct instruction){.opcode = start[3], .prefix = start[2] & 3, .reg = start[4] >> 3 & 7, .rm = (int)rm, .vvvv = (~start[2] >> 3) & 15,
                               .has_memory = mod != 3};
    if (in->has_memory) at = decode_memory(in, context, at, mod, rm, x, b);
    in->bytes = (size_t)(at - start);
    return 1;
}

static int run(const struct instruction *in)
{
    switch (in->opcode << 8 | in->prefix << 4 | (unsigned)in->has_memory) {
    case OP_CONFIG << 8 | PP_NONE << 4 | 1: amx_model_configure((const void *)(in->address + in->stride_bytes)); return 1;
    case OP_CONFIG << 8 | PP_NONE << 4: amx_model_release(); return 1;
    case OP_CONFIG << 8 | PP_F2 << 4: amx_model_zero(in->reg); return 1;
    case OP_MOVE << 8 | PP_F2 << 4 | 1: amx_model_load(in->reg, (const void *)in->address, in->stride_bytes); return 1;
    case OP_MOVE << 8 | PP_F3 << 4 | 1: amx_model_store(in->reg, (void *)in->address, in->stride_bytes); return 1;
    case OP_DOT << 8 | PP_66 << 4: amx_model_dot(in->reg, in->rm, in->vvvv); return 1;
    default: return 0;
    }
}

static void on_illegal(int number, siginfo_t *info, void *context_void)
{
    ucontext_t *context = context_void;
    struct instruction in;
    (void)number, (void)info;
    if (!decode(&in, context) || !run(&in)) {
        fprintf(stderr, "amx_traps: an illegal instruction that isn't AMX's\n");
        abort();
    }
    context->uc_mcontext.gregs[REG_RIP] += (greg_t)in.bytes;
}

void amx_traps_begin(void)
{
    struct sigaction action = {.sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO | SA_NODEFER};
    if (sigaction(SIGILL, &action, &before) != 0) abort();
}

void amx_traps_end(void) { sigaction(SIGILL, &before, NULL); }

#else
void amx_traps_begin(void) {}
void amx_traps_end(void) {}
#endif
