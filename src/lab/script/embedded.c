#include "src/lab/script/embedded.h"

#include <string.h>

const struct lab_embedded *lab_embedded_find(const char *name)
{
    for (size_t i = 0; i < lab_embedded_count; i++) {
        const struct lab_embedded *found = &lab_embedded_table[i];
        size_t length = strlen(found->name);
        if (strncmp(found->name, name, length) == 0 &&
            (name[length] == '\0' || strcmp(name + length, ".scenario") == 0))
            return found;
    }
    return NULL;
}
