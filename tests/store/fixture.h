/*
 * What the store tests share: numbers from a seed, bundles, a folder that is gone afterwards.
 */
#ifndef HEARSAY_TESTS_STORE_FIXTURE_H
#define HEARSAY_TESTS_STORE_FIXTURE_H

#include "hearsay/crypto.h"
#include "hearsay/store.h"

enum { FIXTURE_BYTES_MAX = 400 };

struct fixture_bundle {
    struct hsay_record record; /* bytes is fixture_bytes() when the bundle is handed on */
    uint16_t size;
    uint8_t bytes[FIXTURE_BYTES_MAX];
    bool held;      /* what the model says is in the store */
    bool committed; /* what was in it at the last commit */
};

/* splitmix64 */
uint64_t fixture_random(uint64_t *state);

/* A bundle with a digest that is right, of one of a few authors, with ties of all kinds. */
void fixture_bundle_make(struct fixture_bundle *bundle, uint64_t *state);

/* The record with its span set; the bundle must stay where it is. */
const struct hsay_record *fixture_record(struct fixture_bundle *bundle);

struct hsay_key fixture_author(uint64_t number);

/* libsodium's. */
const struct hsay_crypto *fixture_crypto(void);

/* A new folder, in memory where the system has such a place.  `path` has room for 64 characters. */
void fixture_folder_make(char *path);
void fixture_folder_remove(const char *path);

#endif
