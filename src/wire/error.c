#include "hearsay/error.h"

const char *hsay_strerror(int error)
{
    switch (error) {
    case HSAY_OK:
        return "no error";
    case HSAY_EINVAL:
        return "an argument is outside what the interface allows";
    case HSAY_EEXIST:
        return "it exists already";
    case HSAY_ENOENT:
        return "there is no such thing";
    case HSAY_ENOSPC:
        return "no room is left";
    case HSAY_EBUDGET:
        return "a budget is spent for now, try later";
    case HSAY_EBAD:
        return "the bytes are no valid encoding, or a signature or seal is wrong";
    case HSAY_ESTORE:
        return "the store is broken and must be opened again";
    case HSAY_ECORRUPT:
        return "the store returned bytes that do not match their id";
    case HSAY_EVERSION:
        return "made by another version";
    case HSAY_EIO:
        return "the operating system refused";
    case HSAY_ENOMEM:
        return "out of memory";
    default:
        return error > 0 ? "no error" : "unknown error";
    }
}
