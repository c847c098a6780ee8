#include "src/cli/format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/cli.h"
#include "src/common/base64.h"

static const char letters[] = "iaqtTepxl%";
static const char escapes[] = "nt0\\";

bool format_check(const char *format)
{
    for (const char *at = format; *at; at++) {
        if (*at != '%' && *at != '\\')
            continue;
        const char *known = *at == '%' ? letters : escapes;
        at++;
        if (*at && strchr(known, *at))
            continue;
        complain("'%c%.1s' in the format means nothing; there are %%i %%a %%q %%t %%T %%e %%p %%x "
                 "%%l %%%% \\n \\t \\0 \\\\",
                 at[-1], at);
        return false;
    }
    return true;
}

char *format_payload(const json_t *bundle, size_t *size)
{
    const json_t *text = json_object_get(bundle, "payload");
    const char *coded = field_text(bundle, "payload_base64");
    *size = json_is_string(text) ? json_string_length(text) : strlen(coded);
    char *payload = must_alloc(NULL, *size + 1);
    if (json_is_string(text)) {
        memcpy(payload, json_string_value(text), *size);
    } else {
        int got = base64_parse(payload, *size, coded);
        *size = got > 0 ? (size_t)got : 0;
    }
    return payload;
}

static void print_letter(const struct out *out, char letter, const json_t *bundle)
{
    static const struct {
        char letter;
        const char *field;
    } plain[] = {{'i', "id"},          {'a', "author"}, {'q', "sequence"},
                 {'t', "global_time"}, {'T', "type"},   {'e', "expiry_s"}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (plain[i].letter != letter)
            continue;
        const json_t *value = json_object_get(bundle, plain[i].field);
        if (json_is_string(value))
            fputs(json_string_value(value), stdout);
        else
            printf("%" PRIu64, field_number(bundle, plain[i].field));
        return;
    }
    if (letter == '%') {
        putchar('%');
        return;
    }
    size_t size;
    char *payload = format_payload(bundle, &size);
    if (letter == 'l')
        printf("%zu", size);
    else if (letter == 'p')
        out_foreign(out, payload, size);
    for (size_t i = 0; letter == 'x' && i < size; i++)
        printf("%02x", (unsigned char)payload[i]);
    free(payload);
}

void format_print(const struct out *out, const char *format, const json_t *bundle)
{
    for (const char *at = format; *at; at++) {
        if (*at == '%')
            print_letter(out, *++at, bundle);
        else if (*at == '\\')
            putchar(*++at == 'n' ? '\n' : *at == 't' ? '\t' : *at == '0' ? 0 : '\\');
        else
            putchar(*at);
    }
}
