/* The header has moved: include hearsay/crypto_sodium.h. */
#ifndef HEARSAY_PORT_CRYPTO_SODIUM_H
#define HEARSAY_PORT_CRYPTO_SODIUM_H

#include "hearsay/crypto_sodium.h"

#endif
