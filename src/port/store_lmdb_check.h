/*
 * Walks through all of an LMDB file before anybody relies on it.  Not for others than the daemon.
 */
#ifndef HEARSAY_STORE_LMDB_CHECK_H
#define HEARSAY_STORE_LMDB_CHECK_H

#include "hearsay/store_lmdb.h"

/* Visits each entry of each table, and LMDB's list of free pages.  HSAY_ECORRUPT, HSAY_ENOMEM or
 * HSAY_ESTORE.  LMDB believes its pages: in a damaged file this may also call on_damage, read where
 * nothing is and die of it, or never come back; so it is to be called where that can be borne.
 * Bodies are not read: those are held against their digest whenever they are. */
int hsay_lmdb_check(struct hsay_lmdb *env);

#endif
