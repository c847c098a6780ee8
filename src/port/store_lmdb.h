/* The header has moved: include hearsay/store_lmdb.h. */
#ifndef HEARSAY_PORT_STORE_LMDB_H
#define HEARSAY_PORT_STORE_LMDB_H

#include "hearsay/store_lmdb.h"

#endif
