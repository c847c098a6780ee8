/* Words of a command as a shell reads them, so that a command that is told can be typed. */
#ifndef HEARSAY_LAB_SHELL_H
#define HEARSAY_LAB_SHELL_H

#include <stdio.h>

/* A blank and the word, in quotes if a shell would see something else in it. */
void lab_shell_put(FILE *out, const char *word);

/* The same for the words "--set" and "key=value". */
void lab_shell_put_set(FILE *out, const char *key, const char *value);

/* "hearsay-lab" and the words that were typed behind it.  free() it. */
char *lab_shell_command(int argc, char **argv);

#endif
