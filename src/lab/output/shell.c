#include "src/lab/output/shell.h"

#include <stdlib.h>
#include <string.h>

#include "src/lab/output/heap.h"

/* What means itself behind the first word of a command. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "-_./:,%+@=";

void lab_shell_put(FILE *out, const char *word)
{
    fputc(' ', out);
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word != '\0'; word++) {
        if (*word == '\'') /* the quotes end, one stands alone, and they begin again */
            fputs("'\\''", out);
        else
            fputc(*word, out);
    }
    fputc('\'', out);
}

void lab_shell_put_set(FILE *out, const char *key, const char *value)
{
    char *pair = lab_heap_format("%s=%s", key, value);
    fputs(" --set", out);
    lab_shell_put(out, pair);
    free(pair);
}

char *lab_shell_command(int argc, char **argv)
{
    struct lab_text text;
    lab_text_open(&text);
    fputs("hearsay-lab", text.out);
    for (int i = 1; i < argc; i++)
        lab_shell_put(text.out, argv[i]);
    return lab_text_take(&text, NULL);
}
