/*
 * Users for verdicts (see accounts.h). Runs in auth, which holds the hashes and shows them to its
 * hashers only. A users file with any mistake is refused whole.
 */
#include "policy/auth/accounts.h"

#include "ipc/base/content.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/rules/users.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 * 1024 * 1024 };

struct accounts {
	char *host;
	struct users *users;
	struct config *defaults;
	char stand_in[CRYPT_GENSALT_OUTPUT_SIZE]; /* where no user has a hash to stand in */
	const char *stand_in_hash;
	/* What the record that was identified last points to. */
	struct value_backend backend;
	char charset[32 + 1]; /* as account.def says */
	char groups[64 * sizeof(uint32_t)];
	char rights[MESSAGE_BODY_BYTES_MAX];
};

_Static_assert((int)CONFIG_SYMLINKS_FOLLOW == (int)SYMLINKS_FOLLOW &&
		       (int)CONFIG_SYMLINKS_REFUSE == (int)SYMLINKS_REFUSE &&
		       (int)CONFIG_SYNC_UPLOADS_NONE == (int)SYNC_NONE &&
		       (int)CONFIG_SYNC_UPLOADS_DATA == (int)SYNC_DATA,
	"the configuration's choices are those of the messages");

void
accounts_free(struct accounts **accounts)
{
	if (*accounts == NULL)
		return;
	free((*accounts)->host);
	users_free(&(*accounts)->users);
	config_free(&(*accounts)->defaults);
	free(*accounts);
	*accounts = NULL;
}

/* ---- loading ---- */

/* A users file's text: its hashes are wiped with it. */
struct text {
	char *data;
	size_t length;
};

static void
text_free(struct text *text)
{
	if (text->data != NULL)
		explicit_bzero(text->data, text->length);
	free(text->data);
	*text = (struct text){ 0 };
}

static int
read_all(int fd, struct text *text)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -errno;
	if (status.st_size > FILE_BYTES_MAX)
		return -EFBIG;
	size_t size = (size_t)status.st_size;
	text->data = malloc(size + 1);
	if (text->data == NULL)
		return -ENOMEM;
	ssize_t have = content_read_into(fd, text->data, size);
	if (have < 0)
		return (int)have;
	text->length = (size_t)have; /* it may be shorter than it was */
	return 0;
}

static void
set_defaults(struct config *config, const struct verdict_configure *from)
{
	snprintf(config->backend.name, sizeof(config->backend.name), "%.*s",
		(int)from->backend.length, from->backend.data);
	config->charset = from->charset;
	config->path_threads = from->path_threads;
	config->memory_limit = from->memory_limit_bytes;
	config->umask = from->umask;
	config->symlinks = from->symlinks;
	config->sync_uploads = from->sync;
	config->max_sessions_per_user = from->sessions_max;
	config->keep_partial = from->keep_partial;
	config->tls = from->tls;
	config->tls_data = from->tls_data;
	config->tls_session_reuse = from->tls_reuse;
	config->tls_upload_end = from->tls_upload_end;
	config->mode_z = from->mode_z;
	config->list_times = from->local_times ? CONFIG_LIST_TIMES_LOCAL : CONFIG_LIST_TIMES_UTC;
	config->list_owners =
		from->owner_names ? CONFIG_LIST_OWNERS_NAMES : CONFIG_LIST_OWNERS_NUMERIC;
}

static void
choose_stand_in(struct accounts *accounts)
{
	for (size_t i = 0; i < users_count(accounts->users); i++) {
		const struct user *user = users_at(accounts->users, i);
		if (user_may_log_in(user) && user_has_password(user)) {
			accounts->stand_in_hash = user->hash;
			return;
		}
	}
	if (crypt_gensalt_rn("$y$", 0, NULL, 0, accounts->stand_in, sizeof(accounts->stand_in)) ==
		NULL)
		die("no salt for a stand-in hash: %s", strerror(errno));
	accounts->stand_in_hash = accounts->stand_in;
}

static int
parse(struct accounts *accounts, struct bytes text, const char *file_name, char **reason)
{
	struct rules_error error = { 0 };
	int result = users_parse(text, file_name, &accounts->users, &error);
	if (result < 0)
		*reason = rules_error_text(&error);
	rules_error_free(&error);
	return result;
}

/* A user whose rights fill more than a message could never log in: refused now. */
static int
check_sizes(struct accounts *accounts, const char *file_name, char **reason)
{
	for (size_t i = 0; i < users_count(accounts->users); i++) {
		const struct user *user = users_at(accounts->users, i);
		struct account_user record;
		int error = user_may_log_in(user) ? accounts_identify(accounts,
							    bytes_of_text(user->name), &record)
						  : 0;
		if (error == 0)
			continue;
		if (asprintf(reason, "%s:%u: the rights of '%s' are too long in all", file_name,
			    user->line, user->name) < 0)
			*reason = NULL;
		return -EINVAL;
	}
	return 0;
}

int
accounts_load(const struct accounts_source *source, const struct verdict_configure *configure,
	struct accounts **result, char **reason)
{
	struct text text = { 0 };
	struct accounts *accounts = calloc(1, sizeof(*accounts));
	SCOPE_FREE char *file_name = bytes_copy_text(source->file_name);
	int error = accounts == NULL || file_name == NULL ? -ENOMEM : 0;
	if (error == 0) {
		accounts->host = bytes_copy_text(source->host);
		error = accounts->host == NULL ? -ENOMEM : config_create(&accounts->defaults);
	}
	if (error == 0)
		error = read_all(source->fd, &text);
	if (error < 0 && asprintf(reason, "%s: %s", file_name == NULL ? "users file" : file_name,
				 strerror(-error)) < 0)
		*reason = NULL;
	if (error == 0) {
		set_defaults(accounts->defaults, configure);
		error = parse(accounts, bytes_of(text.data, text.length), file_name, reason);
	}
	text_free(&text);
	if (error == 0)
		error = check_sizes(accounts, file_name, reason);
	if (error < 0) {
		accounts_free(&accounts);
		return error;
	}
	choose_stand_in(accounts);
	*result = accounts;
	return 0;
}

/* ---- questions ---- */

struct bytes
accounts_hash(const struct accounts *accounts, struct bytes name)
{
	const struct user *user = users_find(accounts->users, name);
	bool is_known = user != NULL && user_may_log_in(user) && user_has_password(user);
	return bytes_of_text(is_known ? user->hash : accounts->stand_in_hash);
}

static bool
is_called(const struct hash_proven *certificate, struct bytes wanted)
{
	static const char kind[] = "sha256/";
	struct wire_list names = certificate->names;
	struct hash_name name;
	if (wanted.length > strlen(kind) && memcmp(wanted.data, kind, strlen(kind)) == 0)
		return bytes_equal(certificate->fingerprint,
			bytes_of(wanted.data + strlen(kind), wanted.length - strlen(kind)));
	while (wire_list_next(&names, &hash_name_record, &name))
		if (bytes_equal(name.text, wanted))
			return true;
	return false;
}

bool
accounts_own(
	const struct accounts *accounts, struct bytes name, const struct hash_proven *certificate)
{
	const struct user *user = users_find(accounts->users, name);
	for (size_t i = 0; certificate->valid && user != NULL && i < user->certificate.count; i++)
		if (is_called(certificate, bytes_of_text(user->certificate.items[i])))
			return true;
	return false;
}

bool
accounts_suffice(
	const struct accounts *accounts, struct bytes name, bool has_password, bool has_certificate)
{
	const struct user *user = users_find(accounts->users, name);
	if (user == NULL || !user_may_log_in(user))
		return false;
	/* A password that fits a stand-in is nobody's. */
	bool is_password_good = has_password && user_has_password(user);
	return user->certificate_and_password ? is_password_good && has_certificate
					      : is_password_good || has_certificate;
}

static int
list_groups(struct accounts *accounts, const struct user *user, struct wire_list *result)
{
	struct wire_list_builder builder = {
		.buffer = accounts->groups,
		.capacity = sizeof(accounts->groups),
	};
	for (size_t i = 0; i < user->groups.count; i++) {
		struct account_group group = { .gid = user->groups.items[i] };
		int error = wire_list_add(&builder, &account_group_record, &group);
		if (error < 0)
			return error;
	}
	*result = wire_list_built(&builder);
	return 0;
}

static int
list_rights(struct accounts *accounts, const struct user *user, struct wire_list *result)
{
	/* What is left of a message's body beside the other fields of a record. */
	enum { RIGHTS_BYTES_MAX = MESSAGE_BODY_BYTES_MAX - 10240 };
	struct wire_list_builder builder = {
		.buffer = accounts->rights,
		.capacity = RIGHTS_BYTES_MAX,
	};
	for (size_t i = 0; i < rights_count(user->rights); i++) {
		struct rights_rule rule = rights_rule_at(user->rights, i);
		struct account_right right = { .folder = rule.folder, .bits = rule.bits };
		int error = wire_list_add(&builder, &account_right_record, &right);
		if (error < 0)
			return error;
	}
	*result = wire_list_built(&builder);
	return 0;
}

/* UTF-8 needs no name: it is what is stored. */
static int
name_charset(struct accounts *accounts, unsigned charset)
{
	SCOPE_FREE char *name = value_text(config_rule(OPTION_charset), &charset, 0);
	if (name == NULL)
		return -ENOMEM;
	ensure(strlen(name) < sizeof(accounts->charset));
	snprintf(accounts->charset, sizeof(accounts->charset), "%s",
		charset == CONFIG_CHARSET_UTF_8 ? "" : name);
	return 0;
}

int
accounts_identify(struct accounts *accounts, struct bytes name, struct account_user *result)
{
	const struct user *user = users_find(accounts->users, name);
	if (user == NULL || !user_may_log_in(user))
		return -ENOENT;
	struct user_settings settings = user_resolve(user, accounts->defaults);
	accounts->backend = settings.backend;
	int error = name_charset(accounts, settings.charset);
	if (error < 0)
		return error;
	struct account_user record = {
		.host = bytes_of_text(accounts->host),
		.name = bytes_of_text(user->name),
		.uid = user->uid,
		.gid = user->gid,
		.home = bytes_of_text(user->home),
		.backend = bytes_of_text(accounts->backend.name),
		.charset = bytes_of_text(accounts->charset),
		.path_threads = (uint32_t)settings.path_threads,
		.memory_limit_bytes = settings.memory_limit,
		.memory_load = bytes_of_text(user->given.memory_load ? user->memory_load : ""),
		.umask = (uint32_t)settings.umask,
		.symlinks = (enum symlink_policy)settings.symlinks,
		.sync = (enum sync_policy)settings.sync_uploads,
		.sessions_max = (uint32_t)settings.max_sessions_per_user,
		.tls = (enum tls_policy)settings.tls,
		.tls_data = (enum tls_policy)settings.tls_data,
		.tls_reuse = (enum tls_reuse)settings.tls_session_reuse,
		.tls_upload_end = (enum tls_end)settings.tls_upload_end,
		.keep_partial = settings.keep_partial,
		.mode_z = settings.mode_z,
		.local_times = settings.list_times == CONFIG_LIST_TIMES_LOCAL,
		.owner_names = settings.list_owners == CONFIG_LIST_OWNERS_NAMES,
	};
	error = list_groups(accounts, user, &record.groups);
	if (error == 0)
		error = list_rights(accounts, user, &record.rights);
	if (error == 0)
		*result = record;
	return error;
}
