/*
 * Packets (see packet.h). Runs in every process, on what a hostile peer may have sent: any number
 * of descriptors of any kind. Whatever does not reach the caller is closed here.
 */
#include "ipc/packet.h"

#include "ipc/base/scope.h"

#include <sys/socket.h>

enum { DESCRIPTORS_TAKEN_MAX = 4 }; /* more are refused by the kernel, which closes them */

/* ---- receiving ---- */

static void
collect_descriptors(struct msghdr *header, struct packet *packet)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
		cmsg = CMSG_NXTHDR(header, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t length = cmsg->cmsg_len - CMSG_LEN(0);
		for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
			int fd;
			memcpy(&fd, CMSG_DATA(cmsg) + at, sizeof(fd));
			if (packet->descriptor_count++ == 0)
				packet->descriptor = fd;
			else
				fd_close(&fd);
		}
	}
}

/*
 * A packet of no bytes looks like the end, but the end stays. (One that is sent just before the end
 * passes for it: nothing could have followed either way.)
 */
static bool
is_at_end(int fd)
{
	char byte;
	struct iovec part = { .iov_base = &byte, .iov_len = sizeof(byte) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	return recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/*
 * A peer that closed with packets of ours unread is reported once, as ECONNRESET, before what it
 * sent last. Those are the last words of a process that dies, and they follow.
 */
static ssize_t
receive(int fd, struct msghdr *header)
{
	ssize_t length;
	do
		length = recvmsg(fd, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (length < 0 && (errno == EINTR || errno == ECONNRESET));
	return length < 0 ? -errno : length;
}

int
packet_receive(int fd, char *buffer, size_t capacity, bool takes_descriptors, struct packet *packet)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(DESCRIPTORS_TAKEN_MAX * sizeof(int))];
	} control;
	struct iovec part = { .iov_base = buffer, .iov_len = capacity };
	struct msghdr header = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = takes_descriptors ? &control : NULL,
		.msg_controllen = takes_descriptors ? sizeof(control) : 0,
	};
	ssize_t length = receive(fd, &header);
	if (length < 0)
		return (int)length;
	*packet = (struct packet){
		.length = (size_t)length,
		.is_cut_off = (header.msg_flags & MSG_TRUNC) != 0,
		.is_descriptor_lost = (header.msg_flags & MSG_CTRUNC) != 0,
		.descriptor = -1,
	};
	collect_descriptors(&header, packet);
	bool is_empty = length == 0 && packet->descriptor_count == 0;
	return is_empty && is_at_end(fd) ? 0 : 1;
}

/* ---- sending ---- */

int
packet_send(int fd, struct bytes data, int descriptor)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_len = data.length };
	memcpy(&part.iov_base, &data.data, sizeof(data.data)); /* iovec knows no const */
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	if (descriptor >= 0) {
		header.msg_control = &control;
		header.msg_controllen = sizeof(control);
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &descriptor, sizeof(descriptor));
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	return errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
}
