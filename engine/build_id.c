/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/build_id.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <string.h>

static size_t padded(size_t bytes) { return (bytes + 3) & ~(size_t)3; }

/* A segment of notes: name's and description's sizes, a type, then both, each padded to four bytes (elf(5)). */
static bool find_in_notes(struct sq_build_id *id, const unsigned char *at, size_t bytes)
{
    ElfW(Nhdr) note;
    while (bytes >= sizeof note) {
        memcpy(&note, at, sizeof note);
        size_t name = padded(note.n_namesz), description = padded(note.n_descsz);
        if (name > bytes - sizeof note || description > bytes - sizeof note - name) return false;
        at += sizeof note;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(at, "GNU", 4) == 0 && note.n_descsz > 0 && note.n_descsz <= sizeof id->bytes) {
            memcpy(id->bytes, at + name, note.n_descsz);
            return true;
        }
        at += name + description;
        bytes -= sizeof note + name + description;
    }
    return false;
}

/* The first object is the program. Nonzero ends the walk: 1 for found. */
static int look_into(struct dl_phdr_info *object, size_t bytes, void *id)
{
    (void)bytes;
    for (unsigned i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE && find_in_notes(id, (const unsigned char *)(uintptr_t)(object->dlpi_addr + segment->p_vaddr), segment->p_memsz)) return 1;
    }
    return -1;
}

bool sq_build_id(struct sq_build_id *id)
{
    *id = (struct sq_build_id){{0}};
    return dl_iterate_phdr(look_into, id) == 1;
}
