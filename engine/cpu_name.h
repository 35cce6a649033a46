/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SQ_CPU_NAME_H
#define SQ_CPU_NAME_H

enum { SQ_CPU_NAME_BYTES = 32 };

/* Vendor, then family, model and stepping as cpuid has them: "AuthenticAMD-00a20f10". Empty on CPUs without that instruction. */
void sq_cpu_name(char name[SQ_CPU_NAME_BYTES]);

#endif
