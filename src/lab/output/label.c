#include "src/lab/output/label.h"

#include <string.h>

#include "src/lab/output/heap.h"

bool lab_label_next(const char **at, struct lab_label *label)
{
    size_t size = strcspn(*at, ",");
    const char *equals = memchr(*at, '=', size);
    if (**at == 0)
        return false;
    label->name = *at;
    label->name_size = equals != NULL ? (size_t)(equals - *at) : size;
    label->text = equals != NULL ? equals + 1 : *at;
    label->text_size = size - (size_t)(label->text - *at);
    *at += size;
    *at += **at == ',';
    return true;
}

char *lab_label_of(const char *list, const char *name)
{
    struct lab_label label;
    const char *at = list != NULL ? list : "";
    while (lab_label_next(&at, &label)) {
        if (label.name_size == strlen(name) && memcmp(label.name, name, label.name_size) == 0)
            return lab_heap_copy_part(label.text, label.text_size);
    }
    return lab_heap_copy(name);
}
