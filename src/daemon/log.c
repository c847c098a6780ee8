#include "src/daemon/log.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hearsay/error.h"

enum {
    MESSAGE_BYTES = 1024,
    LINE_BYTES = 2 * MESSAGE_BYTES,
    SITES = 64,
    REPEAT_MAX = 5,
    REPEAT_WINDOW_MS = 10000,
};

/* A place in the program that logs, known by its format. */
struct site {
    const char *format;
    int64_t window_start_ms;
    unsigned said;
    unsigned left_out;
};

static struct {
    enum log_level level;
    enum log_format format;
    enum log_level listener_level;
    void (*listener)(void *arg, const struct log_line *line);
    void *listener_arg;
    struct site site[SITES];
} state = {.level = LEVEL_NOTICE};

static const char *const level_name[] = {"error", "warning", "notice", "info", "debug", "trace"};

void log_set(enum log_level level, enum log_format format)
{
    state.level = level;
    state.format = format;
}

void log_listen(enum log_level level, void (*listener)(void *arg, const struct log_line *line),
                void *arg)
{
    state.listener_level = level;
    state.listener = listener;
    state.listener_arg = arg;
}

const char *log_level_name(enum log_level level)
{
    return level_name[level];
}

int log_level_parse(enum log_level *level, const char *text)
{
    for (unsigned i = 0; i < sizeof level_name / sizeof level_name[0]; i++) {
        if (!strcmp(text, level_name[i])) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return HSAY_EBAD;
}

static int64_t wall_ms_now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* False if this sentence was heard often enough.  Another format in the same slot begins anew. */
static bool site_may_speak(const char *format, int64_t now_ms, unsigned *left_out)
{
    struct site *site = &state.site[((uintptr_t)format >> 4) % SITES];

    *left_out = 0;
    if (site->format != format || now_ms - site->window_start_ms > REPEAT_WINDOW_MS ||
        now_ms < site->window_start_ms) {
        *left_out = site->format == format ? site->left_out : 0;
        *site = (struct site){.format = format, .window_start_ms = now_ms};
    }
    if (site->said == REPEAT_MAX) {
        site->left_out++;
        return false;
    }
    site->said++;
    return true;
}

/* What came from outside, names for one, may hold anything. */
static void harmless(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 32 || *text == 127) {
            *text = '?';
        }
    }
}

/* One write a line, so that lines of several processes do not mix.  Nobody to tell if it fails. */
static void line_write(const char *line, int length)
{
    if (length > 0) {
        ssize_t ignored =
            write(STDERR_FILENO, line, (size_t)(length < LINE_BYTES ? length : LINE_BYTES - 1));
        (void)ignored;
    }
}

void log_time(char text[LOG_TIME_BYTES], int64_t wall_ms)
{
    time_t wall_s = (time_t)(wall_ms / 1000);
    struct tm utc;
    size_t used;

    gmtime_r(&wall_s, &utc);
    used = strftime(text, LOG_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, LOG_TIME_BYTES - used, ".%03dZ", (int)(wall_ms % 1000));
}

static void write_json(const struct log_line *line)
{
    char text[LINE_BYTES];
    char at[LOG_TIME_BYTES];
    json_t *object;
    size_t length;

    log_time(at, line->wall_ms);
    object = json_pack("{s:s, s:s, s:s, s:s}", "time", at, "level", level_name[line->level],
                       "topic", line->topic, "message", line->message);
    length = object ? json_dumpb(object, text, sizeof text - 1, JSON_COMPACT) : 0;
    json_decref(object);
    if (length && length < sizeof text) {
        text[length] = '\n';
        line_write(text, (int)length + 1);
    }
}

static void write_text(const struct log_line *line)
{
    char text[LINE_BYTES];
    char at[LOG_TIME_BYTES];

    log_time(at, line->wall_ms);
    line_write(text, snprintf(text, sizeof text, "%s %s %s: %s\n", at, level_name[line->level],
                              line->topic, line->message));
}

/* The journal stamps the time itself and reads the priority of syslog(3) from "<4>". */
static void write_journal(const struct log_line *line)
{
    static const int priority[] = {3, 4, 5, 6, 7, 7};
    char text[LINE_BYTES];

    line_write(text, snprintf(text, sizeof text, "<%d>%s: %s\n", priority[line->level], line->topic,
                              line->message));
}

static void line_say(const struct log_line *line)
{
    if (line->level <= state.level) {
        switch (state.format) {
        case FORMAT_TEXT:
            write_text(line);
            break;
        case FORMAT_JSON:
            write_json(line);
            break;
        case FORMAT_JOURNAL:
            write_journal(line);
            break;
        }
    }
    if (state.listener && line->level <= state.listener_level) {
        state.listener(state.listener_arg, line);
    }
}

__attribute__((format(printf, 3, 0))) static void say(enum log_level level, const char *topic,
                                                      const char *format, const char *system_error,
                                                      va_list args)
{
    char message[MESSAGE_BYTES];
    struct log_line line = {wall_ms_now(), level, topic, message};
    unsigned left_out;
    size_t used;

    if (level > state.level && !(state.listener && level <= state.listener_level)) {
        return;
    }
    if (!site_may_speak(format, line.wall_ms, &left_out)) {
        return;
    }
    vsnprintf(message, sizeof message, format, args);
    used = strlen(message);
    if (system_error) {
        snprintf(message + used, sizeof message - used, ": %s", system_error);
        used = strlen(message);
    }
    if (left_out) {
        snprintf(message + used, sizeof message - used, " (and %u times more)", left_out);
    }
    harmless(message);
    line_say(&line);
}

#define LOG_FUNCTION(name, level, system_error)                                                    \
    void name(const char *topic, const char *format, ...)                                          \
    {                                                                                              \
        int saved = errno;                                                                         \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, format);                                                                    \
        say(level, topic, format, system_error, args);                                             \
        va_end(args);                                                                              \
        errno = saved;                                                                             \
    }

LOG_FUNCTION(log_error, LEVEL_ERROR, strerror(saved))
LOG_FUNCTION(log_errorx, LEVEL_ERROR, NULL)
LOG_FUNCTION(log_warn, LEVEL_WARNING, strerror(saved))
LOG_FUNCTION(log_warnx, LEVEL_WARNING, NULL)
LOG_FUNCTION(log_notice, LEVEL_NOTICE, NULL)
LOG_FUNCTION(log_info, LEVEL_INFO, NULL)
LOG_FUNCTION(log_debug, LEVEL_DEBUG, NULL)
