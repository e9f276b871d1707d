/*
 * A TLS client that means harm, for tls_floods.py: shakes hands as anybody does, then sends records
 * that no library would send, sealed with the keys of the connection.
 *
 *	tls_flood explicit|direct PORT 1.2|1.3 ACT COUNT
 *
 * "explicit" says AUTH TLS first. Prints "open" if NOOP is answered behind it all, else "closed".
 */
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SECRET_BYTES = 32, KEY_BYTES = 16, IV_BYTES = 12, TAG_BYTES = 16, PLAIN_BYTES_MAX = 256 };

struct flood {
	int fd;
	SSL *ssl;
	bool is_1_3, is_direct;
	unsigned char secret[SECRET_BYTES]; /* CLIENT_TRAFFIC_SECRET_0 */
	unsigned char key[KEY_BYTES], iv[IV_BYTES];
	uint64_t sequence;
	bool is_closed; /* by the server */
};

/* ---- keys ---- */

static void
derive(const char *name, const OSSL_PARAM *parameters, unsigned char *out, size_t length)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	if (EVP_KDF_derive(context, out, length, parameters) != 1)
		die("no keys");
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

/* RFC 8446 7.1: HKDF-Expand-Label without context. */
static void
expand(const unsigned char *secret, const char *label, unsigned char *out, size_t length)
{
	char info[32], digest[] = "SHA256", mode[] = "EXPAND_ONLY";
	unsigned char copy[SECRET_BYTES];
	memcpy(copy, secret, sizeof(copy));
	size_t label_length = strlen("tls13 ") + strlen(label);
	int info_length = snprintf(info, sizeof(info), "%c%c%ctls13 %s%c", 0, (int)length,
		(int)label_length, label, 0);
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, copy, sizeof(copy)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t)info_length),
		OSSL_PARAM_construct_end(),
	};
	derive("HKDF", parameters, out, length);
}

/* RFC 5246 6.3, AES-128-GCM: client key, server key, client salt. */
static void
take_keys_1_2(struct flood *flood)
{
	char digest[] = "SHA256";
	unsigned char master[48], seed[13 + 64] = "key expansion", block[2 * KEY_BYTES + 4];
	SSL_SESSION_get_master_key(SSL_get0_session(flood->ssl), master, sizeof(master));
	SSL_get_server_random(flood->ssl, seed + 13, 32);
	SSL_get_client_random(flood->ssl, seed + 45, 32);
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof(master)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
		OSSL_PARAM_construct_end(),
	};
	derive("TLS1-PRF", parameters, block, sizeof(block));
	memcpy(flood->key, block, KEY_BYTES);
	memcpy(flood->iv, block + (size_t)2 * KEY_BYTES, 4);
	flood->sequence = 1; /* behind Finished */
}

static void
on_keylog(const SSL *ssl, const char *line)
{
	struct flood *flood = SSL_get_app_data(ssl);
	static const char wanted[] = "CLIENT_TRAFFIC_SECRET_0 ";
	if (strncmp(line, wanted, strlen(wanted)) != 0)
		return;
	const char *digits = strrchr(line, ' ') + 1;
	for (size_t i = 0; i < SECRET_BYTES; i++) {
		unsigned byte = 0;
		if (sscanf(digits + 2 * i, "%2x", &byte) != 1)
			die("a short secret");
		flood->secret[i] = (unsigned char)byte;
	}
}

static void
take_keys(struct flood *flood)
{
	if (!flood->is_1_3) {
		take_keys_1_2(flood);
		return;
	}
	expand(flood->secret, "key", flood->key, KEY_BYTES);
	expand(flood->secret, "iv", flood->iv, IV_BYTES);
}

/* ---- records ---- */

static void
send_raw(struct flood *flood, const unsigned char *bytes, size_t length)
{
	while (length > 0 && !flood->is_closed) {
		ssize_t sent = send(flood->fd, bytes, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		flood->is_closed = sent < 0;
		bytes += sent < 0 ? 0 : sent;
		length -= sent < 0 ? 0 : (size_t)sent;
	}
}

static void
put_number(unsigned char *out, uint64_t number, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] = (unsigned char)(number >> 8 * (size - 1 - i));
}

static void
seal(const struct flood *flood, const unsigned char *nonce, const unsigned char *head,
	size_t head_length, const unsigned char *plain, size_t length, unsigned char *out)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int done = 0;
	if (EVP_EncryptInit_ex2(context, EVP_aes_128_gcm(), flood->key, nonce, NULL) != 1 ||
		EVP_EncryptUpdate(context, NULL, &done, head, (int)head_length) != 1 ||
		EVP_EncryptUpdate(context, out, &done, plain, (int)length) != 1 ||
		EVP_EncryptFinal_ex(context, out + length, &done) != 1 ||
		EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, out + length) != 1)
		die("cannot seal");
	EVP_CIPHER_CTX_free(context);
}

static void
send_record_1_2(struct flood *flood, unsigned char type, const void *plain, size_t length)
{
	unsigned char nonce[IV_BYTES], head[13], record[5 + 8 + PLAIN_BYTES_MAX + TAG_BYTES];
	memcpy(nonce, flood->iv, 4);
	put_number(nonce + 4, flood->sequence, 8);
	put_number(head, flood->sequence++, 8);
	put_number(head + 8, (uint64_t)type << 32 | (uint64_t)0x0303 << 16 | length, 5);
	put_number(record, (uint64_t)type << 32 | (uint64_t)0x0303 << 16 | (8 + length + TAG_BYTES),
		5);
	memcpy(record + 5, nonce + 4, 8);
	seal(flood, nonce, head, sizeof(head), plain, length, record + 13);
	send_raw(flood, record, 13 + length + TAG_BYTES);
}

static void
send_record_1_3(struct flood *flood, unsigned char type, const void *plain, size_t length)
{
	unsigned char inner[PLAIN_BYTES_MAX + 1], nonce[IV_BYTES], number[8];
	unsigned char record[5 + PLAIN_BYTES_MAX + 1 + TAG_BYTES];
	memcpy(inner, plain, length);
	inner[length++] = type;
	memcpy(nonce, flood->iv, sizeof(nonce));
	put_number(number, flood->sequence++, 8);
	for (size_t i = 0; i < sizeof(number); i++)
		nonce[4 + i] ^= number[i];
	put_number(record,
		(uint64_t)SSL3_RT_APPLICATION_DATA << 32 | (uint64_t)0x0303 << 16 |
			(length + TAG_BYTES),
		5);
	seal(flood, nonce, record, 5, inner, length, record + 5);
	send_raw(flood, record, 5 + length + TAG_BYTES);
}

static void
send_record(struct flood *flood, unsigned char type, const void *plain, size_t length)
{
	if (flood->is_1_3)
		send_record_1_3(flood, type, plain, length);
	else
		send_record_1_2(flood, type, plain, length);
}

/* ---- acts ---- */

static void
send_empty(struct flood *flood)
{
	send_record(flood, SSL3_RT_APPLICATION_DATA, "", 0);
}

/* A warning that asks for nothing. */
static void
send_warning(struct flood *flood)
{
	send_record(flood, SSL3_RT_ALERT, "\1\132", 2); /* user_canceled */
}

/* A hello, with which TLS 1.2 asks for another handshake. */
static void
send_hello(struct flood *flood)
{
	static const unsigned char hello[4 + 41] = { 1, 0, 0, 41, 3, 3, [38] = 0, 0, 2, 0xc0, 0x2f,
		1, 0 }; /* version, random, no session, a cipher, no compression, no extensions */
	send_record(flood, SSL3_RT_HANDSHAKE, hello, sizeof(hello));
}

static void
send_garbage(struct flood *flood)
{
	send_record(flood, SSL3_RT_HANDSHAKE, "\24\0\0\4rubbish", 11);
}

static void
send_unknown(struct flood *flood)
{
	send_record(flood, 77, "what?", 5);
}

/* Not sealed at all. */
static void
send_noise(struct flood *flood)
{
	send_raw(flood, (const unsigned char *)"\27\3\3\0\40not the work of any of our keys!",
		5 + 32);
}

static void
update_keys(struct flood *flood, int kind)
{
	if (SSL_key_update(flood->ssl, kind) != 1 || SSL_do_handshake(flood->ssl) != 1)
		flood->is_closed = true;
}

static void
send_update(struct flood *flood)
{
	update_keys(flood, SSL_KEY_UPDATE_NOT_REQUESTED);
}

static void
ask_for_update(struct flood *flood)
{
	update_keys(flood, SSL_KEY_UPDATE_REQUESTED);
}

static const struct act {
	const char *name;
	void (*send)(struct flood *flood);
	bool is_libssl; /* whose keys have changed by then */
} acts[] = {
	{ "empty", send_empty, false },
	{ "warnings", send_warning, false },
	{ "hellos", send_hello, false },
	{ "garbage", send_garbage, false },
	{ "unknown", send_unknown, false },
	{ "noise", send_noise, false },
	{ "updates", send_update, true },
	{ "update-requests", ask_for_update, true },
};

static const struct act *
find_act(const char *name)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	die("no act %s", name);
}

/* ---- the connection ---- */

static void
expect_line(int fd, const char *code)
{
	char byte = '\0', line[512];
	size_t length = 0;
	while (byte != '\n' && length < sizeof(line) && read(fd, &byte, 1) == 1)
		line[length++] = byte;
	if (length < 3 || memcmp(line, code, 3) != 0)
		die("not %s: %.*s", code, (int)length, line);
}

static void
connect_to(struct flood *flood, int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	flood->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(flood->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect: %s", strerror(errno));
	if (flood->is_direct)
		return;
	expect_line(flood->fd, "220");
	send_raw(flood, (const unsigned char *)"AUTH TLS\r\n", 10);
	expect_line(flood->fd, "234");
}

static void
shake(struct flood *flood, SSL_CTX *context)
{
	int version = flood->is_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
	SSL_CTX_set_keylog_callback(context, on_keylog);
	SSL_CTX_set_min_proto_version(context, version);
	SSL_CTX_set_max_proto_version(context, version);
	SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
	SSL_CTX_set_cipher_list(context, "ECDHE+AES128+AESGCM");
	flood->ssl = SSL_new(context);
	SSL_set_app_data(flood->ssl, flood);
	SSL_set_fd(flood->ssl, flood->fd);
	if (SSL_connect(flood->ssl) != 1)
		die("no handshake: %s", ERR_error_string(ERR_get_error(), NULL));
	take_keys(flood);
}

static bool
is_open(struct flood *flood, const struct act *act)
{
	char answer[512];
	if (flood->is_closed)
		return false;
	if (act->is_libssl && SSL_write(flood->ssl, "NOOP\r\n", 6) != 6)
		return false;
	if (!act->is_libssl)
		send_record(flood, SSL3_RT_APPLICATION_DATA, "NOOP\r\n", 6);
	return SSL_read(flood->ssl, answer, sizeof(answer)) > 0 && memcmp(answer, "200", 3) == 0;
}

int
main(int count, char **arguments)
{
	struct flood flood = { .fd = -1 };
	if (count != 6)
		die("usage: tls_flood explicit|direct PORT 1.2|1.3 ACT COUNT");
	signal(SIGPIPE, SIG_IGN);
	flood.is_direct = strcmp(arguments[1], "direct") == 0;
	flood.is_1_3 = strcmp(arguments[3], "1.3") == 0;
	const struct act *act = find_act(arguments[4]);
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	connect_to(&flood, atoi(arguments[2]));
	shake(&flood, context);
	for (int i = 0; i < atoi(arguments[5]) && !flood.is_closed; i++)
		act->send(&flood);
	puts(is_open(&flood, act) ? "open" : "closed");
	SSL_free(flood.ssl);
	SSL_CTX_free(context);
	fd_close(&flood.fd);
	return EXIT_SUCCESS;
}
