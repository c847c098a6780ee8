/*
 * init: a state folder with the node's and the author's keys, and a configuration that explains
 * itself.  With a folder named, all of it lies in there, so that several nodes of one user do not
 * meet; else it lies where hearsayd looks by itself.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/error.h"
#include "src/cli/cli.h"
#include "src/common/file.h"
#include "src/common/hex.h"
#include "src/common/keyfile.h"
#include "src/common/path.h"
#include "src/common/peer_name.h"

struct made {
    char *state;
    char *config;
    char *control; /* NULL: where hearsayd puts it by itself */
    char node_key[2 * HSAY_KEY_BYTES + 1];
    char author_key[2 * HSAY_KEY_BYTES + 1];
};

static char *absolute(const char *path)
{
    char here[PATH_MAX];
    if (path[0] == '/' || !getcwd(here, sizeof here))
        return must_print("%s", path);
    return must_print("%s/%s", here, path);
}

static bool choose_places(const struct cli *cli, struct made *made)
{
    char path[PATH_MAX];
    const char *state = options_text(&cli->line, OPT_STATE, cli->words ? cli->word[0] : NULL);
    if (state) {
        made->state = absolute(state);
        made->config = must_print("%s/hearsay.conf", made->state);
        made->control = must_print("%s/control.sock", made->state);
        return true;
    }
    if (path_state(path, sizeof path))
        return false;
    made->state = must_print("%s", path);
    if (path_config(path, sizeof path))
        return false;
    made->config = must_print("%s", path);
    return true;
}

static int failed(const char *path, int error)
{
    complain("%s: %s", path, error == HSAY_EIO ? strerror(errno) : hsay_strerror(error));
    return EXIT_FAILED;
}

/* Keys that are there stay: they are who this node is. */
static int make_key(const char *path, bool author, char *public_hex)
{
    uint8_t seed[KEYFILE_BYTES], secret[HSAY_SECRET_BYTES];
    struct hsay_crypto crypto;
    struct hsay_key key;
    int error = keyfile_read(path, seed);
    if (error == HSAY_ENOENT) {
        hsay_sodium_random(seed, sizeof seed);
        error = keyfile_write(path, seed);
    } else if (error == HSAY_EBAD || error == HSAY_EINVAL) {
        complain("%s is no key file that only its owner can read; move it away, or mend it "
                 "(64 hex digits, mode 0600)",
                 path);
        return EXIT_FAILED;
    }
    if (error)
        return failed(path, error);
    hsay_crypto_sodium(&crypto);
    if (author)
        hsay_sodium_author_from_seed(&key, secret, seed);
    else
        crypto.ops->node_public(crypto.self, &key, seed);
    hex_format(public_hex, key.byte, sizeof key.byte);
    hsay_sodium_wipe(seed, sizeof seed);
    hsay_sodium_wipe(secret, sizeof secret);
    return EXIT_DONE;
}

static int make_keys(struct made *made)
{
    char *node = must_print("%s/node.key", made->state);
    char *author = must_print("%s/author.key", made->state);
    int code = make_key(node, false, made->node_key);
    if (!code)
        code = make_key(author, true, made->author_key);
    free(node);
    free(author);
    return code;
}

/* ---- the configuration -------------------------------------------------------------------- */

static const char config_head[] =
    "# Configuration of a Hearsay node.  Lines with '#' show defaults; hearsay.conf(5) tells "
    "more,\n"
    "# and `hearsayd --check-config` finds mistakes.\n\n[node]\n# Bundles, keys and the address "
    "book lie here.\nstate = \"%s\"\n\n# One UDP port for IPv4 and IPv6; port 0 lets the system "
    "choose.\n%slisten = %s\n\n# Members to begin with; the line may be repeated.\n";
static const char config_tail[] = "\n# Find members in the same network by beacons.\n"
                                  "#lan-beacons = yes\n\n"
                                  "# Ask the gateway for a port: auto, no, pcp, nat-pmp or upnp.\n"
                                  "#port-mapping = auto\n\n"
                                  "# Search for ports with peers that no puncture reaches.\n"
                                  "#port-search = yes\n\n"
                                  "# How often to visit a peer when nothing is urgent.\n"
                                  "#step = 5s\n\n"
                                  "# Whom to visit and what to ask for: hearsay, paper, code2019.\n"
                                  "#policy = hearsay\n\n"
                                  "[store]\n"
                                  "# Bundles that each overlay may hold; 0: no bound.\n"
                                  "#quota = 1GB\n\n"
                                  "[log]\n"
                                  "# error, warning, notice, info, debug, trace.\n"
                                  "#level = notice\n\n"
                                  "# text, json, journal.\n"
                                  "#format = text\n\n"
                                  "[control]\n"
                                  "# Members of this group may look, and change nothing.\n"
                                  "#group = hearsay\n\n"
                                  "# Where `hearsay` talks to the daemon.\n";

/* An address and a port; a port alone means all addresses.  Port 0, any free one, is good here and
 * not for a peer. */
static bool good_listen(const char *text)
{
    struct peer_name name;
    uint64_t port;
    const char *colon = strrchr(text, ':');
    if (!options_read_number(colon ? colon + 1 : text, &port) || port > UINT16_MAX)
        return false;
    if (!colon)
        return true;
    char *host = must_print("%.*s:1", (int)(colon - text), text);
    bool good = !peer_name_parse(&name, host) && name.addr.kind != HSAY_ADDR_NONE;
    free(host);
    return good;
}

/* A value can stand in quotes, and has no way to hold one. */
static bool good_path(const char *path)
{
    for (const char *at = path; *at; at++)
        if (*at == '"' || (unsigned char)*at < ' ' || *at == 127)
            return false;
    return true;
}

static char *config_text(const struct cli *cli, const struct made *made)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    const char *listen = options_text(&cli->line, OPT_LISTEN, NULL);
    bool peers = false;
    if (!to)
        return must_print("%s", "");
    fprintf(to, config_head, made->state, listen ? "" : "#", listen ? listen : "[::]:6421");
    for (size_t i = 0; i < cli->line.value_count; i++) {
        if (cli->line.value[i].option != OPT_PEER)
            continue;
        fprintf(to, "peer = %s\n", cli->line.value[i].text);
        peers = true;
    }
    if (!peers)
        fputs("#peer = HOST:PORT\n", to);
    fputs(config_tail, to);
    fprintf(to, "%spath = \"%s\"\n", made->control ? "" : "#",
            made->control ? made->control : "/run/hearsay/control.sock");
    fclose(to);
    return text;
}

static int make_config(const struct cli *cli, const struct made *made)
{
    char *slash = strrchr(made->config, '/');
    *slash = 0;
    int error = file_make_folder(made->config, 0755);
    *slash = '/';
    if (error)
        return failed(made->config, error);
    char *text = config_text(cli, made);
    error = file_write(made->config, text, strlen(text), 0644);
    free(text);
    return error ? failed(made->config, error) : EXIT_DONE;
}

/* ---- the verb ----------------------------------------------------------------------------- */

static void print_made(const struct cli *cli, const struct made *made)
{
    static const struct column column[] = {{"state folder", "state", COLUMN_TEXT},
                                           {"configuration", "config", COLUMN_TEXT},
                                           {"control socket", "control", COLUMN_TEXT},
                                           {"node key", "node_key", COLUMN_TEXT},
                                           {"author key", "author_key", COLUMN_TEXT}};
    char control[PATH_MAX];
    if (path_control(control, sizeof control, NULL))
        control[0] = 0;
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "state", made->state, "config",
                               made->config, "control", made->control ? made->control : control,
                               "node_key", made->node_key, "author_key", made->author_key);
    out_card(&cli->out, column, sizeof column / sizeof *column, object);
    json_decref(object);
    if (cli->out.form != OUT_TEXT)
        return;
    if (made->control)
        printf("\nNext:\n  hearsayd --config %s &\n  export HEARSAY_SOCKET=%s\n", made->config,
               made->control);
    else
        printf("\nNext:\n  hearsayd &\n");
    puts("  hearsay overlay new NAME");
}

static int make_all(const struct cli *cli, struct made *made)
{
    if (!choose_places(cli, made)) {
        complain("no place for a state folder: HOME is not set; name one, as in "
                 "'hearsay init DIR'");
        return EXIT_FAILED;
    }
    if (!good_path(made->state) || !good_path(made->config)) {
        complain("a configuration cannot hold a path with quotes or control characters; choose "
                 "another folder");
        return EXIT_FAILED;
    }
    if (access(made->config, F_OK) == 0) {
        complain("%s is there already; nothing was changed", made->config);
        return EXIT_FAILED;
    }
    int error = file_make_folder(made->state, 0700);
    if (error)
        return failed(made->state, error);
    int code = make_keys(made);
    if (!code)
        code = make_config(cli, made);
    if (!code)
        print_made(cli, made);
    return code;
}

int verb_init(struct cli *cli)
{
    struct made made = {0};
    struct peer_name name;
    const char *listen = options_text(&cli->line, OPT_LISTEN, NULL);
    if (listen && !good_listen(listen)) {
        complain("'%s' is nothing to listen at; it looks like [::]:6421 or 127.0.0.1:0", listen);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < cli->line.value_count; i++) {
        if (cli->line.value[i].option != OPT_PEER ||
            !peer_name_parse(&name, cli->line.value[i].text))
            continue;
        complain("'%s' is no peer; it looks like HOST:PORT or HOST:PORT#KEY",
                 cli->line.value[i].text);
        return EXIT_USAGE;
    }
    if (hsay_sodium_init()) {
        complain("the system gives no random bytes");
        return EXIT_FAILED;
    }
    int code = make_all(cli, &made);
    free(made.state);
    free(made.config);
    free(made.control);
    return code;
}
