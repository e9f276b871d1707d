/*
 * Which TLS session may be resumed where (see tls_tickets.h). Runs in the gateway, inside libssl's
 * calls; a ticket is a stranger's bytes until its MAC is right.
 */
#include "gateway/tls_tickets.h"

#include "gateway/tls_private.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 16, KEY_BYTES = 32, IV_BYTES = 16 };

struct ticket_key {
	unsigned char name[NAME_BYTES], cipher[KEY_BYTES], mac[KEY_BYTES];
	uint64_t made_s;
	bool is_made;
};

struct tls_tickets {
	uint64_t (*now_s)(void);
	struct ticket_key current, previous;
	EVP_CIPHER *cipher;
};

/* ---- keys ---- */

static bool
make_key(struct tls_tickets *tickets)
{
	struct ticket_key key = { .made_s = tickets->now_s(), .is_made = true };
	bool made = RAND_bytes(key.name, sizeof(key.name)) == 1 &&
		    RAND_priv_bytes(key.cipher, sizeof(key.cipher)) == 1 &&
		    RAND_priv_bytes(key.mac, sizeof(key.mac)) == 1;
	if (made) {
		tickets->previous = tickets->current;
		tickets->current = key;
	}
	OPENSSL_cleanse(&key, sizeof(key));
	return made;
}

/* The key of tickets that are made now; NULL: none can be had. */
static const struct ticket_key *
key_for_new(struct tls_tickets *tickets)
{
	if (tickets->now_s() - tickets->current.made_s >= TLS_TICKET_KEY_LIFE_S &&
		!make_key(tickets))
		return NULL;
	return &tickets->current;
}

static const struct ticket_key *
key_by_name(const struct tls_tickets *tickets, const unsigned char *name)
{
	const struct ticket_key *keys[] = { &tickets->current, &tickets->previous };
	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++)
		if (keys[i]->is_made && CRYPTO_memcmp(keys[i]->name, name, NAME_BYTES) == 0 &&
			tickets->now_s() - keys[i]->made_s < 2 * (uint64_t)TLS_TICKET_KEY_LIFE_S)
			return keys[i];
	return NULL;
}

static bool
use_mac(EVP_MAC_CTX *mac, const struct ticket_key *key)
{
	char digest[] = "SHA256";
	unsigned char copy[KEY_BYTES];
	memcpy(copy, key->mac, sizeof(copy));
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, copy, sizeof(copy)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	int done = EVP_MAC_CTX_set_params(mac, parameters);
	OPENSSL_cleanse(copy, sizeof(copy));
	return done == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1: the key is set, 0: no such key, -1: failed. */
static int
on_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
	int is_new)
{
	struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct ticket_key *key = is_new ? key_for_new(tickets) : key_by_name(tickets, name);
	if (key == NULL)
		return is_new ? -1 : 0;
	if (is_new) {
		memcpy(name, key->name, NAME_BYTES);
		if (RAND_bytes(iv, IV_BYTES) != 1)
			return -1;
	}
	int set = is_new ? EVP_EncryptInit_ex2(cipher, tickets->cipher, key->cipher, iv, NULL)
			 : EVP_DecryptInit_ex2(cipher, tickets->cipher, key->cipher, iv, NULL);
	return set == 1 && use_mac(mac, key) ? 1 : -1;
}

/* ---- whose session it is ---- */

static int
on_make(SSL *ssl, UNUSED void *argument)
{
	const struct tls *tls = SSL_get_app_data(ssl);
	const uint64_t *session = &tls->options.session;
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), session, sizeof(*session));
}

static bool
is_of(SSL_SESSION *session, uint64_t wanted)
{
	void *data;
	size_t length;
	return SSL_SESSION_get0_ticket_appdata(session, &data, &length) == 1 &&
	       length == sizeof(wanted) && CRYPTO_memcmp(data, &wanted, length) == 0;
}

/* A control connection begins anew always; a data connection resumes its own session or none. */
static SSL_TICKET_RETURN
on_offer(SSL *ssl, SSL_SESSION *session, UNUSED const unsigned char *name,
	UNUSED size_t name_length, SSL_TICKET_STATUS status, UNUSED void *argument)
{
	struct tls *tls = SSL_get_app_data(ssl);
	bool is_ours = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
	if (!tls->options.is_data)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (is_ours && is_of(session, tls->options.session))
		return SSL_TICKET_RETURN_USE;
	tls->is_foreign = is_ours;
	return SSL_TICKET_RETURN_IGNORE;
}

/* ---- clients of TLS 1.2 that want no ticket (curl) ---- */

static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_get_app_data(ssl);
	if (tls->options.is_data || SSL_version(ssl) >= TLS1_3_VERSION)
		return 0;
	SSL_SESSION_free(tls->session);
	tls->session = session; /* the reference is ours then */
	return 1;
}

static SSL_SESSION *
on_find(SSL *ssl, const unsigned char *id, int length, int *copy)
{
	const struct tls *tls = SSL_get_app_data(ssl);
	const struct tls *control = tls->options.control;
	unsigned known_length;
	*copy = 1; /* the reference stays where it is */
	if (!tls->options.is_data || control == NULL || control->session == NULL)
		return NULL;
	const unsigned char *known = SSL_SESSION_get_id(control->session, &known_length);
	return known_length == (unsigned)length && CRYPTO_memcmp(known, id, known_length) == 0
		       ? control->session
		       : NULL;
}

/* ---- life ---- */

bool
tls_tickets_install(struct tls_tickets *tickets, SSL_CTX *context)
{
	static const unsigned char name[] = "sallyport";
	SSL_CTX_set_app_data(context, tickets);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, on_session);
	SSL_CTX_sess_set_get_cb(context, on_find);
	return SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1) == 1 &&
	       SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_key) == 1 &&
	       SSL_CTX_set_session_ticket_cb(context, on_make, on_offer, NULL) == 1;
}

struct tls_tickets *
tls_tickets_new(uint64_t (*now_s)(void))
{
	struct tls_tickets *tickets = calloc(1, sizeof(*tickets));
	if (tickets == NULL)
		return NULL;
	tickets->now_s = now_s;
	tickets->cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	if (tickets->cipher == NULL || !make_key(tickets))
		tls_tickets_free(&tickets);
	return tickets;
}

void
tls_tickets_free(struct tls_tickets **tickets)
{
	if (*tickets == NULL)
		return;
	EVP_CIPHER_free((*tickets)->cipher);
	OPENSSL_cleanse(*tickets, sizeof(**tickets));
	free(*tickets);
	*tickets = NULL;
}
