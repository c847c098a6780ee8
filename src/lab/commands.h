/* What hearsay-lab can be told to do.  Each returns the program's exit code: 0 done; 1 it failed,
 * or a run broke an invariant; 2 it was not understood. */
#ifndef HEARSAY_LAB_COMMANDS_H
#define HEARSAY_LAB_COMMANDS_H

#include "src/lab/options.h"

enum { LAB_EXIT_DONE = 0, LAB_EXIT_FAILED = 1, LAB_EXIT_USAGE = 2 };

int lab_command_run(const struct lab_options *options, int argc, char **argv);
int lab_command_sweep(const struct lab_options *options, int argc, char **argv);
int lab_command_list(const struct lab_options *options, int argc, char **argv);
int lab_command_report(const struct lab_options *options, int argc, char **argv);
int lab_command_fuzz(const struct lab_options *options, int argc, char **argv);
int lab_command_redo(const struct lab_options *options, int argc, char **argv);
int lab_command_nat(const struct lab_options *options, int argc, char **argv);

#endif
