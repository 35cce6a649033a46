/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/cli/demo_interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t interrupts;

static void on_signal(int number)
{
    (void)number;
    if (interrupts++) _exit(130); /* the children die with this process */
}

void sq_demo_interrupt_watch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool sq_demo_interrupted(void) { return interrupts > 0; }
