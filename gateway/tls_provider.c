/*
 * The provider (see tls_provider.h). Runs in the gateway, inside libssl's calls. What libssl 3 asks
 * of a server's key, and in which names, is tried and written down in packaging/notes; a question
 * that is not answered here is answered by the public half or not at all.
 */
#include "gateway/tls_provider.h"

#include "ipc/base/ends.h"

#include <errno.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Sorts behind "default", whose implementations are the ones that nobody has to ask for. */
#define PROVIDER "sallyport"
#define OURS     "provider=" PROVIDER
#define DEFAULT  "provider=default"

#define PARAM_SIGNER "sallyport-signer"
#define PARAM_NUMBER "sallyport-number"
#define PARAM_PUBLIC "sallyport-public"

enum type { TYPE_RSA, TYPE_EC, TYPE_ED25519 };

/* The signature's name is one that no other provider has: libssl must not look for it elsewhere. */
static const struct {
	const char *name, *signature;
} types[] = {
	[TYPE_RSA] = { "RSA", "SALLYPORT-RSA" },
	[TYPE_EC] = { "EC", "SALLYPORT-EC" },
	[TYPE_ED25519] = { "ED25519", "SALLYPORT-ED25519" },
};

struct remote_key {
	enum type type;
	EVP_PKEY *public;          /* OpenSSL's own; owned */
	struct tls_signer *signer; /* NULL: a public key only */
	uint32_t number;
};

/* ---- keys ---- */

static void *
key_new(enum type type)
{
	struct remote_key *key = calloc(1, sizeof(*key));
	if (key != NULL)
		key->type = type;
	return key;
}

static void *
key_new_rsa(UNUSED void *provider)
{
	return key_new(TYPE_RSA);
}

static void *
key_new_ec(UNUSED void *provider)
{
	return key_new(TYPE_EC);
}

static void *
key_new_ed25519(UNUSED void *provider)
{
	return key_new(TYPE_ED25519);
}

static void
key_free(void *data)
{
	struct remote_key *key = data;
	if (key != NULL)
		EVP_PKEY_free(key->public);
	free(key);
}

/* One of ours: a number, and the public half that goes with it. */
static int
import_remote(struct remote_key *key, const OSSL_PARAM *signer, const OSSL_PARAM *parameters)
{
	const OSSL_PARAM *number = OSSL_PARAM_locate_const(parameters, PARAM_NUMBER);
	const OSSL_PARAM *public = OSSL_PARAM_locate_const(parameters, PARAM_PUBLIC);
	const void *pointer, *other;
	size_t length;
	if (number == NULL || public == NULL ||
		OSSL_PARAM_get_octet_ptr(signer, &pointer, &length) != 1 ||
		OSSL_PARAM_get_uint32(number, &key->number) != 1 ||
		OSSL_PARAM_get_octet_ptr(public, &other, &length) != 1)
		return 0;
	/* Both were put there by tls_provider_key(), which has them without const. */
	memcpy(&key->signer, &pointer, sizeof(void *));
	memcpy(&key->public, &other, sizeof(void *));
	return EVP_PKEY_up_ref(key->public);
}

/* The key of a certificate, to be compared with one of ours. */
static int
import_public(struct remote_key *key, const OSSL_PARAM *parameters)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, types[key->type].name, DEFAULT);
	OSSL_PARAM *copy = OSSL_PARAM_dup(parameters);
	int done = context != NULL && copy != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
		   EVP_PKEY_fromdata(context, &key->public, EVP_PKEY_PUBLIC_KEY, copy) == 1;
	OSSL_PARAM_free(copy);
	EVP_PKEY_CTX_free(context);
	return done;
}

static int
key_import(void *data, UNUSED int selection, const OSSL_PARAM parameters[])
{
	struct remote_key *key = data;
	const OSSL_PARAM *signer = OSSL_PARAM_locate_const(parameters, PARAM_SIGNER);
	return signer != NULL ? import_remote(key, signer, parameters)
			      : import_public(key, parameters);
}

/* A private half is not there to be exported; half a pair would be signed with elsewhere. */
static int
key_export(void *data, int selection, OSSL_CALLBACK *callback, void *argument)
{
	const struct remote_key *key = data;
	if (key->public == NULL || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	return EVP_PKEY_export(key->public, selection, callback, argument);
}

static const OSSL_PARAM *
key_types(UNUSED int selection)
{
	static const OSSL_PARAM known[] = {
		{ PARAM_SIGNER, OSSL_PARAM_OCTET_PTR, NULL, 0, 0 },
		{ PARAM_NUMBER, OSSL_PARAM_UNSIGNED_INTEGER, NULL, 0, 0 },
		{ PARAM_PUBLIC, OSSL_PARAM_OCTET_PTR, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_RSA_N, OSSL_PARAM_UNSIGNED_INTEGER, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_RSA_E, OSSL_PARAM_UNSIGNED_INTEGER, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_PUB_KEY, OSSL_PARAM_OCTET_STRING, NULL, 0, 0 },
		OSSL_PARAM_END,
	};
	return known;
}

static int
key_has(const void *data, int selection)
{
	const struct remote_key *key = data;
	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 && key->signer == NULL)
		return 0;
	return key->public != NULL;
}

static int
key_match(const void *one, const void *other, UNUSED int selection)
{
	const struct remote_key *a = one;
	const struct remote_key *b = other;
	return EVP_PKEY_eq(a->public, b->public) == 1;
}

static int
key_get_parameters(void *data, OSSL_PARAM parameters[])
{
	const struct remote_key *key = data;
	return EVP_PKEY_get_params(key->public, parameters);
}

static const OSSL_PARAM *
key_gettable(UNUSED void *provider)
{
	static const OSSL_PARAM known[] = {
		{ OSSL_PKEY_PARAM_BITS, OSSL_PARAM_INTEGER, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_SECURITY_BITS, OSSL_PARAM_INTEGER, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_MAX_SIZE, OSSL_PARAM_INTEGER, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_GROUP_NAME, OSSL_PARAM_UTF8_STRING, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_DEFAULT_DIGEST, OSSL_PARAM_UTF8_STRING, NULL, 0, 0 },
		{ OSSL_PKEY_PARAM_MANDATORY_DIGEST, OSSL_PARAM_UTF8_STRING, NULL, 0, 0 },
		OSSL_PARAM_END,
	};
	return known;
}

static const char *
signature_of(enum type type, int operation)
{
	return operation == OSSL_OP_SIGNATURE ? types[type].signature : NULL;
}

static const char *
rsa_operation(int operation)
{
	return signature_of(TYPE_RSA, operation);
}

static const char *
ec_operation(int operation)
{
	return signature_of(TYPE_EC, operation);
}

static const char *
ed25519_operation(int operation)
{
	return signature_of(TYPE_ED25519, operation);
}

/* ---- signatures ---- */

struct signature {
	const struct remote_key *key; /* lives longer: libssl's EVP_PKEY has it */
	int digest_bits;              /* 0: the algorithm's own */
	bool is_pss;
};

static void *
signature_new(UNUSED void *provider, UNUSED const char *properties)
{
	return calloc(1, sizeof(struct signature));
}

static void
signature_free(void *data)
{
	free(data);
}

static int
set_signature_parameters(void *data, const OSSL_PARAM parameters[])
{
	struct signature *signature = data;
	const OSSL_PARAM *padding = parameters == NULL ? NULL
						       : OSSL_PARAM_locate_const(parameters,
								 OSSL_SIGNATURE_PARAM_PAD_MODE);
	int mode;
	if (padding == NULL)
		return 1;
	if (padding->data_type == OSSL_PARAM_UTF8_STRING)
		mode = strcmp(padding->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0
			       ? RSA_PKCS1_PSS_PADDING
			       : RSA_PKCS1_PADDING;
	else if (OSSL_PARAM_get_int(padding, &mode) != 1)
		return 0;
	signature->is_pss = mode == RSA_PKCS1_PSS_PADDING;
	return mode == RSA_PKCS1_PSS_PADDING || mode == RSA_PKCS1_PADDING;
}

/* The salt is as long as the digest, as TLS has it and keys does it. */
static const OSSL_PARAM *
settable_signature_parameters(UNUSED void *signature, UNUSED void *provider)
{
	static const OSSL_PARAM known[] = {
		{ OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PARAM_UTF8_STRING, NULL, 0, 0 },
		{ OSSL_SIGNATURE_PARAM_PSS_SALTLEN, OSSL_PARAM_UTF8_STRING, NULL, 0, 0 },
		OSSL_PARAM_END,
	};
	return known;
}

static const struct digest {
	const char *name, *other_name;
	int bits;
} digests[] = {
	{ "SHA256", "SHA2-256", 256 },
	{ "SHA384", "SHA2-384", 384 },
	{ "SHA512", "SHA2-512", 512 },
};

/* A digest that is not offered makes libssl look for another scheme. */
static int
signature_begin(void *data, const char *digest, void *key, const OSSL_PARAM parameters[])
{
	struct signature *signature = data;
	signature->key = key;
	if (signature->key->type == TYPE_ED25519)
		return digest == NULL || digest[0] == '\0';
	signature->digest_bits = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(digests) && digest != NULL; i++)
		if (strcasecmp(digest, digests[i].name) == 0 ||
			strcasecmp(digest, digests[i].other_name) == 0)
			signature->digest_bits = digests[i].bits;
	return signature->digest_bits != 0 && set_signature_parameters(data, parameters);
}

static enum tls_scheme
scheme_of(const struct signature *signature)
{
	static const enum tls_scheme ecdsa[] = { TLS_ECDSA_SHA256, TLS_ECDSA_SHA384,
		TLS_ECDSA_SHA512 };
	static const enum tls_scheme pkcs1[] = { TLS_RSA_PKCS1_SHA256, TLS_RSA_PKCS1_SHA384,
		TLS_RSA_PKCS1_SHA512 };
	static const enum tls_scheme pss[] = { TLS_RSA_PSS_SHA256, TLS_RSA_PSS_SHA384,
		TLS_RSA_PSS_SHA512 };
	int step = signature->digest_bits / 128 - 2; /* 256: 0, 384: 1, 512: 2 */
	switch (signature->key->type) {
	case TYPE_RSA:
		return signature->is_pss ? pss[step] : pkcs1[step];
	case TYPE_EC:
		return ecdsa[step];
	case TYPE_ED25519:
		return TLS_ED25519;
	}
	bug("a key of type %d", (int)signature->key->type);
}

/* The first call asks for the length alone. */
static int
signature_make(void *data, unsigned char *bytes, size_t *length, size_t capacity,
	const unsigned char *content, size_t content_length)
{
	const struct signature *signature = data;
	if (bytes == NULL) {
		*length = (size_t)EVP_PKEY_get_size(signature->key->public);
		return 1;
	}
	const struct sign_sign request = {
		.key = signature->key->number,
		.scheme = scheme_of(signature),
		.content = bytes_of(content, content_length),
	};
	if (signature->key->signer == NULL)
		return 0;
	int result = tls_signer_ask(signature->key->signer, &request, bytes, capacity);
	if (result > 0)
		*length = (size_t)result;
	return result > 0;
}

/* ---- the tables ---- */

/* OpenSSL keeps functions of many types in one; it casts them back before it calls. */
#define ENTRY(id, function)                      \
	{                                        \
		(id), (void (*)(void))(function) \
	}

#define KEYS(title)                                                               \
	static const OSSL_DISPATCH title##_keys[] = {                             \
		ENTRY(OSSL_FUNC_KEYMGMT_NEW, key_new_##title),                    \
		ENTRY(OSSL_FUNC_KEYMGMT_FREE, key_free),                          \
		ENTRY(OSSL_FUNC_KEYMGMT_IMPORT, key_import),                      \
		ENTRY(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, key_types),                 \
		ENTRY(OSSL_FUNC_KEYMGMT_EXPORT, key_export),                      \
		ENTRY(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, key_types),                 \
		ENTRY(OSSL_FUNC_KEYMGMT_HAS, key_has),                            \
		ENTRY(OSSL_FUNC_KEYMGMT_MATCH, key_match),                        \
		ENTRY(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get_parameters),          \
		ENTRY(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),           \
		ENTRY(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, title##_operation), \
		{ 0, NULL },                                                      \
	}
KEYS(rsa);
KEYS(ec);
KEYS(ed25519);

static const OSSL_DISPATCH signature_functions[] = {
	ENTRY(OSSL_FUNC_SIGNATURE_NEWCTX, signature_new),
	ENTRY(OSSL_FUNC_SIGNATURE_FREECTX, signature_free),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, signature_begin),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, signature_make),
	ENTRY(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_signature_parameters),
	ENTRY(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_signature_parameters),
	{ 0, NULL },
};

static const OSSL_ALGORITHM key_algorithms[] = {
	{ "RSA:rsaEncryption", OURS, rsa_keys, "" },
	{ "EC:id-ecPublicKey", OURS, ec_keys, "" },
	{ "ED25519", OURS, ed25519_keys, "" },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM signature_algorithms[] = {
	{ "SALLYPORT-RSA", OURS, signature_functions, "" },
	{ "SALLYPORT-EC", OURS, signature_functions, "" },
	{ "SALLYPORT-ED25519", OURS, signature_functions, "" },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *
query(UNUSED void *provider, int operation, int *no_cache)
{
	*no_cache = 0;
	return operation == OSSL_OP_KEYMGMT     ? key_algorithms
	       : operation == OSSL_OP_SIGNATURE ? signature_algorithms
						: NULL;
}

static void
teardown(UNUSED void *provider)
{
}

static const OSSL_DISPATCH provider_functions[] = {
	ENTRY(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
	ENTRY(OSSL_FUNC_PROVIDER_TEARDOWN, teardown),
	{ 0, NULL },
};

static int
initialize(const OSSL_CORE_HANDLE *handle, UNUSED const OSSL_DISPATCH *in,
	const OSSL_DISPATCH **out, void **provider)
{
	static char context; /* something must be there; all that is known is in the keys */
	(void)handle;
	*out = provider_functions;
	*provider = &context;
	return 1;
}

/* Of OpenSSL's one library context, which is the process's. */
static OSSL_PROVIDER *default_provider, *own_provider;

void
tls_provider_unload(void)
{
	OSSL_PROVIDER_unload(own_provider);
	OSSL_PROVIDER_unload(default_provider);
	own_provider = default_provider = NULL;
}

/* The default one first: what is not asked of anybody by name is asked of the first. */
int
tls_provider_load(void)
{
	/* No file of OpenSSL's is asked what this process does (OPENSSL_CONF). */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
		return -ENOTSUP;
	default_provider = OSSL_PROVIDER_load(NULL, "default");
	if (OSSL_PROVIDER_add_builtin(NULL, PROVIDER, initialize) == 1)
		own_provider = OSSL_PROVIDER_load(NULL, PROVIDER);
	if (default_provider == NULL || own_provider == NULL ||
		EVP_set_default_properties(NULL, "?" DEFAULT) != 1) {
		tls_provider_unload();
		return -ENOTSUP;
	}
	return 0;
}

static const char *
type_name(const EVP_PKEY *public)
{
	for (size_t i = 0; i < ARRAY_LENGTH(types); i++)
		if (EVP_PKEY_is_a(public, types[i].name))
			return types[i].name;
	return NULL;
}

EVP_PKEY *
tls_provider_key(struct tls_signer *signer, uint32_t number, EVP_PKEY *public)
{
	void *signer_pointer = signer, *public_pointer = public;
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_octet_ptr(PARAM_SIGNER, &signer_pointer, sizeof(void *)),
		OSSL_PARAM_construct_uint32(PARAM_NUMBER, &number),
		OSSL_PARAM_construct_octet_ptr(PARAM_PUBLIC, &public_pointer, sizeof(void *)),
		OSSL_PARAM_construct_end(),
	};
	const char *name = type_name(public);
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *context = name == NULL ? NULL : EVP_PKEY_CTX_new_from_name(NULL, name, OURS);
	if (context != NULL && EVP_PKEY_fromdata_init(context) == 1)
		(void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters);
	EVP_PKEY_CTX_free(context);
	return key;
}
