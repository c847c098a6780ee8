/* report: the figures of folders of results. */
#include <stdio.h>
#include <stdlib.h>

#include "src/lab/commands.h"
#include "src/lab/output/report.h"
#include "version.h"

int lab_command_report(const struct lab_options *options, int argc, char **argv)
{
    (void)argc, (void)argv;
    struct lab_why why;
    if (options->args == 0) {
        fputs("hearsay-lab: which results?  report DIR...\n", stderr);
        return LAB_EXIT_USAGE;
    }
    if (!lab_options_only(options, LAB_OPTION_OUT))
        return LAB_EXIT_USAGE;
    char *out = options->out != NULL ? lab_heap_copy(options->out)
                                     : lab_heap_format("%s/report.html", options->arg[0]);
    struct lab_report report = {
        .folder = options->arg, .folders = options->args, .out = out, .version = HSAY_VERSION};
    int rc = lab_report_write(&report, &why);
    if (rc != 0)
        fprintf(stderr, "hearsay-lab: %s\n", why.text);
    else if (!options->quiet)
        printf("%s\n", out);
    free(out);
    return rc == 0 ? LAB_EXIT_DONE : LAB_EXIT_FAILED;
}
