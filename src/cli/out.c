#include "src/cli/out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cli/bytes.h"

void out_init(struct out *out, enum out_form form)
{
    const char *plain = getenv("NO_COLOR");
    out->form = form;
    out->terminal = isatty(STDOUT_FILENO);
    out->colour = out->terminal && !(plain && *plain);
}

/* ---- fields ------------------------------------------------------------------------------- */

const json_t *field_at(const json_t *object, const char *path)
{
    const char *dot;
    while (object && (dot = strchr(path, '.'))) {
        object = json_object_getn(object, path, (size_t)(dot - path));
        path = dot + 1;
    }
    return json_object_get(object, path);
}

double field_real(const json_t *object, const char *path)
{
    return json_number_value(field_at(object, path));
}

uint64_t field_number(const json_t *object, const char *path)
{
    const json_t *value = field_at(object, path);
    if (json_is_real(value))
        return json_real_value(value) > 0 ? (uint64_t)json_real_value(value) : 0;
    return (uint64_t)json_integer_value(value);
}

const char *field_text(const json_t *object, const char *path)
{
    const char *text = json_string_value(field_at(object, path));
    return text ? text : "";
}

bool field_true(const json_t *object, const char *path)
{
    return json_is_true(field_at(object, path));
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* Eight, because no line that is printed in one call has more. */
static char *next_text(void)
{
    static char text[8][48];
    static unsigned next;
    return text[next++ % 8];
}

const char *out_number(uint64_t number)
{
    char digits[24];
    char *text = next_text(), *to = text;
    int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
    for (int i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return text;
}

const char *out_size(uint64_t bytes)
{
    static const char *const unit[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char *text = next_text();
    if (bytes < 1024) {
        snprintf(text, 48, "%" PRIu64 " B", bytes);
        return text;
    }
    double scaled = (double)bytes / 1024;
    size_t i = 0;
    while (scaled >= 1023.95 && i + 1 < sizeof unit / sizeof *unit) {
        scaled /= 1024;
        i++;
    }
    snprintf(text, 48, "%.1f %s", scaled, unit[i]);
    return text;
}

const char *out_seconds(double seconds)
{
    char *text = next_text();
    if (seconds < 0.0995)
        snprintf(text, 48, "%.1f ms", seconds * 1000);
    else if (seconds < 120)
        snprintf(text, 48, "%.1f s", seconds);
    else if (seconds < 7200)
        snprintf(text, 48, "%.0fm%02.0fs", seconds / 60 - 0.5, (double)((uint64_t)seconds % 60));
    else if (seconds < 172800)
        snprintf(text, 48, "%.1f h", seconds / 3600);
    else
        snprintf(text, 48, "%.1f days", seconds / 86400);
    return text;
}

/* ---- foreign bytes ------------------------------------------------------------------------ */

/* How many bytes of well-formed UTF-8 begin here, and what they stand for; 0 if none do. */
static size_t utf8_take(const unsigned char *byte, size_t size, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = byte[0] < 0x80   ? 1
                    : byte[0] < 0xc2 ? 0
                    : byte[0] < 0xe0 ? 2
                    : byte[0] < 0xf0 ? 3
                    : byte[0] < 0xf5 ? 4
                                     : 0;
    if (length == 0 || length > size)
        return 0;
    *point = length == 1 ? byte[0] : byte[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (byte[i] & 0x3f);
    }
    bool surrogate = *point >= 0xd800 && *point < 0xe000;
    return *point < least[length] || *point > 0x10ffff || surrogate ? 0 : length;
}

/* Would a terminal act on it, or show other text than there is?  Controls, and what turns the
 * direction of writing or has no width. */
static bool acts(uint32_t point)
{
    return (point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7f && point < 0xa0) ||
           (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

static void put_foreign(FILE *to, const char *bytes, size_t size)
{
    const unsigned char *byte = (const unsigned char *)bytes;
    while (size) {
        uint32_t point = 0;
        size_t length = utf8_take(byte, size, &point);
        if (length && !acts(point))
            fwrite(byte, 1, length, to);
        else if (length > 1)
            fprintf(to, "\\u{%" PRIx32 "}", point);
        else
            fprintf(to, "\\x%02x", byte[0]);
        length = length ? length : 1;
        byte += length;
        size -= length;
    }
}

void out_foreign(const struct out *out, const char *bytes, size_t size)
{
    if (out->terminal)
        put_foreign(stdout, bytes, size);
    else
        fwrite(bytes, 1, size, stdout);
}

/* ---- tables ------------------------------------------------------------------------------- */

void out_json(const json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    putchar('\n');
}

static char *join_list(const json_t *list)
{
    char *text = must_print("%s", json_array_size(list) ? "" : "-");
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        const char *word = json_string_value(one);
        char *longer = must_print("%s%s%s", text, i ? "," : "", word ? word : "?");
        free(text);
        text = longer;
    }
    return text;
}

static char *scalar(const json_t *value)
{
    if (!value || json_is_null(value))
        return must_print("-");
    if (json_is_string(value))
        return must_print("%s", json_string_value(value));
    if (json_is_array(value))
        return join_list(value);
    if (json_is_real(value))
        return must_print("%.3f", json_real_value(value));
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    return text ? text : must_print("?");
}

static char *in_words(const json_t *value, enum column_kind kind)
{
    uint64_t number = (uint64_t)json_integer_value(value);
    double real = json_number_value(value);
    if (json_is_boolean(value))
        return must_print("%s", json_is_true(value) ? "yes" : "no");
    if (kind == COLUMN_SHORT && json_is_string(value))
        return must_print("%.12s", json_string_value(value));
    if (!json_is_number(value))
        return scalar(value);
    switch (kind) {
    case COLUMN_NUMBER:
        return json_is_integer(value) ? must_print("%s", out_number(number)) : scalar(value);
    case COLUMN_BYTES:
        return must_print("%s", out_size(number));
    case COLUMN_MS:
        return must_print("%s", out_seconds(real / 1e3));
    case COLUMN_US:
        return must_print("%s", out_seconds(real / 1e6));
    case COLUMN_SECONDS:
        return must_print("%s", out_seconds(real));
    case COLUMN_SHARE:
        return must_print("%.1f %%", 100 * real);
    default:
        return scalar(value);
    }
}

static char *cell(const struct out *out, const struct column *column, const json_t *row)
{
    const json_t *value = field_at(row, column->field);
    return out->form == OUT_TEXT ? in_words(value, column->kind) : scalar(value);
}

/* Columns on a screen: continuation bytes of UTF-8 take none. */
static int width(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void put_cell(const struct out *out, const char *text, int room, bool right, bool last)
{
    int blanks = room - width(text);
    printf("%*s", right && blanks > 0 ? blanks : 0, "");
    put_foreign(stdout, text, strlen(text));
    if (!last)
        printf("%*s", (right || blanks < 0 ? 0 : blanks) + (out->form == OUT_TEXT ? 2 : 0), "");
}

static void put_tabs(char **text, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        put_foreign(stdout, text[i], strlen(text[i]));
        putchar(i + 1 < columns ? '\t' : '\n');
    }
}

static bool is_right(enum column_kind kind)
{
    return kind != COLUMN_TEXT && kind != COLUMN_SHORT && kind != COLUMN_YES;
}

static void put_rows(const struct out *out, const struct column *column, size_t columns,
                     char **text, size_t rows)
{
    int *room = must_alloc(NULL, columns * sizeof *room);
    for (size_t i = 0; i < columns; i++) {
        room[i] = width(column[i].heading);
        for (size_t row = 0; row < rows; row++)
            if (width(text[row * columns + i]) > room[i])
                room[i] = width(text[row * columns + i]);
    }
    printf("%s", out->colour ? "\033[1m" : "");
    for (size_t i = 0; i < columns; i++)
        put_cell(out, column[i].heading, room[i], is_right(column[i].kind), i + 1 == columns);
    printf("%s\n", out->colour ? "\033[0m" : "");
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < columns; i++)
            put_cell(out, text[row * columns + i], room[i], is_right(column[i].kind),
                     i + 1 == columns);
        putchar('\n');
    }
    free(room);
}

void out_table(const struct out *out, const struct column *column, size_t columns,
               const json_t *rows)
{
    size_t count = json_array_size(rows);
    if (out->form == OUT_JSON) {
        for (size_t i = 0; i < count; i++)
            out_json(json_array_get(rows, i));
        return;
    }
    char **text = must_alloc(NULL, count * columns * sizeof *text);
    for (size_t i = 0; i < count * columns; i++)
        text[i] = cell(out, &column[i % columns], json_array_get(rows, i / columns));
    if (out->form == OUT_TEXT && count)
        put_rows(out, column, columns, text, count);
    for (size_t row = 0; out->form == OUT_TSV && row < count; row++)
        put_tabs(text + row * columns, columns);
    for (size_t i = 0; i < count * columns; i++)
        free(text[i]);
    free(text);
}

void out_card(const struct out *out, const struct column *column, size_t columns,
              const json_t *object)
{
    if (out->form == OUT_JSON) {
        out_json(object);
        return;
    }
    int room = 0;
    for (size_t i = 0; i < columns; i++)
        room = width(column[i].heading) > room ? width(column[i].heading) : room;
    for (size_t i = 0; i < columns; i++) {
        char *text = cell(out, &column[i], object);
        if (out->form == OUT_TEXT)
            printf("%-*s  ", room, column[i].heading);
        put_foreign(stdout, text, strlen(text));
        putchar(out->form == OUT_TEXT || i + 1 == columns ? '\n' : '\t');
        free(text);
    }
}
