/*
 * Datagrams in and out, many per system call, with buffers made once.
 *
 * One socket serves both families where it can: an IPv6 one at [::] that takes IPv4 too.  Nothing
 * is ever fragmented.  A datagram that the system will not take is lost and counted, as any other
 * may be on its way.
 */
#ifndef HEARSAY_DAEMON_UDP_H
#define HEARSAY_DAEMON_UDP_H

#include "hearsay/node.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum {
    UDP_SOCKETS_MAX = 8,
    UDP_BATCH = 64,
    UDP_BUFFER_BYTES = 1536, /* more than HSAY_DATAGRAM_MAX_BYTES: what is longer shows itself */
};

struct udp_socket {
    int fd;
    struct hsay_addr bound; /* with the real port */
    bool both;              /* IPv6 that takes IPv4 */
};

union udp_name {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

struct udp_count {
    uint64_t datagrams_in, datagrams_out;
    uint64_t bytes_in, bytes_out;
    uint64_t refused_out; /* the system took them not */
};

struct udp {
    struct udp_socket socket[UDP_SOCKETS_MAX];
    size_t socket_count;
    int more[HSAY_SOCKETS_MAX + 1]; /* by the number in a letter; 0: not open */
    int more_epoll;                 /* tells which of them has something; 0: none was ever open */
    struct udp_count count;
    struct hsay_packet packet[UDP_BATCH];
    struct mmsghdr message[UDP_BATCH];
    struct iovec part[UDP_BATCH];
    union udp_name name[UDP_BATCH];
    uint8_t buffer[UDP_BATCH][UDP_BUFFER_BYTES];
};

/* Opens a socket per address.  Port 0 takes any free port, and all that ask for 0 get the same.
 * HSAY_EIO with a sentence in `why`; nothing is open then. */
int udp_open(struct udp *udp, const struct hsay_addr *listen, size_t count, char *why,
             size_t why_size);
void udp_close(struct udp *udp);

/* Reads what has come, at most UDP_BATCH, to udp->packet; valid until the next udp_receive.  The
 * number of packets. */
size_t udp_receive(struct udp *udp, size_t socket_index);

/* The same from one of the sockets that letters have opened; 0 when none has anything. */
size_t udp_receive_more(struct udp *udp);

/* Becomes readable when one of those has something; -1 and errno if there is none to be had. */
int udp_more_open(struct udp *udp);

/* Closes one of them; nothing if it is not open. */
void udp_more_close(struct udp *udp, uint16_t number);

/* A letter to a socket that is not open opens it; one that can not be is lost. */
void udp_send(struct udp *udp, const struct hsay_letter *letter, size_t count);

/* Datagrams that came while the kernel's buffer was full. */
uint64_t udp_overflows(const struct udp *udp);

/* Our address of this family as far as sockets know it, port included: what is bound, or for "every
 * address" the one that the way out would have.  NONE if there is none. */
struct hsay_addr udp_local(const struct udp *udp, uint8_t family);

/* True if nobody but this machine can reach us. */
bool udp_only_loopback(const struct udp *udp);

#endif
