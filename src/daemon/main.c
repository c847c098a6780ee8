/* hearsayd: options, settings, start, loop, end.  The exit statuses are in hearsayd.8. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "src/daemon/daemon.h"
#include "version.h"

static int refuse(const struct conf_error *error)
{
    fprintf(stderr, "%s\n", error->text);
    return EXIT_STATUS_USAGE;
}

static int run(struct daemon *d, const struct options *options)
{
    struct conf_error error;
    enum exit_status status;

    if (options_conf(options, &d->conf, &error)) {
        return refuse(&error);
    }
    if (options->check_config) {
        if (ctl_conf_check(&d->conf, &error)) {
            return refuse(&error);
        }
        puts("the settings are good");
        return EXIT_STATUS_CLEAN;
    }
    log_set((enum log_level)d->conf.log_level, (enum log_format)d->conf.log_format);
    d->options = options;
    status = daemon_start(d);
    if (!status) {
        status = daemon_run(d);
        log_notice("daemon", "stopped");
    }
    daemon_end(d);
    return (int)status;
}

int main(int argc, char **argv)
{
    static struct options options;
    struct conf_error error;
    struct daemon *d;
    int status;

    /* Nothing that we make is for others; nothing that we might start gains rights. */
    umask(0077);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (options_read(&options, argc, argv, &error)) {
        return refuse(&error);
    }
    if (options.help) {
        options_usage();
        return EXIT_STATUS_CLEAN;
    }
    if (options.version) {
        puts("hearsayd " HSAY_VERSION);
        return EXIT_STATUS_CLEAN;
    }
    d = calloc(1, sizeof *d);
    if (!d) {
        fputs("hearsayd: out of memory\n", stderr);
        return EXIT_STATUS_FAILED;
    }
    status = run(d, &options);
    free(d);
    return (int)status;
}
