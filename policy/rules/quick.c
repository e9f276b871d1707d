/*
 * What the quick start serves (see quick.h). Runs in the loader of `sallyportd --quick`. The
 * arguments are the operator's; they go through the same validators as a configuration file.
 */
#include "policy/rules/quick.h"

#include "ipc/base/scope.h"
#include "policy/rules/password.h"
#include "policy/rules/users.h"

#include <errno.h>
#include <stdlib.h>

enum {
	NOBODY = 65534, /* also the number of its group */
	UID_MIN_USUAL = 1000,
};

static const char *const listen_usual[] = { "127.0.0.1:2121", "[::1]:2121" };
static const char *const user_usual[] = { "demo" };

static int
accept_text(struct quick *quick, unsigned option, const char *value, struct rules_error *error)
{
	return config_accept(quick->config, option, bytes_of_text(value), error);
}

static int
accept_values(struct quick *quick, unsigned option, const char *const *values, size_t count,
	struct rules_error *error)
{
	int result = 0;
	for (size_t i = 0; i < count && result == 0; i++)
		result = accept_text(quick, option, values[i], error);
	return result;
}

static int
choose_backend(
	struct quick *quick, const struct quick_arguments *arguments, struct rules_error *error)
{
	bool has_root = arguments->root.count > 0;
	const char *usual = has_root ? "threaded" : "memory";
	const char *backend = arguments->backend.count > 0 ? arguments->backend.items[0] : usual;
	int result = accept_text(quick, OPTION_backend, backend, error);
	if (result == 0 && !backend_is_built_in(bytes_of_text(backend)))
		result =
			config_check(quick->config, error); /* there is no folder to load it from */
	if (result < 0)
		return result;
	bool memory = backend_is_in_memory(bytes_of_text(backend));
	if (memory && has_root)
		return rules_refuse(error,
			"--backend memory serves no folder: leave out --root, or name with --load "
			"the folder with which memory begins");
	if (!memory && arguments->load.count > 0)
		return rules_refuse(
			error, "--load fills memory: --backend %s has no use for it", backend);
	if (!memory && !has_root)
		return rules_refuse(error, "--backend %s serves a folder: add --root DIR", backend);
	return 0;
}

static uint32_t
gid_of(const struct quick_home *home)
{
	return home->privileged && home->gid == 0 ? NOBODY : home->gid;
}

/* No lower than the ids in use ask for, never root's. */
static uint32_t
uid_min_of(const struct quick_home *home)
{
	uint32_t least = home->uid < gid_of(home) ? home->uid : gid_of(home);
	if (least > UID_MIN_USUAL)
		return UID_MIN_USUAL;
	return least == 0 ? 1 : least;
}

/* What follows from what the caller found out. */
static int
accept_home(struct quick *quick, const struct quick_arguments *arguments,
	const struct quick_home *home, struct rules_error *error)
{
	const struct quick_values *admin = &arguments->admin_socket;
	char uid_min[16];
	snprintf(uid_min, sizeof(uid_min), "%u", uid_min_of(home));
	/* The numbers of our own processes are ones that no distribution gives to anybody. */
	const struct {
		unsigned option;
		const char *value;
	} rows[] = {
		{ OPTION_roots, home->root == NULL ? "/" : home->root },
		{ OPTION_users_file, "" },
		{ OPTION_log_directory, "" },
		{ OPTION_admin_socket, admin->count == 0 ? "" : admin->items[0] },
		{ OPTION_uid_min, uid_min },
		{ OPTION_gateway_user, home->privileged ? "65521:65521" : NULL },
		{ OPTION_auth_user, home->privileged ? "65522:65522" : NULL },
		{ OPTION_record_user, home->privileged ? "65523:65523" : NULL },
		{ OPTION_keys_user, home->privileged ? "65524:65524" : NULL },
	};
	int result = 0;
	for (size_t i = 0; i < ARRAY_LENGTH(rows) && result == 0; i++)
		if (rows[i].value != NULL)
			result = accept_text(quick, rows[i].option, rows[i].value, error);
	return result;
}

static int
build_config(struct quick *quick, const struct quick_arguments *arguments,
	const struct quick_home *home, struct rules_error *error)
{
	const struct quick_values *listen = &arguments->listen;
	const struct quick_values *ports = &arguments->passive_ports;
	const struct quick_values *announced = &arguments->passive_address;
	int result = choose_backend(quick, arguments, error);
	if (result == 0 && listen->count > 0)
		result = accept_values(quick, OPTION_listen, listen->items, listen->count, error);
	else if (result == 0)
		result = accept_values(
			quick, OPTION_listen, listen_usual, ARRAY_LENGTH(listen_usual), error);
	if (result == 0)
		result = accept_values(
			quick, OPTION_passive_ports, ports->items, ports->count, error);
	if (result == 0)
		result = accept_values(
			quick, OPTION_passive_address, announced->items, announced->count, error);
	if (result == 0 && arguments->tls.count > 0)
		result = accept_text(quick, OPTION_tls, "optional", error);
	if (result == 0)
		result = accept_home(quick, arguments, home, error);
	return result < 0 ? result : config_check(quick->config, error);
}

/* The password that was given, or a new one. */
static int
choose_password(struct quick_user *user, const char *given, struct rules_error *error)
{
	char made[PASSWORD_MADE_BYTES + 1];
	user->made = given == NULL;
	int result = user->made ? password_make(made) : 0;
	if (result < 0)
		return rules_refuse(error, "no random password: %s", strerror(-result));
	user->password = strdup(user->made ? made : given);
	explicit_bzero(made, sizeof(made));
	if (user->password == NULL)
		return -ENOMEM;
	struct bytes password = bytes_of_text(user->password);
	if (password.length > 0 && value_is_clean_text(password))
		return 0;
	return rules_refuse(
		error, "--user: the password of '%s' is empty or not UTF-8", user->name);
}

/* NAME[:PASSWORD] */
static int
add_user(struct quick *quick, const char *argument, struct rules_error *error)
{
	struct quick_user *user = &quick->users[quick->user_count++];
	const char *colon = strchr(argument, ':');
	user->name = strndup(argument, strcspn(argument, ":"));
	if (user->name == NULL)
		return -ENOMEM;
	if (!user_name_is_good(bytes_of_text(user->name)))
		return rules_refuse_value(
			error, "--user", bytes_of_text(user->name), "is no name for a user");
	return choose_password(user, colon == NULL ? NULL : colon + 1, error);
}

/* Blanks, colons and backslashes of a path as the users file wants them. */
static void
print_path(FILE *out, const char *path)
{
	for (; *path != '\0'; path++)
		if (strchr(" \t:\\", *path) != NULL)
			fprintf(out, "\\%03o", (unsigned char)*path);
		else
			fputc(*path, out);
}

static int
print_user(FILE *out, const struct quick_user *user, const struct quick_home *home,
	struct rules_error *error)
{
	SCOPE_FREE char *hash = NULL;
	int result = password_hash(user->password, &hash);
	if (result < 0)
		return rules_refuse(error, "--user: the password of '%s' cannot be hashed: %s",
			user->name, strerror(-result));
	fprintf(out, "%s:%s:%u:%u::", user->name, hash, home->uid, gid_of(home));
	print_path(out, home->root == NULL ? "/" : home->root);
	fputc(':', out);
	if (home->load != NULL) {
		fputs("memory_load=", out);
		print_path(out, home->load);
	}
	fputc('\n', out);
	return 0;
}

static int
print_users(struct quick *quick, const struct quick_home *home, struct rules_error *error)
{
	size_t length = 0;
	FILE *out = open_memstream(&quick->users_text, &length);
	if (out == NULL)
		return -ENOMEM;
	int result = 0;
	for (size_t i = 0; i < quick->user_count && result == 0; i++)
		result = print_user(out, &quick->users[i], home, error);
	return fclose(out) == 0 ? result : -ENOMEM;
}

static int
build_users(struct quick *quick, const struct quick_arguments *arguments,
	const struct quick_home *home, struct rules_error *error)
{
	bool usual = arguments->user.count == 0;
	const char *const *users = usual ? user_usual : arguments->user.items;
	size_t count = usual ? ARRAY_LENGTH(user_usual) : arguments->user.count;
	int result = 0;
	for (size_t i = 0; i < count && result == 0; i++)
		result = add_user(quick, users[i], error);
	if (result == 0)
		result = print_users(quick, home, error);
	if (result < 0)
		return result;
	/* What we wrote must read back; this also finds a name given twice. */
	struct users *read_back = NULL;
	result = users_parse(bytes_of_text(quick->users_text), "--user", &read_back, error);
	if (result == 0)
		users_free(&read_back);
	return result;
}

/* For a shell: in single quotes, with those inside as '\''. */
static char *
shell_quote(const char *text)
{
	char *quoted = malloc(strlen(text) * 4 + 3);
	if (quoted == NULL)
		return NULL;
	char *out = quoted;
	*out++ = '\'';
	for (; *text != '\0'; text++) {
		*out++ = *text;
		if (*text == '\'')
			out = stpcpy(out, "\\''");
	}
	stpcpy(out, "'");
	return quoted;
}

/* Root's own folder would need a worker that runs as root. */
static int
check_owner(const struct quick_home *home, struct rules_error *error)
{
	if (!home->privileged || home->uid != 0)
		return 0;
	SCOPE_FREE char *quoted = shell_quote(home->root == NULL ? "/" : home->root);
	if (quoted == NULL)
		return -ENOMEM;
	if (home->root == NULL || strcmp(home->root, "/") == 0)
		return rules_refuse(error,
			"--root: nobody is served as root, to whom / belongs; make a "
			"folder: install -d -o nobody /srv/ftp");
	return rules_refuse(error,
		"--root: %s belongs to root, as whom nobody is served; give it to somebody: "
		"chown nobody: %s",
		quoted, quoted);
}

int
quick_build(const struct quick_arguments *arguments, const struct quick_home *home,
	struct quick **result, struct rules_error *error)
{
	struct quick *quick = calloc(1, sizeof(*quick));
	if (quick == NULL)
		return -ENOMEM;
	int outcome = check_owner(home, error);
	if (outcome == 0)
		outcome = config_create(&quick->config);
	if (outcome == 0)
		outcome = build_config(quick, arguments, home, error);
	if (outcome == 0)
		outcome = build_users(quick, arguments, home, error);
	if (outcome < 0) {
		quick_free(&quick);
		return outcome;
	}
	*result = quick;
	return 0;
}

static void
wipe_text(char **text)
{
	if (*text != NULL)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void
quick_free(struct quick **quick)
{
	if (*quick == NULL)
		return;
	for (size_t i = 0; i < (*quick)->user_count; i++) {
		free((*quick)->users[i].name);
		wipe_text(&(*quick)->users[i].password);
	}
	wipe_text(&(*quick)->users_text);
	config_free(&(*quick)->config);
	free(*quick);
	*quick = NULL;
}
