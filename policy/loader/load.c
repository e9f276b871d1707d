/*
 * Reading what the server is to do (see load.h). Runs in `sallyportd --load`, a short-lived child,
 * as whoever the server was started as, and in `sallyportd --check`. Trusts the operator's files
 * and arguments to mean well, not to be right. The first mistake ends it, with file, line, reason.
 */
#include "policy/loader/load.h"

#include "ipc/base/scope.h"
#include "policy/loader/certificates.h"
#include "policy/loader/remarks.h"
#include "policy/rules/quick.h"
#include "policy/rules/users.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { USERS_FILE_BYTES_MAX = 64 << 20, NOBODY = 65534 };

static const char quick_users_name[] = "users of the quick start";

void
load_free(struct load **load)
{
	struct load *freed = *load;
	*load = NULL;
	if (freed == NULL)
		return;
	users_files_clear(&freed->users);
	credentials_clear(&freed->credentials);
	config_free(&freed->config);
	if (freed->banner != NULL)
		explicit_bzero(freed->banner, strlen(freed->banner));
	free(freed->banner);
	free(freed->remarks);
	free(freed);
}

/* ---- custom backends ---- */

static bool
module_is_there(const char *directory, const char *name)
{
	char file[64];
	struct stat status;
	SCOPE_FD int folder_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	snprintf(file, sizeof(file), "sallyport-backend-%s.so", name);
	return folder_fd >= 0 && fstatat(folder_fd, file, &status, 0) == 0;
}

/*
 * A slip is better told at start than at a login. Whether the file may be trusted, and what is in
 * it, is for the worker to judge, which loads it as its user.
 */
static int
check_backend(const struct config *config, const char *name, struct rules_error *error)
{
	const char *directory = config->backend_directory;
	if (backend_is_built_in(bytes_of_text(name)))
		return 0;
	SCOPE_FREE char *words = backend_words();
	if (words == NULL)
		return -ENOMEM;
	if (directory[0] == '\0')
		return rules_refuse_value(error, "backend", bytes_of_text(name),
			"is not one of: %s; a custom one needs backend_directory", words);
	if (module_is_there(directory, name))
		return 0;
	return rules_refuse(error,
		"backend: '%s' is not one of: %s; and %s/sallyport-backend-%s.so: %s", name, words,
		directory, name, strerror(errno));
}

static int
check_backends(const struct config *config, const struct users *users, const char *users_path,
	struct rules_error *error)
{
	int result = check_backend(config, config->backend.name, error);
	for (size_t i = 0; i < users_count(users) && result == 0; i++) {
		const struct user *user = users_at(users, i);
		struct user_settings settings = user_resolve(user, config);
		result = check_backend(config, settings.backend.name, error);
		if (result == 0 && user->given.memory_load &&
			!backend_is_in_memory(bytes_of_text(settings.backend.name)))
			result = rules_refuse(error, "memory_load: only for backend=memory");
		if (result < 0)
			rules_error_locate(error, users_path, user->line);
	}
	return result;
}

/* ---- the users file ---- */

/* Whoever may write the users file may become any user. */
static int
check_users_file(const struct stat *status, struct rules_error *error)
{
	if (!S_ISREG(status->st_mode))
		return rules_refuse(error, "is not a regular file");
	if ((status->st_mode & S_IWOTH) != 0)
		return rules_refuse(error, "everybody may write it: chmod o-w");
	if (status->st_size > USERS_FILE_BYTES_MAX)
		return rules_refuse(error, "is larger than %d bytes", USERS_FILE_BYTES_MAX);
	return 0;
}

static int
parse_users(struct load *load, int fd, const struct stat *status, const char *path,
	struct rules_error *error)
{
	struct users *users = NULL;
	size_t length = (size_t)status->st_size;
	void *text = length == 0 ? NULL : mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return rules_refuse_file(error, path, errno);
	int result = users_parse(bytes_of(text, length), path, &users, error);
	if (result == 0)
		result = check_backends(load->config, users, path, error);
	if (result == 0)
		result = remarks_add(&load->remarks, users, path, load->config);
	users_free(&users);
	if (text != NULL)
		munmap(text, length);
	return result;
}

static int
open_users_file(struct load *load, const char *host, const char *path, struct rules_error *error)
{
	struct stat status;
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) < 0)
		return rules_refuse_file(error, path, errno);
	int result = check_users_file(&status, error);
	if (result < 0)
		rules_error_locate(error, path, 0);
	else
		result = parse_users(load, fd, &status, path, error);
	return result < 0 ? result
			  : users_files_add(
				    &load->users, bytes_of_text(host), bytes_of_text(path), &fd);
}

static int
open_users_files(struct load *load, struct rules_error *error)
{
	const struct config *config = load->config;
	int result = open_users_file(load, "", config->users_file, error);
	for (size_t i = 0; i < config->host_count && result == 0; i++)
		if (config->hosts[i].given.users_file)
			result = open_users_file(
				load, config->hosts[i].name, config->hosts[i].users_file, error);
	return result;
}

/* Record opens its files there as its own user, and says less about what is wrong. */
static int
check_log_folder(const struct config *config, struct rules_error *error)
{
	const char *path = config->log_directory;
	uid_t owner = geteuid() == 0 ? config->record_user.uid : geteuid();
	struct stat status;
	if (path[0] == '\0')
		return 0;
	if (stat(path, &status) < 0)
		return rules_refuse(error,
			"log_directory: %s: %s; make it: install -d -o %u -m 750 %s", path,
			strerror(errno), owner, path);
	if (!S_ISDIR(status.st_mode))
		return rules_refuse(error, "log_directory: %s is not a folder", path);
	if (status.st_uid != owner)
		return rules_refuse(error,
			"log_directory: %s belongs to uid %u, not to record's: "
			"chown %u %s",
			path, status.st_uid, owner, path);
	return 0;
}

static int
read_file(const struct load_source *source, struct load *load, struct rules_error *error)
{
	int result = config_load(source->config_path, &load->config, error);
	if (result == 0)
		result = config_choose_admin_socket(load->config, geteuid() == 0, error);
	if (result == 0)
		result = config_resolve_group(load->config, error);
	if (result == 0 && geteuid() == 0)
		result = config_resolve_accounts(load->config, error);
	if (result == 0)
		result = check_log_folder(load->config, error);
	if (result == 0)
		result = config_check_certificates(load->config, error);
	if (result < 0)
		rules_error_locate(error, source->config_path, 0);
	if (result == 0)
		result = certificates_load(load->config, &load->credentials, error);
	return result == 0 ? open_users_files(load, error) : result;
}

/* ---- a quick start ---- */

struct paths {
	char root[PATH_MAX], load[PATH_MAX];
};

/* What a path of the command line leads to. */
static int
look_at(const char *option, const struct quick_values *values, char resolved[PATH_MAX],
	struct stat *status, struct rules_error *error)
{
	const char *path = values->items[0];
	if (realpath(path, resolved) == NULL || stat(resolved, status) < 0)
		return rules_refuse(error, "%s %s: %s", option, path, strerror(errno));
	return 0;
}

static void
run_as_owner(struct quick_home *home, const struct stat *status)
{
	if (!home->privileged)
		return;
	home->uid = status->st_uid;
	home->gid = status->st_gid;
}

static int
look_at_root(const struct quick_arguments *arguments, char resolved[PATH_MAX],
	struct quick_home *home, struct rules_error *error)
{
	struct stat status = { 0 };
	int result = look_at("--root", &arguments->root, resolved, &status, error);
	if (result == 0 && !S_ISDIR(status.st_mode))
		result = rules_refuse(error, "--root %s is not a folder", arguments->root.items[0]);
	/* As root it is its owner who must be able to. */
	if (result == 0 && !home->privileged && eaccess(resolved, X_OK) < 0)
		result = rules_refuse(
			error, "--root %s: %s", arguments->root.items[0], strerror(errno));
	if (result < 0)
		return result;
	home->root = resolved;
	run_as_owner(home, &status);
	return 0;
}

/* What belongs to root is loaded as nobody, who must be able to read it. */
static int
look_at_load(const struct quick_arguments *arguments, char resolved[PATH_MAX],
	struct quick_home *home, struct rules_error *error)
{
	struct stat status = { 0 };
	int result = look_at("--load", &arguments->load, resolved, &status, error);
	if (result == 0 && !S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
		result = rules_refuse(error, "--load %s is neither a folder nor a file",
			arguments->load.items[0]);
	if (result < 0)
		return result;
	home->load = resolved;
	if (status.st_uid != 0)
		run_as_owner(home, &status);
	return 0;
}

/* Folders are looked at as whoever started us, before the cage, which takes root's privileges. */
static int
look_at_home(const struct quick_arguments *arguments, struct paths *paths, struct quick_home *home,
	struct rules_error *error)
{
	bool privileged = geteuid() == 0;
	*home = (struct quick_home){
		.privileged = privileged,
		.uid = privileged ? NOBODY : geteuid(),
		.gid = privileged ? NOBODY : getegid(),
	};
	int result = 0;
	if (arguments->root.count > 0)
		result = look_at_root(arguments, paths->root, home, error);
	if (result == 0 && arguments->load.count > 0)
		result = look_at_load(arguments, paths->load, home, error);
	return result;
}

/* In single quotes for a shell. */
static void
print_quoted(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fputc(*text, out);
}

static void
print_memory(FILE *out, const struct config *config, const char *user)
{
	fputs("sallyport: files are in memory, and gone when the server ends or their worker "
	      "crashes\n",
		out);
	if (config->admin_socket[0] == '\0')
		return;
	fputs("sallyport: keep them: sallyport --socket '", out);
	print_quoted(out, config->admin_socket);
	fputs("' save '", out);
	print_quoted(out, user);
	fputs("' FILE.tar\n", out);
}

/* A password that was given is not repeated: the terminal may be somebody else's, too. */
static void
print_user(FILE *out, const struct quick_user *user)
{
	print_quoted(out, user->name);
	if (user->made)
		fprintf(out, ":%s", user->password);
}

static void
print_trust(FILE *out, const struct quick_user *user, const struct certificate_marks *marks)
{
	fprintf(out, "sallyport: TLS certificate made for this run, SHA-256 %s\n", marks->sha256);
	fprintf(out, "sallyport: try: curl --ssl-reqd --insecure --pinnedpubkey '%s' --user '",
		marks->pin);
	print_user(out, user);
	fprintf(out,
		"' ftp://{address}/\n"
		"sallyport: try: lftp -e 'set ftp:ssl-force yes; set "
		"ssl:verify-certificate/%s no' -u '",
		marks->sha1);
	print_quoted(out, user->name);
	/* With a slash lftp would connect before it has heard which certificate to trust. */
	fprintf(out, "%s%s' ftp://{address}\n", user->made ? "," : "",
		user->made ? user->password : "");
}

static void
print_banner(FILE *out, const struct quick *quick, const struct quick_home *home,
	const struct certificate_marks *marks)
{
	const struct quick_user *first = &quick->users[0];
	for (size_t i = 0; i < quick->user_count; i++)
		fprintf(out, "sallyport: user %s, password %s\n", quick->users[i].name,
			quick->users[i].made ? quick->users[i].password : "as given");
	if (backend_is_in_memory(bytes_of_text(quick->config->backend.name)))
		print_memory(out, quick->config, first->name);
	else
		fprintf(out, "sallyport: serving %s\n", home->root);
	if (home->load != NULL)
		fprintf(out, "sallyport: each user begins with a copy of %s\n", home->load);
	fputs("sallyport: try: curl --user '", out);
	print_user(out, first);
	fputs("' ftp://{address}/\n", out);
	if (marks != NULL)
		print_trust(out, first, marks);
}

static int
take_quick(struct quick *quick, const struct quick_home *home, struct load *load)
{
	struct certificate_marks marks;
	size_t length = 0, text_length = strlen(quick->users_text);
	bool has_tls = quick->config->tls != CONFIG_TLS_OFF;
	FILE *out = open_memstream(&load->banner, &length);
	if (out == NULL)
		return -ENOMEM;
	int result = has_tls ? certificates_make(&load->credentials, &marks) : 0;
	print_banner(out, quick, home, has_tls && result == 0 ? &marks : NULL);
	if (fclose(out) != 0 || result < 0)
		return result < 0 ? result : -ENOMEM;
	load->config = quick->config;
	quick->config = NULL;
	SCOPE_FD int fd = memfd_create("users", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, quick->users_text, text_length);
	if (written != (ssize_t)text_length)
		return -ENOMEM;
	return users_files_add(
		&load->users, bytes_of_text(""), bytes_of_text(quick_users_name), &fd);
}

static int
read_quick(struct load *load, const struct quick_arguments *arguments,
	const struct quick_home *home, struct rules_error *error)
{
	struct quick *quick = NULL;
	int result = quick_build(arguments, home, &quick, error);
	if (result == 0)
		result = take_quick(quick, home, load);
	quick_free(&quick);
	return result;
}

/* ---- both ---- */

static int
read_source(const struct load_source *source, int (*enter)(struct rules_error *error),
	struct load *load, struct rules_error *error)
{
	struct quick_arguments arguments = { 0 };
	struct quick_home home = { 0 };
	struct paths paths;
	int result = 0;
	if (source->config_path == NULL)
		result = quick_parse(
			source->quick_count, source->quick_arguments, &arguments, error);
	if (source->config_path == NULL && result == 0)
		result = look_at_home(&arguments, &paths, &home, error);
	if (result == 0 && enter != NULL)
		result = enter(error);
	if (result < 0)
		return result;
	return source->config_path != NULL ? read_file(source, load, error)
					   : read_quick(load, &arguments, &home, error);
}

int
load_read(const struct load_source *source, int (*enter)(struct rules_error *error),
	struct load **result, struct rules_error *error)
{
	struct load *load = calloc(1, sizeof(*load));
	if (load == NULL)
		return -ENOMEM;
	int failure = read_source(source, enter, load, error);
	if (failure < 0)
		load_free(&load);
	else
		*result = load;
	return failure;
}
