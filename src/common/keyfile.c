#include "src/common/keyfile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hearsay/crypto_sodium.h"
#include "hearsay/error.h"
#include "src/common/file.h"
#include "src/common/hex.h"

enum { LINE_BYTES = 2 * KEYFILE_BYTES + 1 };

int keyfile_read(const char *path, uint8_t secret[KEYFILE_BYTES])
{
    struct stat info;
    char *text;
    size_t size;
    int rc = file_read(path, LINE_BYTES, &text, &size);

    if (rc) {
        return rc == HSAY_ENOSPC ? HSAY_EBAD : rc;
    }
    if (size == LINE_BYTES && text[size - 1] == '\n') {
        text[size - 1] = 0;
    }
    rc = hex_parse(secret, KEYFILE_BYTES, text);
    hsay_sodium_wipe(text, size);
    free(text);
    if (!rc && !stat(path, &info) && info.st_mode & 077) {
        rc = HSAY_EINVAL;
    }
    return rc;
}

int keyfile_write(const char *path, const uint8_t secret[KEYFILE_BYTES])
{
    char line[LINE_BYTES + 1];
    int rc;

    hex_format(line, secret, KEYFILE_BYTES);
    line[LINE_BYTES - 1] = '\n';
    rc = file_write(path, line, LINE_BYTES, 0600);
    hsay_sodium_wipe(line, sizeof line);
    return rc;
}
