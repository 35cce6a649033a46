/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/cpu_name.h"

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

void sq_cpu_name(char name[SQ_CPU_NAME_BYTES])
{
    name[0] = '\0';
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;
    char vendor[12];
    __cpuid(0, eax, ebx, ecx, edx);
    memcpy(vendor, &ebx, 4);
    memcpy(vendor + 4, &edx, 4);
    memcpy(vendor + 8, &ecx, 4);
    __cpuid(1, eax, ebx, ecx, edx);
    snprintf(name, SQ_CPU_NAME_BYTES, "%.12s-%08x", vendor, eax);
#endif
}
