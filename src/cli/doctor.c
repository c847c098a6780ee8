#include "src/cli/doctor.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const verdict_name[] = {"ok", "warning", "problem"};

void doctor_find(struct doctor *doctor, enum verdict verdict, const char *test, const char *advice,
                 const char *format, ...)
{
    char *message = NULL;
    va_list list;
    va_start(list, format);
    bool made = vasprintf(&message, format, list) >= 0;
    va_end(list);
    json_array_append_new(doctor->findings,
                          json_pack("{s:s, s:s, s:s, s:s?}", "result", verdict_name[verdict],
                                    "test", test, "message", made ? message : "", "advice",
                                    advice));
    if (verdict > doctor->worst)
        doctor->worst = verdict;
    free(made ? message : NULL);
}
