/*
 * Proofs of certificates (proof.h): handshakes of OpenSSL with itself, as they were, and with
 * anything in them that is not as it was.
 */
#include "policy/auth/proof.h"

#include "ipc/base/scope.h"
#include "tests/table.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { RECORDED_BYTES_MAX = 16384, DAY_S = 86400 };

struct recording {
	char bytes[RECORDED_BYTES_MAX];
	size_t length;
	bool is_over;
};

/* ---- certificates ---- */

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

struct wish {
	const char *subject; /* a common name */
	const char *use;     /* of extendedKeyUsage; NULL: an authority */
	const char *names;   /* of subjectAltName, or NULL */
	int days;            /* from yesterday on */
	const char *key;     /* NULL: P-256; "RSA", "ED25519" */
};

static void
extend(X509 *certificate, int number, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, number, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static EVP_PKEY *
new_key(const char *kind)
{
	if (kind == NULL)
		return EVP_EC_gen("P-256");
	return strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_PKEY_Q_keygen(NULL, NULL, kind);
}

/* NULL: it signs itself. */
static struct identity
issue(const struct identity *issuer, const struct wish *wish)
{
	static int serial;
	struct identity made = { new_key(wish->key), X509_new() };
	X509_NAME *name = X509_get_subject_name(made.certificate);
	X509_set_version(made.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate), -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate), (long)(wish->days - 1) * DAY_S);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)wish->subject, -1, -1, 0);
	X509_set_issuer_name(made.certificate,
		issuer == NULL ? name : X509_get_subject_name(issuer->certificate));
	X509_set_pubkey(made.certificate, made.key);
	extend(made.certificate, NID_basic_constraints,
		wish->use == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	if (wish->use != NULL)
		extend(made.certificate, NID_ext_key_usage, wish->use);
	if (wish->names != NULL)
		extend(made.certificate, NID_subject_alt_name, wish->names);
	EVP_PKEY *signer = issuer == NULL ? made.key : issuer->key;
	const EVP_MD *digest = EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256();
	assert_true(X509_sign(made.certificate, signer, digest) > 0);
	return made;
}

static void
identity_free(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
}

/* ---- files ---- */

static int
file_of(BIO *pem)
{
	char *bytes;
	size_t length = (size_t)BIO_get_mem_data(pem, &bytes);
	int fd = memfd_create("pem", MFD_CLOEXEC);
	assert_int_equal(write(fd, bytes, length), length);
	BIO_free(pem);
	return fd;
}

static void
add_certificate(struct trust_files *files, enum trust_kind kind, X509 *certificate)
{
	BIO *pem = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(pem, certificate), 1);
	int fd = file_of(pem);
	assert_int_equal(trust_files_add(files, kind, &fd), 0);
}

/* Of one certificate, or of none (NULL). */
static void
add_crl(struct trust_files *files, const struct identity *issuer, const X509 *revoked)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *time = X509_gmtime_adj(NULL, -DAY_S);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate));
	X509_CRL_set1_lastUpdate(crl, time);
	if (revoked != NULL) {
		X509_REVOKED *entry = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(
			entry, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(revoked));
		X509_REVOKED_set_revocationDate(entry, time);
		X509_CRL_add0_revoked(crl, entry);
	}
	X509_gmtime_adj(time, DAY_S);
	X509_CRL_set1_nextUpdate(crl, time);
	assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	BIO *pem = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509_CRL(pem, crl), 1);
	int fd = file_of(pem);
	assert_int_equal(trust_files_add(files, TRUST_CRL, &fd), 0);
	ASN1_TIME_free(time);
	X509_CRL_free(crl);
}

/* ---- handshakes ---- */

static int
accept_all(UNUSED int is_good, UNUSED X509_STORE_CTX *store)
{
	return 1;
}

static void
on_message(int is_ours, UNUSED int version, int type, const void *bytes, size_t length,
	UNUSED SSL *ssl, void *argument)
{
	struct recording *recording = argument;
	if (type != SSL3_RT_HANDSHAKE || recording->is_over)
		return;
	assert_true(length <= RECORDED_BYTES_MAX - recording->length);
	memcpy(recording->bytes + recording->length, bytes, length);
	recording->length += length;
	recording->is_over =
		!is_ours && *(const unsigned char *)bytes == SSL3_MT_CERTIFICATE_VERIFY;
}

static SSL *
open_end(SSL_CTX *context, const struct identity *identity, int version, BIO *in, BIO *out)
{
	SSL *ssl = SSL_new(context);
	SSL_set_max_proto_version(ssl, version);
	SSL_set_min_proto_version(ssl, version);
	assert_int_equal(SSL_use_certificate(ssl, identity->certificate), 1);
	assert_int_equal(SSL_use_PrivateKey(ssl, identity->key), 1);
	BIO_up_ref(in);
	BIO_up_ref(out);
	SSL_set_bio(ssl, in, out);
	return ssl;
}

static void
record(struct recording *recording, const struct identity *server_identity,
	const struct identity *client_identity, int version, const char *groups)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	BIO *to_server = BIO_new(BIO_s_mem()), *to_client = BIO_new(BIO_s_mem());
	SSL *server = open_end(context, server_identity, version, to_server, to_client);
	SSL *client = open_end(context, client_identity, version, to_client, to_server);
	*recording = (struct recording){ .length = 0 };
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	SSL_set_verify(server, SSL_VERIFY_PEER, accept_all);
	SSL_set_msg_callback(server, on_message);
	SSL_set_msg_callback_arg(server, recording);
	char own[] = "X25519:P-256", theirs[32];
	snprintf(theirs, sizeof(theirs), "%s", groups);
	assert_int_equal(SSL_set1_groups_list(server, own), 1);
	assert_int_equal(SSL_set1_groups_list(client, theirs), 1);
	for (int round = 0; round < 6; round++) {
		(void)SSL_do_handshake(client);
		(void)SSL_do_handshake(server);
	}
	assert_true(recording->is_over);
	SSL_free(client);
	SSL_free(server);
	BIO_free(to_server);
	BIO_free(to_client);
	SSL_CTX_free(context);
	ERR_clear_error();
}

/* ---- who takes part ---- */

struct cast {
	struct identity authority, stranger, server, other_server, client;
	struct trust_files files;
	struct proof_trust *trust;
};

static const struct wish ordinary = { "ada", "clientAuth",
	"email:ada@example.org,DNS:ADA.example,URI:urn:x", 30, NULL };

static void
open_cast(struct cast *cast, const struct wish *wish, bool is_vouched_for)
{
	static const struct wish authority = { "authority", NULL, NULL, 30, NULL };
	static const struct wish server = { "server", "serverAuth", NULL, 30, NULL };
	*cast = (struct cast){ .authority = issue(NULL, &authority) };
	cast->stranger = issue(NULL, &authority);
	cast->server = issue(&cast->authority, &server);
	cast->other_server = issue(&cast->authority, &server);
	cast->client = issue(is_vouched_for ? &cast->authority : &cast->stranger, wish);
	add_certificate(&cast->files, TRUST_SERVER, cast->server.certificate);
}

static void
read_trust(struct cast *cast)
{
	assert_int_equal(proof_trust_new(&cast->files, &cast->trust), 0);
}

static void
close_cast(struct cast *cast)
{
	proof_trust_free(&cast->trust);
	trust_files_clear(&cast->files);
	identity_free(&cast->authority);
	identity_free(&cast->stranger);
	identity_free(&cast->server);
	identity_free(&cast->other_server);
	identity_free(&cast->client);
}

static int
check(const struct cast *cast, const struct recording *recording)
{
	struct proof_certificate certificate = { .name_count = 0 };
	int result = proof_check(
		cast->trust, bytes_of(recording->bytes, recording->length), &certificate);
	proof_certificate_free(&certificate);
	return result;
}

/* ---- what is proven, and what is not ---- */

enum revocation { NO_LIST, EMPTY_LIST, ON_LIST };

struct proof_row {
	const char *name;
	struct wish wish;
	int version;
	const char *groups; /* of the client */
	bool is_vouched_for, has_authorities, is_other_server;
	enum revocation revocation;
	int want;
};

#define WISH(use, days, key)                \
	{                                   \
		"ada", use, NULL, days, key \
	}
#define CLIENT "clientAuth"

static const struct proof_row proof_rows[] = {
	{ "TLS 1.3", WISH(CLIENT, 30, NULL), TLS1_3_VERSION, "X25519:P-256", true, true, false,
		NO_LIST, 0 },
	{ "TLS 1.2", WISH(CLIENT, 30, NULL), TLS1_2_VERSION, "X25519:P-256", true, true, false,
		NO_LIST, 0 },
	{ "another hello", WISH(CLIENT, 30, NULL), TLS1_3_VERSION, "P-521:X25519", true, true,
		false, NO_LIST, 0 },
	{ "RSA, TLS 1.3", WISH(CLIENT, 30, "RSA"), TLS1_3_VERSION, "X25519:P-256", true, true,
		false, NO_LIST, 0 },
	{ "RSA, TLS 1.2", WISH(CLIENT, 30, "RSA"), TLS1_2_VERSION, "X25519:P-256", true, true,
		false, NO_LIST, 0 },
	{ "Ed25519, TLS 1.3", WISH(CLIENT, 30, "ED25519"), TLS1_3_VERSION, "X25519:P-256", true,
		true, false, NO_LIST, 0 },
	{ "Ed25519, TLS 1.2", WISH(CLIENT, 30, "ED25519"), TLS1_2_VERSION, "X25519:P-256", true,
		true, false, NO_LIST, 0 },
	{ "nobody vouches, and nobody has to", WISH(CLIENT, 30, NULL), TLS1_3_VERSION,
		"X25519:P-256", false, false, false, NO_LIST, 0 },
	{ "nobody vouches, and somebody has to", WISH(CLIENT, 30, NULL), TLS1_3_VERSION,
		"X25519:P-256", false, true, false, NO_LIST, -EACCES },
	{ "another server's handshake", WISH(CLIENT, 30, NULL), TLS1_3_VERSION, "X25519:P-256",
		true, true, true, NO_LIST, -EACCES },
	{ "another server's handshake, TLS 1.2", WISH(CLIENT, 30, NULL), TLS1_2_VERSION,
		"X25519:P-256", true, true, true, NO_LIST, -EACCES },
	{ "expired", WISH(CLIENT, 0, NULL), TLS1_3_VERSION, "X25519:P-256", true, true, false,
		NO_LIST, -EACCES },
	{ "expired, without authorities", WISH(CLIENT, 0, NULL), TLS1_3_VERSION, "X25519:P-256",
		true, false, false, NO_LIST, -EACCES },
	{ "for servers", WISH("serverAuth", 30, NULL), TLS1_3_VERSION, "X25519:P-256", true, true,
		false, NO_LIST, -EACCES },
	{ "on no list", WISH(CLIENT, 30, NULL), TLS1_3_VERSION, "X25519:P-256", true, true, false,
		EMPTY_LIST, 0 },
	{ "revoked", WISH(CLIENT, 30, NULL), TLS1_3_VERSION, "X25519:P-256", true, true, false,
		ON_LIST, -EACCES },
};

static void
check_proof(void **state)
{
	const struct proof_row *row = *state;
	struct cast cast;
	struct recording recording;
	open_cast(&cast, &row->wish, row->is_vouched_for);
	if (row->has_authorities)
		add_certificate(&cast.files, TRUST_AUTHORITY, cast.authority.certificate);
	if (row->revocation != NO_LIST)
		add_crl(&cast.files, &cast.authority,
			row->revocation == ON_LIST ? cast.client.certificate : NULL);
	read_trust(&cast);
	record(&recording, row->is_other_server ? &cast.other_server : &cast.server, &cast.client,
		row->version, row->groups);
	assert_int_equal(check(&cast, &recording), row->want);
	close_cast(&cast);
}

static void
open_ordinary(struct cast *cast, struct recording *recording, int version)
{
	open_cast(cast, &ordinary, true);
	add_certificate(&cast->files, TRUST_AUTHORITY, cast->authority.certificate);
	read_trust(cast);
	record(recording, &cast->server, &cast->client, version, "X25519:P-256");
	assert_int_equal(check(cast, recording), 0);
}

/* All of it is covered by the signature, or is the signature, or its length. */
static void
check_changed(void **state)
{
	enum { STRIDE = 7 };
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct cast cast;
	static struct recording recording;
	(void)state;
	for (size_t v = 0; v < ARRAY_LENGTH(versions); v++) {
		open_ordinary(&cast, &recording, versions[v]);
		for (size_t at = 0; at < recording.length; at += STRIDE) {
			recording.bytes[at] ^= 1;
			assert_int_not_equal(check(&cast, &recording), 0);
			recording.bytes[at] ^= 1;
		}
		close_cast(&cast);
	}
}

static void
check_cut(void **state)
{
	struct cast cast;
	static struct recording recording;
	(void)state;
	open_ordinary(&cast, &recording, TLS1_3_VERSION);
	size_t whole = recording.length;
	for (recording.length = 0; recording.length < whole; recording.length++)
		assert_int_equal(check(&cast, &recording), -EBADMSG);
	memset(recording.bytes + whole, 0, 8);
	for (recording.length = whole + 1; recording.length < whole + 8; recording.length++)
		assert_int_equal(check(&cast, &recording), -EBADMSG);
	close_cast(&cast);
}

/* The end of one handshake behind the beginning of another. */
static void
check_mixed(void **state)
{
	enum { VERIFY_BYTES = 60 };
	struct cast cast;
	static struct recording one, two;
	(void)state;
	open_ordinary(&cast, &one, TLS1_3_VERSION);
	record(&two, &cast.server, &cast.client, TLS1_3_VERSION, "X25519:P-256");
	memcpy(one.bytes + one.length - VERIFY_BYTES, two.bytes + two.length - VERIFY_BYTES,
		VERIFY_BYTES);
	assert_int_not_equal(check(&cast, &one), 0);
	close_cast(&cast);
}

/* ---- names ---- */

static void
check_names(void **state)
{
	static const char *const want[] = { "subject/CN=ada", "email/ada@example.org",
		"dns/ada.example", "uri/urn:x" };
	struct proof_certificate certificate;
	struct cast cast;
	static struct recording recording;
	(void)state;
	open_ordinary(&cast, &recording, TLS1_3_VERSION);
	assert_int_equal(
		proof_check(cast.trust, bytes_of(recording.bytes, recording.length), &certificate),
		0);
	assert_int_equal(strlen(certificate.fingerprint), PROOF_FINGERPRINT_DIGITS);
	assert_int_equal(certificate.name_count, ARRAY_LENGTH(want));
	for (size_t i = 0; i < ARRAY_LENGTH(want); i++)
		assert_string_equal(certificate.names[i], want[i]);
	proof_certificate_free(&certificate);
	close_cast(&cast);
}

/* Without authorities anybody can write anything into a certificate. */
static void
check_no_names(void **state)
{
	struct proof_certificate certificate;
	struct cast cast;
	static struct recording recording;
	(void)state;
	open_cast(&cast, &ordinary, true);
	read_trust(&cast);
	record(&recording, &cast.server, &cast.client, TLS1_3_VERSION, "X25519:P-256");
	assert_int_equal(
		proof_check(cast.trust, bytes_of(recording.bytes, recording.length), &certificate),
		0);
	assert_int_equal(certificate.name_count, 0);
	close_cast(&cast);
}

/* ---- files ---- */

static void
check_files(void **state)
{
	static const enum trust_kind kinds[] = { TRUST_SERVER, TRUST_AUTHORITY, TRUST_CRL };
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
		struct trust_files files = { .count = 0 };
		struct proof_trust *trust = NULL;
		int fd = memfd_create("none", MFD_CLOEXEC);
		assert_int_equal(write(fd, "nothing\n", 8), 8);
		assert_int_equal(trust_files_add(&files, kinds[i], &fd), 0);
		assert_int_equal(proof_trust_new(&files, &trust), -EINVAL);
		assert_null(trust);
		trust_files_clear(&files);
	}
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("proof", proof_rows, check_proof),
		CASE("anything in it changed", check_changed),
		CASE("cut anywhere, and followed by something", check_cut),
		CASE("halves of two handshakes", check_mixed),
		CASE("what a certificate is called", check_names),
		CASE("without authorities it is called nothing", check_no_names),
		CASE("files that are none", check_files),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
