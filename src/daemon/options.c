#include "src/daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/common/file.h"
#include "src/common/path.h"

enum { CONFIG_MAX_BYTES = 1 << 20, LONG_MAX_COUNT = 32 };

enum option_code { OPT_SETTING = 1000, OPT_OVERLAY, OPT_CONFIG, OPT_CHECK, OPT_NO_BEACONS };

void options_usage(void)
{
    fputs("usage: hearsayd [options]\n"
          "  --config FILE            settings (hearsay.conf(5))\n"
          "  --check-config           read the settings, say what is wrong, end with 0 or 2\n"
          "  --state DIR              keys, store and address book\n"
          "  --listen ADDR:PORT       may be repeated; default [::]:6421\n"
          "  --peer HOST:PORT[#KEY]   may be repeated; a peer for all overlays\n"
          "  --overlay JOIN[=NAME]    may be repeated; join at start\n"
          "  --control PATH           the socket for hearsay(1)\n"
          "  --step SECONDS           between steps, 0.05 to 3600; default 5\n"
          "  --policy NAME            hearsay, paper or code2019\n"
          "  --quota BYTES            of bundles per overlay, like 2GB; 0: no bound\n"
          "  --lan-beacons yes|no     find peers in the local network; --no-lan-beacons\n"
          "  --port-mapping HOW       auto, no, pcp, nat-pmp or upnp; default auto\n"
          "  --port-search yes|no     with peers that no puncture reaches; default yes\n"
          "  --log-level LEVEL        error, warning, notice, info, debug or trace\n"
          "  --log-format FORMAT      text, json or journal\n"
          "  --version, --help\n"
          "Exit status: 0 clean, 1 failed, 2 usage or settings, 3 another daemon is there.\n"
          "Each option can be said as HEARSAY_STATE=DIR and so on.  Manual: hearsayd(8).\n",
          stdout);
}

/* The options of the conf table, then our own. */
static void long_options(struct option out[LONG_MAX_COUNT])
{
    static const struct option own[] = {
        {"overlay", required_argument, NULL, OPT_OVERLAY},
        {"config", required_argument, NULL, OPT_CONFIG},
        {"check-config", no_argument, NULL, OPT_CHECK},
        {"no-lan-beacons", no_argument, NULL, OPT_NO_BEACONS},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    size_t count = 0;
    const char *name;

    while ((name = conf_option_at(count)) && count < LONG_MAX_COUNT - 8) {
        out[count++] = (struct option){name, required_argument, NULL, OPT_SETTING};
    }
    memcpy(&out[count], own, sizeof own);
}

static int say(struct options *options, const char *name, const char *value,
               struct conf_error *error)
{
    if (options->said_count == OPTIONS_SAID_MAX) {
        snprintf(error->text, sizeof error->text, "hearsayd: too many options");
        return HSAY_EINVAL;
    }
    options->said[options->said_count++] = (struct options_said){name, value};
    return 0;
}

static int one_read(struct options *options, int code, const char *name, struct conf_error *error)
{
    switch (code) {
    case OPT_SETTING:
    case OPT_OVERLAY:
        return say(options, name, optarg, error);
    case OPT_NO_BEACONS:
        return say(options, "lan-beacons", "no", error);
    case OPT_CONFIG:
        options->config = optarg;
        return 0;
    case OPT_CHECK:
        options->check_config = true;
        return 0;
    case 'V':
        options->version = true;
        return 0;
    case 'h':
        options->help = true;
        return 0;
    default:
        return HSAY_EINVAL;
    }
}

int options_read(struct options *options, int argc, char **argv, struct conf_error *error)
{
    struct option table[LONG_MAX_COUNT] = {{0}};
    int code, index = 0;
    int rc = 0;

    *options = (struct options){0};
    options->config = getenv("HEARSAY_CONFIG");
    long_options(table);
    opterr = 0;
    while (!rc && (code = getopt_long(argc, argv, ":hV", table, &index)) != -1) {
        rc = one_read(options, code, code >= OPT_SETTING ? table[index].name : "", error);
        if (rc && (code == ':' || code == '?')) {
            snprintf(error->text, sizeof error->text, "hearsayd: %s %.200s; see hearsayd --help",
                     code == ':' ? "a value is missing after" : "there is no option",
                     argv[optind - 1]);
        }
    }
    if (!rc && optind < argc) {
        snprintf(error->text, sizeof error->text,
                 "hearsayd: '%.200s' is no option; see hearsayd --help", argv[optind]);
        rc = HSAY_EINVAL;
    }
    return rc;
}

/* The file that was named must be there; the one at the usual place need not. */
static int file_conf(const struct options *options, struct conf *conf, struct conf_error *error)
{
    char path[PATH_MAX];
    const char *name;
    char *text;
    size_t size;
    int rc;

    if (options->config) {
        snprintf(path, sizeof path, "%s", options->config);
    } else if (path_config(path, sizeof path)) {
        return 0;
    }
    rc = file_read(path, CONFIG_MAX_BYTES, &text, &size);
    if (rc == HSAY_ENOENT && !options->config) {
        return 0;
    }
    if (rc) {
        snprintf(error->text, sizeof error->text, "cannot read %.1000s: %s", path,
                 rc == HSAY_ENOENT   ? "there is no such file"
                 : rc == HSAY_ENOSPC ? "it is larger than 1 MiB"
                                     : strerror(errno));
        return HSAY_EINVAL;
    }
    name = strrchr(path, '/');
    rc = conf_read(conf, name ? name + 1 : path, text, size, error);
    free(text);
    return rc;
}

int options_conf(const struct options *options, struct conf *conf, struct conf_error *error)
{
    int rc;

    conf_default(conf);
    rc = file_conf(options, conf, error);
    if (!rc) {
        rc = conf_environment(conf, error);
    }
    for (size_t i = 0; !rc && i < options->said_count; i++) {
        rc = conf_option(conf, options->said[i].name, options->said[i].value, error);
    }
    return rc;
}
