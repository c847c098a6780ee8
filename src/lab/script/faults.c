#include "src/lab/script/faults.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "src/lab/script/heap.h"

/* Returns the length of what now stands in the text. */
static size_t place_write(char *text, size_t size, const struct lab_script_place *place)
{
    int length = place->line != 0 ? snprintf(text, size, "%s:%u: ", place->file, place->line)
                                  : snprintf(text, size, "%s: ", place->file);
    return length < 0 || (size_t)length >= size ? size - 1 : (size_t)length;
}

void lab_faults_add(struct lab_faults *faults, const struct lab_script_place *place,
                    const char *format, ...)
{
    char text[LAB_FAULT_BYTES];
    va_list arguments;

    if (faults->count == LAB_FAULTS_MAX) {
        faults->more++;
        return;
    }
    size_t used = place_write(text, sizeof text, place);
    va_start(arguments, format);
    vsnprintf(text + used, sizeof text - used, format, arguments);
    va_end(arguments);
    size_t size = strlen(text) + 1;
    faults->text[faults->count++] = memcpy(lab_script_calloc(1, size), text, size);
}

size_t lab_faults_total(const struct lab_faults *faults)
{
    return faults->count + faults->more;
}

void lab_faults_print(const struct lab_faults *faults, FILE *to)
{
    for (size_t i = 0; i < faults->count; i++)
        fprintf(to, "%s\n", faults->text[i]);
    if (faults->more != 0)
        fputs("and more; what follows was not looked at\n", to);
}

void lab_faults_free(struct lab_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        free(faults->text[i]);
    *faults = (struct lab_faults){0};
}
