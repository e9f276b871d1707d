/*
 * One packet of an AF_UNIX SOCK_SEQPACKET socket and the descriptors that travel with it: what
 * recvmsg(2), sendmsg(2) and unix(7) leave to their caller. Nothing here knows of messages.
 */
#ifndef SALLYPORT_IPC_PACKET_H
#define SALLYPORT_IPC_PACKET_H

#include "ipc/base/bytes.h"

struct packet {
	size_t length;
	bool is_cut_off;           /* it was larger than the buffer */
	bool is_descriptor_lost;   /* more came than are taken, or this process has no room */
	unsigned descriptor_count; /* that arrived */
	int descriptor; /* the first one, owned by the caller; -1: none. Others: closed */
};

/*
 * Receives one packet without waiting, and with it descriptors if they are taken: one that is not
 * never becomes this process's, so that neither looking at it nor closing it can wait for the file
 * system that it is of. 1, or 0 at the end, when the peer has closed and everything
 * that it sent has been received; -EAGAIN when there is none now, or another errno.
 */
MUST_CHECK int packet_receive(
	int fd, char *buffer, size_t capacity, bool takes_descriptors, struct packet *packet);

/*
 * Sends one packet without waiting; `descriptor` is borrowed (-1: none). 0, or nothing was sent and
 *   -EAGAIN         the socket is full
 *   -EPIPE          the peer has closed
 *   -ETOOMANYREFS   too many descriptors are under way (unix(7))
 *   -ENOMEM, -ENOBUFS, -EMSGSIZE, -EBADF
 */
MUST_CHECK int packet_send(int fd, struct bytes data, int descriptor);

#endif
