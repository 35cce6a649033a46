/* SPDX-License-Identifier: Apache-2.0 */
/* Runs machine code with AMX's tile instructions on a CPU that has none: each of them raises SIGILL, is decoded, done by amx_model.h, and stepped
 * over. x86-64 only, and one thread's at a time. On a CPU that has them nothing is raised and they run as they are. */
#ifndef SQ_TEST_AMX_TRAPS_H
#define SQ_TEST_AMX_TRAPS_H

void amx_traps_begin(void);
void amx_traps_end(void);

#endif
