/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and SIGTERM while a demo runs: the first asks it to stop, a second one ends it at once. */
#ifndef SQ_CLI_DEMO_INTERRUPT_H
#define SQ_CLI_DEMO_INTERRUPT_H

#include <stdbool.h>

void sq_demo_interrupt_watch(void);
bool sq_demo_interrupted(void);

#endif
