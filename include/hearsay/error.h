/*
 * Errors of our own side.  A bad packet is never an error: it is counted under a drop reason
 * (enum hsay_drop in node.h) and the call returns 0.
 */
#ifndef HEARSAY_ERROR_H
#define HEARSAY_ERROR_H

/* Every call that can fail returns 0 or one of these.  Values are fixed for ever. */
enum hsay_error {
    HSAY_OK = 0,
    HSAY_EINVAL = -1,   /* an argument is outside what the header states */
    HSAY_EEXIST = -2,   /* the store has this bundle already, or the name is taken */
    HSAY_ENOENT = -3,   /* no such bundle, overlay, peer, or no further item */
    HSAY_ENOSPC = -4,   /* quota, disk or table full; nothing was changed */
    HSAY_EBUDGET = -5,  /* work refused for now because a budget is spent; try later */
    HSAY_EBAD = -6,     /* bytes that are no valid encoding, or a signature or seal that is wrong */
    HSAY_ESTORE = -7,   /* the store is broken; it must be closed and opened again */
    HSAY_ECORRUPT = -8, /* the store returned bytes whose hash is not their id */
    HSAY_EVERSION = -9, /* made by another version: of the store, the wire, or the interface */
    HSAY_EIO = -10,     /* the operating system refused; errno tells (adapters only) */
    HSAY_ENOMEM = -11,  /* out of memory (adapters only: the core takes none) */
};

/* One sentence in English without a full stop, for any value; never NULL.  The string is static. */
const char *hsay_strerror(int error);

#endif
