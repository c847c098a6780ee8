/* How numbers are written: in JSON, in CSV, and for people. */
#ifndef HEARSAY_LAB_NUMBER_H
#define HEARSAY_LAB_NUMBER_H

#include <stdbool.h>

#include <jansson.h>

enum { LAB_NUMBER_BYTES = 48 };

/* How objects of the laboratory are dumped: nine digits are more than any measurement here has, and
 * 0.1 stays 0.1. */
#define LAB_JSON_FORM (JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII)

/* An integer if it is one, null if it is none or endless. */
json_t *lab_number_json(double number);

/* A text that is a decimal number becomes one, as settings are given: "0.1" but not "10%". */
json_t *lab_number_json_text(const char *text);

/* True, and the number, if the whole text is a decimal number. */
bool lab_number_parse(const char *text, double *number);

/* For files: ten digits, empty if there is no number. */
const char *lab_number_csv(char text[LAB_NUMBER_BYTES], double number);

/* For people: "12,345", "0.0312", "-" if there is no number. */
const char *lab_number_text(char text[LAB_NUMBER_BYTES], double number);

#endif
