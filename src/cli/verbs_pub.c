/*
 * pub: many requests under way at once.  The daemon commits once per turn of its loop and answers
 * after that, so a client that waited for each answer would pay a sync of the disk per bundle; one
 * that has a window of them pays one per window.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cli/cli.h"
#include "src/cli/progress.h"

enum {
    WINDOW = 1024, /* bundles under way; a full turn of the daemon's, and the next one */
    READ_BYTES = 65536,
    FILE_MAX_BYTES = 1 << 20, /* far over what a bundle takes; the daemon says what is too large */
};

struct pub {
    struct cli *cli;
    struct conn conn;
    struct progress progress;
    uint64_t total; /* 0: not known */
    uint64_t asked;
    uint64_t stored;
    uint64_t refused;
    int refused_exit;
    uint64_t unread; /* files that could not be read */
    bool closed;
};

static uint64_t under_way(const struct pub *pub)
{
    return pub->asked - pub->stored - pub->refused;
}

static void ask(struct pub *pub, const char *data, size_t size)
{
    const struct command_line *line = &pub->cli->line;
    conn_ask(&pub->conn, "pub %s %" PRIu64 " %" PRIu64 " %zu", cli_overlay(pub->cli),
             options_number(line, OPT_TYPE, 0), options_number(line, OPT_EXPIRY, 0), size);
    conn_ask_body(&pub->conn, data, size);
    pub->asked++;
}

static void print_stored(const struct pub *pub, const json_t *bundle)
{
    const struct out *out = &pub->cli->out;
    if (options_has(&pub->cli->line, OPT_QUIET))
        return;
    if (out->form == OUT_JSON)
        out_json(bundle);
    else if (out->form == OUT_TSV)
        printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\n", field_text(bundle, "id"),
               field_number(bundle, "sequence"), field_number(bundle, "global_time"),
               field_number(bundle, "bytes"));
    else
        puts(field_text(bundle, "id"));
}

/* Says each reason once, however many bundles it meets: the first one is enough to act upon. */
static void on_refused(struct pub *pub, const json_t *error)
{
    if (!pub->refused++) {
        pub->refused_exit = (int)field_number(error, "exit");
        progress_wipe(&pub->progress);
        if (pub->total == 1)
            complain("%s", field_text(error, "message"));
        else
            complain("bundle %" PRIu64 ": %s", pub->stored + pub->refused,
                     field_text(error, "message"));
    }
}

static void take_answers(struct pub *pub)
{
    json_t *object;
    enum conn_got got;
    while (!pub->closed && (got = conn_take(&pub->conn, &object)) != CONN_WAIT) {
        if (got == CONN_OBJECT)
            print_stored(pub, object);
        else if (got == CONN_DONE)
            pub->stored++;
        else if (got == CONN_REFUSED)
            on_refused(pub, object);
        else
            pub->closed = true;
        json_decref(object);
    }
    progress_show(&pub->progress, pub->stored + pub->refused, pub->total);
}

/* Waits until the daemon or, if it is open, the input has something. */
static bool turn(struct pub *pub, int input)
{
    struct pollfd watch[2] = {{.fd = pub->conn.fd, .events = conn_events(&pub->conn)},
                              {.fd = input, .events = POLLIN}};
    fflush(stdout);
    poll(watch, 2, -1);
    if (watch[0].revents) {
        bool open = conn_move(&pub->conn);
        take_answers(pub);
        pub->closed = pub->closed || !open;
    }
    return watch[1].revents != 0;
}

/* An overlay that is not there refuses all; one line too long refuses only itself. */
static bool hopeless(const struct pub *pub)
{
    return pub->closed || (pub->refused && !pub->stored && pub->refused >= WINDOW / 4);
}

static void feed(struct pub *pub, const char *data, size_t size)
{
    ask(pub, data, size);
    while (under_way(pub) >= WINDOW && !pub->closed)
        turn(pub, -1);
}

/* ---- inputs ------------------------------------------------------------------------------- */

static int open_input(struct pub *pub, const char *name)
{
    int fd = strcmp(name, "-") == 0 ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain("%s: %s", name, strerror(errno));
        pub->unread++;
    }
    return fd;
}

/* False at the end, which may also be a failure. */
static bool read_more(struct pub *pub, int fd, struct bytes *input, const char *name)
{
    ssize_t got = read(fd, bytes_space(input, READ_BYTES), READ_BYTES);
    if (got < 0 && errno == EINTR)
        return true;
    if (got < 0) {
        complain("%s: %s", name, strerror(errno));
        pub->unread++;
    }
    bytes_grown(input, got > 0 ? (size_t)got : 0);
    return got > 0;
}

static void feed_lines(struct pub *pub, const char *name)
{
    struct bytes input = {0};
    const char *line;
    size_t size;
    int fd = open_input(pub, name);
    bool open = fd >= 0;
    while (open && !hopeless(pub)) {
        /* Lines that come slowly are answered while the next is awaited. */
        if (!turn(pub, fd))
            continue;
        open = read_more(pub, fd, &input, name);
        while (bytes_line(&input, &line, &size) && !hopeless(pub))
            if (size)
                feed(pub, line, size);
    }
    if (input.size && !hopeless(pub))
        feed(pub, input.data + input.start, input.size);
    bytes_free(&input);
    if (fd >= 0)
        close(fd);
}

static void feed_file(struct pub *pub, const char *name)
{
    struct bytes input = {0};
    uint64_t unread = pub->unread;
    int fd = open_input(pub, name);
    if (fd < 0)
        return;
    while (input.size <= FILE_MAX_BYTES && read_more(pub, fd, &input, name))
        ;
    if (input.size > FILE_MAX_BYTES) {
        complain("%s: over %d bytes; -l makes a bundle of each line", name, FILE_MAX_BYTES);
        pub->unread++;
    } else if (pub->unread == unread) {
        feed(pub, input.data + input.start, input.size);
    }
    bytes_free(&input);
    close(fd);
}

/* How many bundles a file of lines will become; 0 for what can be read only once. */
static uint64_t count_lines(const char *name)
{
    struct stat what;
    char part[READ_BYTES], before = '\n';
    uint64_t lines = 0;
    bool standard = strcmp(name, "-") == 0;
    int fd = standard ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    off_t at = fd >= 0 && standard ? lseek(fd, 0, SEEK_CUR) : 0;
    if (fd >= 0 && at >= 0 && !fstat(fd, &what) && S_ISREG(what.st_mode)) {
        ssize_t got;
        for (; (got = pread(fd, part, sizeof part, at)) > 0; at += got)
            for (ssize_t i = 0; i < got; before = part[i++])
                lines += before == '\n' && part[i] != '\n';
    }
    if (fd >= 0)
        close(fd);
    return lines;
}

static bool each_file(struct pub *pub, void (*what)(struct pub *, const char *))
{
    const struct command_line *line = &pub->cli->line;
    bool any = false;
    for (size_t i = 0; i < line->value_count; i++) {
        if (line->value[i].option != OPT_FILE)
            continue;
        any = true;
        if (!hopeless(pub))
            what(pub, line->value[i].text);
    }
    return any;
}

static void add_count(struct pub *pub, const char *name)
{
    uint64_t lines = count_lines(name);
    pub->total = lines && pub->total != UINT64_MAX ? pub->total + lines : UINT64_MAX;
}

static void add_one(struct pub *pub, const char *name)
{
    (void)name;
    pub->total++;
}

static void expect(struct pub *pub)
{
    bool lines = options_has(&pub->cli->line, OPT_LINES);
    pub->total = pub->cli->words;
    if (!each_file(pub, lines ? add_count : add_one) && lines)
        add_count(pub, "-");
    if (pub->total == UINT64_MAX)
        pub->total = 0;
}

/* ---- the verb ----------------------------------------------------------------------------- */

static int verdict(const struct pub *pub)
{
    uint64_t lost = under_way(pub);
    if (pub->closed && lost)
        complain("the daemon closed the connection; of %" PRIu64 " bundles it said nothing", lost);
    if (!pub->refused && !lost && !pub->unread)
        return EXIT_DONE;
    if (pub->unread && pub->asked)
        complain("stored %" PRIu64 " of %" PRIu64 " bundles, and %" PRIu64
                 " file%s could not be read",
                 pub->stored, pub->asked, pub->unread, pub->unread == 1 ? "" : "s");
    else if (pub->asked > 1)
        complain("stored %" PRIu64 " of %" PRIu64 " bundles", pub->stored, pub->asked);
    if (pub->stored)
        return EXIT_PARTLY;
    return pub->refused_exit > EXIT_FAILED && pub->refused_exit <= EXIT_PARTLY ? pub->refused_exit
                                                                               : EXIT_FAILED;
}

int verb_pub(struct cli *cli)
{
    const struct command_line *line = &cli->line;
    bool lines = options_has(line, OPT_LINES);
    if (!cli->words && !lines && !options_has(line, OPT_FILE)) {
        complain("nothing to publish: give TEXT, -f FILE, or -l for the lines of standard input");
        return EXIT_USAGE;
    }
    if (options_has(line, OPT_EXPIRY) && !options_number(line, OPT_EXPIRY, 0)) {
        complain("--expires wants at least 1 second; without it a bundle stays");
        return EXIT_USAGE;
    }
    struct pub pub = {.cli = cli};
    int code = cli_connect(cli, &pub.conn);
    if (code)
        return code;
    progress_init(&pub.progress, options_text(line, OPT_PROGRESS, NULL), "bundles");
    expect(&pub);
    for (size_t i = 0; i < cli->words && !hopeless(&pub); i++)
        feed(&pub, cli->word[i], strlen(cli->word[i]));
    if (!each_file(&pub, lines ? feed_lines : feed_file) && lines)
        feed_lines(&pub, "-");
    while (under_way(&pub) && !pub.closed)
        turn(&pub, -1);
    progress_end(&pub.progress, pub.stored + pub.refused, pub.total);
    code = verdict(&pub);
    conn_close(&pub.conn);
    return code;
}
