/*
 * The log of this process: a line an event, to standard error and to whoever listens on the control
 * socket.  Never per packet, never a payload.  A sentence that repeats itself is said five times in
 * ten seconds at most, then how often it was left out.  Control characters do not get through.
 *
 * log_error and log_warn add what errno says; log_errorx and log_warnx do not.  One log per
 * process, as there is one standard error; one thread.
 */
#ifndef HEARSAY_DAEMON_LOG_H
#define HEARSAY_DAEMON_LOG_H

#include <stdint.h>

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG, LEVEL_TRACE };
enum log_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JOURNAL };

struct log_line {
    int64_t wall_ms;
    enum log_level level;
    const char *topic;
    const char *message;
};

void log_set(enum log_level level, enum log_format format);

/* `listener` gets each line of `level` and above, whatever standard error gets.  NULL: nobody. */
void log_listen(enum log_level level, void (*listener)(void *arg, const struct log_line *line),
                void *arg);

/* "2026-01-31T12:00:00.123Z" */
enum { LOG_TIME_BYTES = 32 };
void log_time(char text[LOG_TIME_BYTES], int64_t wall_ms);

const char *log_level_name(enum log_level level);
int log_level_parse(enum log_level *level, const char *text); /* 0 or HSAY_EBAD */

void log_error(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_errorx(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warnx(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_notice(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *topic, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
