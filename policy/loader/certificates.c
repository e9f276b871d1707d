/*
 * Reading and making certificates (see certificates.h). Runs in the loader, a short-lived child,
 * and in `sallyportd --check`. Files are the administrator's, and a mistake in them is told with
 * the file and what to do. OpenSSL parses; a private key is looked at to see that it belongs to its
 * certificate and is then only passed on.
 */
#include "policy/loader/certificates.h"

#include "ipc/base/content.h"
#include "ipc/base/scope.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { FILE_BYTES_MAX = 1024 * 1024 };

/* ---- files ---- */

static int
refuse(struct rules_error *error, const char *path, const char *reason)
{
	rules_error_locate(error, path, 0);
	return rules_refuse(error, "%s", reason);
}

static int
open_file(const char *path, int *fd, BIO **content, struct rules_error *error)
{
	struct stat status;
	SCOPE_FD int opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (opened < 0 || fstat(opened, &status) < 0)
		return rules_refuse_file(error, path, errno);
	if (!S_ISREG(status.st_mode))
		return refuse(error, path, "is not a regular file");
	if (status.st_size <= 0 || status.st_size > FILE_BYTES_MAX)
		return refuse(error, path, "is empty, or larger than 1 MiB");
	SCOPE_FREE char *owner = NULL;
	struct bytes bytes;
	int result = content_read(opened, FILE_BYTES_MAX, &owner, &bytes);
	if (result < 0)
		return rules_refuse_file(error, path, -result);
	*content = BIO_new(BIO_s_mem());
	bool is_copied = *content != NULL &&
			 BIO_write(*content, bytes.data, (int)bytes.length) == (int)bytes.length;
	explicit_bzero(owner, bytes.length); /* perhaps a private key */
	if (!is_copied)
		return -ENOMEM;
	*fd = fd_take(&opened);
	return 0;
}

/* ---- a certificate and its key ---- */

static const char *
judge_time(const X509 *certificate)
{
	if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
		return "the certificate has expired: renew it";
	if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
		return "the certificate is not valid yet: is the clock right?";
	return NULL;
}

/* Was nothing more there to be read? */
static bool
is_at_end(void)
{
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

/* Each that follows must be one, too: a chain that is cut is noticed here and not by clients. */
static const char *
judge_issuers(BIO *pem)
{
	X509 *issuer;
	while ((issuer = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL)
		X509_free(issuer);
	bool is_end = is_at_end();
	ERR_clear_error();
	return is_end ? NULL : "one of the issuers' certificates is broken";
}

static int
read_certificate(const char *path, int *fd, X509 **certificate, struct rules_error *error)
{
	BIO *pem = NULL;
	int result = open_file(path, fd, &pem, error);
	if (result == 0) {
		*certificate = PEM_read_bio_X509(pem, NULL, NULL, NULL);
		const char *reason =
			*certificate == NULL ? "no certificate in PEM" : judge_time(*certificate);
		if (reason == NULL)
			reason = judge_issuers(pem);
		if (reason != NULL)
			result = refuse(error, path, reason);
	}
	BIO_free(pem);
	ERR_clear_error();
	return result;
}

/* Nobody is there to type a passphrase; keys refuses it with the same words. */
static int
no_passphrase(UNUSED char *buffer, UNUSED int size, UNUSED int writes, void *argument)
{
	bool *is_encrypted = argument;
	*is_encrypted = true;
	return -1;
}

static const char *
judge_key(const struct stat *status, BIO *pem, const X509 *certificate)
{
	bool is_encrypted = false;
	if ((status->st_mode & (S_IROTH | S_IWOTH)) != 0)
		return "everybody may read the private key: chmod o-rwx";
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, &is_encrypted);
	bool belongs = key != NULL && X509_check_private_key(certificate, key) == 1;
	const char *reason = belongs ? NULL
			     : is_encrypted
				     ? "the key is encrypted, and nobody is there to type its "
				       "passphrase: store it without one"
			     : key == NULL ? "no private key in PEM"
					   : "this key does not belong to the certificate";
	EVP_PKEY_free(key);
	ERR_clear_error();
	return reason;
}

static int
read_key(const char *path, const X509 *certificate, int *fd, struct rules_error *error)
{
	struct stat status;
	BIO *pem = NULL;
	int result = open_file(path, fd, &pem, error);
	if (result == 0 && fstat(*fd, &status) < 0)
		result = rules_refuse_file(error, path, errno);
	const char *reason = result == 0 ? judge_key(&status, pem, certificate) : NULL;
	if (reason != NULL)
		result = refuse(error, path, reason);
	BIO_free(pem);
	return result;
}

static int
read_staple(const char *path, int *fd, struct rules_error *error)
{
	BIO *der = NULL;
	int result = open_file(path, fd, &der, error);
	if (result == 0) {
		OCSP_RESPONSE *response = d2i_OCSP_RESPONSE_bio(der, NULL);
		if (response == NULL)
			result = refuse(error, path, "no OCSP response in DER");
		OCSP_RESPONSE_free(response);
	}
	BIO_free(der);
	ERR_clear_error();
	return result;
}

/* ---- files without a name ---- */

/* Sealed by nobody's knowing it: a file without a name. */
static int
keep(BIO *pem, const char *name)
{
	char *bytes;
	long length = BIO_get_mem_data(pem, &bytes);
	SCOPE_FD int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, bytes, (size_t)length) != length)
		return -EIO;
	return fd_take(&fd);
}

/* ---- authorities of clients ---- */

/* Reads the next of several, or finds the end: NULL, or what is wrong with it. */
typedef const char *judge_next(BIO *pem, bool *is_end);

static const char *
judge_authority(BIO *pem, bool *is_end)
{
	X509 *authority = PEM_read_bio_X509(pem, NULL, NULL, NULL);
	*is_end = authority == NULL && is_at_end();
	X509_free(authority);
	return authority != NULL || *is_end ? NULL : "one of the authorities is broken";
}

/* With a list that is too old OpenSSL refuses every client. */
static const char *
judge_crl(BIO *pem, bool *is_end)
{
	X509_CRL *crl = PEM_read_bio_X509_CRL(pem, NULL, NULL, NULL);
	*is_end = crl == NULL && is_at_end();
	const ASN1_TIME *next = crl == NULL ? NULL : X509_CRL_get0_nextUpdate(crl);
	const char *reason = crl == NULL && !*is_end ? "one of the revocation lists is broken"
			     : next != NULL && X509_cmp_current_time(next) <= 0
				     ? "a revocation list has expired: fetch the next one"
				     : NULL;
	X509_CRL_free(crl);
	return reason;
}

/*
 * What is passed on is a copy: lists are often written anew in their place, and processes that are
 * started later would read what nobody has looked at.
 */
static int
load_authority_file(
	const char *path, bool is_crl, struct credentials *credentials, struct rules_error *error)
{
	judge_next *judge = is_crl ? judge_crl : judge_authority;
	SCOPE_FD int file_fd = -1;
	SCOPE_FD int fd = -1;
	BIO *pem = NULL;
	size_t count = 0;
	bool is_end = false;
	int result = open_file(path, &file_fd, &pem, error);
	if (result == 0) {
		fd = keep(pem, is_crl ? "revocation lists" : "authorities");
		result = fd < 0 ? fd : 0;
	}
	for (; result == 0 && !is_end; count++) {
		const char *reason = judge(pem, &is_end);
		if (is_end && count == 0)
			reason = is_crl ? "no revocation list in PEM" : "no certificate in PEM";
		if (reason != NULL)
			result = refuse(error, path, reason);
	}
	BIO_free(pem);
	ERR_clear_error();
	return result < 0 ? result : credentials_add_authority(credentials, is_crl, &fd);
}

/* ---- what the configuration names ---- */

static int
load_one(const struct config *config, size_t place, struct credentials *credentials,
	struct rules_error *error)
{
	const char *key_name = config->tls_keys.items[place];
	SCOPE_FD int chain_fd = -1;
	SCOPE_FD int key_fd = -1;
	SCOPE_FD int staple_fd = -1;
	X509 *certificate = NULL;
	int result = read_certificate(
		config->tls_certificates.items[place], &chain_fd, &certificate, error);
	if (result == 0)
		result = read_key(key_name, certificate, &key_fd, error);
	if (result == 0 && place < config->tls_staples.count)
		result = read_staple(config->tls_staples.items[place], &staple_fd, error);
	X509_free(certificate);
	if (result == 0)
		result = credentials_add(credentials, &chain_fd);
	if (result == 0)
		result = credentials_add_key(credentials, bytes_of_text(key_name), &key_fd);
	if (result == 0 && staple_fd >= 0)
		result = credentials_add_staple(credentials, &staple_fd);
	return result;
}

int
certificates_load(
	const struct config *config, struct credentials *credentials, struct rules_error *error)
{
	int result = 0;
	if (config->tls == CONFIG_TLS_OFF)
		return 0;
	/* No file of OpenSSL's is asked what this process does (OPENSSL_CONF). */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -ENOMEM;
	for (size_t i = 0; i < config->tls_certificates.count && result == 0; i++)
		result = load_one(config, i, credentials, error);
	if (result == 0 && config->tls_client_ca[0] != '\0')
		result = load_authority_file(config->tls_client_ca, false, credentials, error);
	if (result == 0 && config->tls_client_crl[0] != '\0')
		result = load_authority_file(config->tls_client_crl, true, credentials, error);
	return result;
}

/* ---- one of our own ---- */

static bool
add_extension(X509 *certificate, int number, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, number, value);
	bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

static bool
describe(X509 *certificate, EVP_PKEY *key)
{
	enum { BACKDATED_S = 3600, YEAR_S = 365 * 24 * 3600, SERIAL_BITS = 127 };
	BIGNUM *serial = BN_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	bool done = serial != NULL && X509_set_version(certificate, X509_VERSION_3) == 1 &&
		    BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL &&
		    X509_gmtime_adj(X509_getm_notBefore(certificate), -BACKDATED_S) != NULL &&
		    X509_gmtime_adj(X509_getm_notAfter(certificate), YEAR_S) != NULL &&
		    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			    (const unsigned char *)"Sallyport quick start", -1, -1, 0) == 1 &&
		    X509_set_issuer_name(certificate, name) == 1 &&
		    X509_set_pubkey(certificate, key) == 1 &&
		    add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
		    add_extension(
			    certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
	BN_free(serial);
	return done && X509_sign(certificate, key, EVP_sha256()) > 0;
}

static bool
print_digest(const X509 *certificate, const EVP_MD *kind, char *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	if (X509_digest(certificate, kind, digest, &length) != 1)
		return false;
	for (unsigned i = 0; i < length; i++)
		text += sprintf(text, "%s%02X", i == 0 ? "" : ":", digest[i]);
	return true;
}

static bool
print_pin(const EVP_PKEY *key, char *text)
{
	unsigned char digest[EVP_MAX_MD_SIZE], encoded[45], *public = NULL; /* 32 bytes in base64 */
	unsigned length = 0;
	int public_length = i2d_PUBKEY(key, &public);
	bool done = public_length > 0 && EVP_Digest(public, (size_t)public_length, digest, &length,
						 EVP_sha256(), NULL) == 1;
	OPENSSL_free(public);
	EVP_EncodeBlock(encoded, digest, (int)length);
	sprintf(text, "sha256//%s", encoded);
	return done;
}

static bool
mark(const X509 *certificate, const EVP_PKEY *key, struct certificate_marks *marks)
{
	return print_digest(certificate, EVP_sha256(), marks->sha256) &&
	       print_digest(certificate, EVP_sha1(), marks->sha1) && print_pin(key, marks->pin);
}

static int
keep_both(const X509 *certificate, const EVP_PKEY *key, struct credentials *credentials)
{
	static const char key_name[] = "key of the quick start";
	BIO *chain = BIO_new(BIO_s_mem());
	BIO *private = BIO_new(BIO_s_secmem());
	SCOPE_FD int chain_fd = -1;
	SCOPE_FD int key_fd = -1;
	if (chain != NULL && private != NULL && PEM_write_bio_X509(chain, certificate) == 1 &&
		PEM_write_bio_PKCS8PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) == 1) {
		chain_fd = keep(chain, "certificate");
		key_fd = keep(private, "key");
	}
	BIO_free(chain);
	BIO_free(private);
	if (chain_fd < 0 || key_fd < 0)
		return -EIO;
	int result = credentials_add(credentials, &chain_fd);
	return result == 0 ? credentials_add_key(credentials, bytes_of_text(key_name), &key_fd)
			   : result;
}

int
certificates_make(struct credentials *credentials, struct certificate_marks *marks)
{
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -ENOMEM;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	int result = -EIO;
	if (key != NULL && certificate != NULL && describe(certificate, key) &&
		mark(certificate, key, marks))
		result = keep_both(certificate, key, credentials);
	X509_free(certificate);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return result;
}
