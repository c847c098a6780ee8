#include "src/lab/output/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to here every integer is a double of its own. */
#define EXACT 0x1p53

static bool is_integer(double number)
{
    return isfinite(number) && fabs(number) <= EXACT && nearbyint(number) == number;
}

json_t *lab_number_json(double number)
{
    if (!isfinite(number))
        return json_null();
    return is_integer(number) ? json_integer((json_int_t)number) : json_real(number);
}

bool lab_number_parse(const char *text, double *number)
{
    /* strtod would take "nan", "0x10" and a leading blank, too. */
    size_t size = strlen(text);
    if (size == 0 || strspn(text, "0123456789+-.eE") != size)
        return false;
    char *end;
    *number = strtod(text, &end);
    return *end == 0 && isfinite(*number);
}

json_t *lab_number_json_text(const char *text)
{
    double number;
    char short_form[LAB_NUMBER_BYTES];
    if (!lab_number_parse(text, &number))
        return json_string(text);
    /* With more digits than objects are dumped with it would come back as another number. */
    snprintf(short_form, sizeof short_form, "%.9g", number);
    if (!is_integer(number) && strtod(short_form, NULL) != number)
        return json_string(text);
    return lab_number_json(number);
}

const char *lab_number_csv(char text[LAB_NUMBER_BYTES], double number)
{
    if (!isfinite(number))
        return "";
    if (is_integer(number))
        snprintf(text, LAB_NUMBER_BYTES, "%.0f", number == 0 ? 0 : number);
    else
        snprintf(text, LAB_NUMBER_BYTES, "%.10g", number);
    return text;
}

/* Commas between the thousands of the digits at the front. */
static void group(char text[LAB_NUMBER_BYTES])
{
    size_t sign = text[0] == '-';
    for (size_t digits = strspn(text + sign, "0123456789"); digits > 3;) {
        digits -= 3;
        char *at = text + sign + digits;
        memmove(at + 1, at, strlen(at) + 1);
        *at = ',';
    }
}

const char *lab_number_text(char text[LAB_NUMBER_BYTES], double number)
{
    if (!isfinite(number))
        return strcpy(text, "-");
    double size = fabs(number);
    if (size >= 1e15)
        snprintf(text, LAB_NUMBER_BYTES, "%.4g", number);
    else if (is_integer(number) || size >= 1000)
        snprintf(text, LAB_NUMBER_BYTES, "%.0f", number == 0 ? 0 : number);
    else
        snprintf(text, LAB_NUMBER_BYTES, "%.4g", number);
    /* A share of 0.99998 is not 1. */
    if (!is_integer(number) && size < 1000 && is_integer(strtod(text, NULL)))
        snprintf(text, LAB_NUMBER_BYTES, "%.7g", number);
    if (size >= 10000 && size < 1e15)
        group(text);
    return text;
}
