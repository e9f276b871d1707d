/*
 * Kernel TLS (see tls_kernel.h). Runs in the gateway. libssl decides which ciphers the kernel can
 * do and hands over the keys; a refusal of the kernel is none of an error, libssl then goes on by
 * itself.
 *
 * A kernel that has the module `tls` loaded gives it to anyone. That it be loaded is the
 * administrator's business: nobody here has the capability.
 */
#include "gateway/tls_kernel.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	/* What libssl says to a BIO with keys in hand; openssl/bio.h reserves it without a name. */
	GIVE_KEYS = 72,
};

static int
ask(int fd)
{
	static const char name[] = "tls";
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, sizeof(name)) < 0 ? -errno : 0;
}

/* ---- trying ---- */

/* Waits for nothing: over the loopback device a connection is made within the call. */
static int
connect_to_itself(int listener_fd, int fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener_fd, (const struct sockaddr *)&address, size) < 0 ||
		listen(listener_fd, 1) < 0 ||
		getsockname(listener_fd, (struct sockaddr *)&address, &size) < 0)
		return -errno;
	int result = connect(fd, (const struct sockaddr *)&address, size);
	return result < 0 && errno != EINPROGRESS ? -errno : 0;
}

/* With a key of zeros, under which nothing is sent. */
static int
give_key(int fd)
{
	const struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { .version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};
	return setsockopt(fd, SOL_TLS, TLS_TX, &key, sizeof(key)) < 0 ? -errno : 0;
}

#define WITHOUT "kernel TLS is not available, downloads are encrypted without it: "

bool
tls_kernel_try(const char **news)
{
	enum { KIND = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC };
	SCOPE_FD int listener_fd = socket(AF_INET, KIND, 0);
	SCOPE_FD int fd = socket(AF_INET, KIND, 0);
	bool is_given = false;
	int error = listener_fd < 0 || fd < 0 ? -errno : connect_to_itself(listener_fd, fd);
	if (error == 0)
		error = ask(fd);
	if (error == 0)
		is_given = give_key(fd) == 0;
	if (error == -ENOENT)
		*news = WITHOUT
			"this kernel has no TLS, or its module is not loaded (modprobe tls)";
	else if (error < 0)
		*news = WITHOUT "there is no connection to try it on";
	else if (!is_given)
		*news = WITHOUT "this kernel has no AES-GCM, or its module cannot be loaded";
	else
		*news = "kernel TLS is available: it encrypts downloads whose cipher it can do";
	return is_given;
}

/* ---- what libssl sees ---- */

static BIO *
open_linux(int fd)
{
	return ask(fd) < 0 ? NULL : BIO_new_socket(fd, BIO_NOCLOSE);
}

const struct tls_kernel tls_kernel_linux = { .open = open_linux };

/* Called before and after each call of a BIO; a result of 0 before it refuses it. */
static long
refuse_keys(UNUSED BIO *input, int call, UNUSED const char *pointer, UNUSED size_t length,
	int command, UNUSED long number, int result, UNUSED size_t *processed)
{
	return call == BIO_CB_CTRL && command == GIVE_KEYS ? 0 : result;
}

void
tls_kernel_keep_out(BIO *input)
{
	BIO_set_callback_ex(input, refuse_keys);
}

int
tls_kernel_unacknowledged(int fd)
{
	int bytes;
	return ioctl(fd, SIOCOUTQ, &bytes) < 0 ? -errno : bytes;
}
