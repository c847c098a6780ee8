#include "tests/store/fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hearsay/crypto_sodium.h"

uint64_t fixture_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

const struct hsay_crypto *fixture_crypto(void)
{
    static struct hsay_crypto crypto;
    if (crypto.ops == NULL) {
        if (hsay_sodium_init() != 0)
            abort();
        hsay_crypto_sodium(&crypto);
    }
    return &crypto;
}

struct hsay_key fixture_author(uint64_t number)
{
    struct hsay_key author;
    memset(&author, 0x40, sizeof author);
    author.byte[0] = (uint8_t)(number / 2);
    author.byte[HSAY_KEY_BYTES - 1] = (uint8_t)(number % 2);
    return author;
}

void fixture_bundle_make(struct fixture_bundle *bundle, uint64_t *state)
{
    const struct hsay_crypto *crypto = fixture_crypto();
    uint8_t id[HSAY_ID_BYTES];
    memset(bundle, 0, sizeof *bundle);
    bundle->size = (uint16_t)(8 + fixture_random(state) % (FIXTURE_BYTES_MAX - 8));
    for (size_t i = 0; i < bundle->size; i++)
        bundle->bytes[i] = (uint8_t)fixture_random(state);

    struct hsay_span span = {bundle->bytes, bundle->size};
    crypto->ops->hash(crypto->self, id, sizeof id, (struct hsay_span){NULL, 0}, &span, 1);
    memcpy(bundle->record.at.digest.byte, id, HSAY_DIGEST_BYTES);
    bundle->record.at.time = 1 + fixture_random(state) % 60;
    bundle->record.author = fixture_author(fixture_random(state) % 6);
    bundle->record.sequence = fixture_random(state) % 40;
    if (fixture_random(state) % 4 == 0)
        bundle->record.expiry_s = 1000 + fixture_random(state) % 50;
    bundle->record.flags = (uint8_t)fixture_random(state);
}

const struct hsay_record *fixture_record(struct fixture_bundle *bundle)
{
    bundle->record.bytes = (struct hsay_span){bundle->bytes, bundle->size};
    return &bundle->record;
}

void fixture_folder_make(char *path)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(path, 64, "%s/hearsay-store-XXXXXX", base);
    if (mkdtemp(path) == NULL) {
        perror(path);
        abort();
    }
}

/* One level deep is all that a store makes. */
void fixture_folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(folder), entry->d_name, 0);
    }
    closedir(folder);
    rmdir(path);
}
