/*
 * Kinds of descriptors that travel over channels, and the check that a received one is what its
 * row declares (DECISIONS 4): by socket domain, type and SO_ACCEPTCONN, file type and status flags;
 * fstat() alone cannot tell sockets apart.
 */
#ifndef SALLYPORT_IPC_DESCRIPTOR_H
#define SALLYPORT_IPC_DESCRIPTOR_H

#include "ipc/base/compiler.h"

enum descriptor_kind {
	DESCRIPTOR_NONE,     /* the message carries none */
	DESCRIPTOR_CHANNEL,  /* AF_UNIX SOCK_SEQPACKET */
	DESCRIPTOR_CONTROL,  /* TCP socket, not listening */
	DESCRIPTOR_DATA,     /* TCP or AF_UNIX stream socket, not listening, O_NONBLOCK set */
	DESCRIPTOR_LISTENER, /* TCP socket that listens, O_NONBLOCK set */
	DESCRIPTOR_INPUT,    /* regular file, open for reading */
	DESCRIPTOR_OUTPUT,   /* file, pipe or device, open for writing: a log, a terminal */
};

/* "data socket"; a constant. */
const char *descriptor_kind_name(enum descriptor_kind kind);

/* 0 if fd is of that kind, else -EBADMSG. Never called with DESCRIPTOR_NONE. */
MUST_CHECK int descriptor_check(int fd, enum descriptor_kind kind);

#endif
