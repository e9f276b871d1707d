/*
 * The configuration file (see config.h). Runs in the short-lived `sallyportd --load` alone, which
 * opens this file and nothing else here. libConfuse splits the text into names and values; what a
 * value may be is the table's business (config.c). The first mistake ends it, with file and line.
 */
#include "ipc/base/content.h"
#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/rules/config_hosts.h"
#include "policy/rules/config_text.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

enum { CONFIG_FILE_BYTES_MAX = 1 << 20 };

struct loading {
	const char *path;
	struct config *config;
	struct rules_error *error;
	const cfg_t *section; /* of the host that began last; NULL: none has */
};

/*
 * What is being loaded. libConfuse hands its callbacks no pointer of ours, and its own lexer is
 * made of globals, so that there is one parse at a time anyway.
 */
static struct loading *loading;

/* The whole file as a C string in *text, which the caller frees. */
static int
read_file(const char *path, char **text, struct rules_error *error)
{
	/* O_NONBLOCK: a FIFO by that name must not hold up the start. */
	SCOPE_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0)
		return rules_refuse_file(error, path, errno);
	if (!S_ISREG(status.st_mode)) {
		rules_error_locate(error, path, 0);
		return rules_refuse(error, "is not a regular file");
	}
	SCOPE_FREE char *buffer = malloc(CONFIG_FILE_BYTES_MAX + 1);
	if (buffer == NULL)
		return -ENOMEM;
	ssize_t length = content_read_into(fd, buffer, CONFIG_FILE_BYTES_MAX + 1);
	if (length < 0)
		return rules_refuse_file(error, path, (int)-length);
	unsigned line = 0;
	int result = length > CONFIG_FILE_BYTES_MAX
			     ? rules_refuse(error, "is longer than %d bytes", CONFIG_FILE_BYTES_MAX)
			     : config_text_clean(buffer, (size_t)length, &line, error);
	if (result < 0) {
		rules_error_locate(error, path, line);
		return result;
	}
	buffer[length] = '\0';
	*text = buffer;
	buffer = NULL;
	return 0;
}

static int
refuse_unknown(const cfg_t *cfg, struct bytes name)
{
	unsigned option = 0;
	int found = config_find(name, &option, loading->error);
	if (found < 0)
		return found;
	ensure(strcmp(cfg->name, "host") == 0);
	return rules_refuse(
		loading->error, "%s: is the server's, not a host's", config_rule(option)->name);
}

/* What libConfuse itself complains of: unknown names, and marks where there should be none. */
PRINTF_LIKE(2, 0)
static void
on_error(cfg_t *cfg, const char *format, va_list arguments)
{
	static const char unknown[] = "no such option '";
	SCOPE_FREE char *complaint = NULL;
	if (vasprintf(&complaint, format, arguments) < 0) {
		complaint = NULL;
		return;
	}
	if (strncmp(complaint, unknown, sizeof(unknown) - 1) != 0) {
		rules_refuse(loading->error, "%s", complaint);
	} else {
		const char *name = complaint + sizeof(unknown) - 1;
		int refused = refuse_unknown(cfg, bytes_of(name, strcspn(name, "'")));
		ensure(refused < 0);
	}
	rules_error_locate(loading->error, loading->path, (unsigned)cfg->line);
}

/* The host of a section, which begins with the first that is heard of it. */
static int
enter_section(cfg_t *cfg)
{
	if (loading->section == cfg)
		return 0;
	loading->section = cfg;
	return config_add_host(loading->config, bytes_of_text(cfg_title(cfg)), loading->error);
}

/* NULL: not of a host. */
static struct config_host *
host_of(cfg_t *cfg)
{
	return cfg_title(cfg) == NULL ? NULL : config_last_host(loading->config);
}

static int
accept_value(cfg_t *cfg, unsigned option, struct bytes value)
{
	struct config_host *host = host_of(cfg);
	return host == NULL ? config_accept_own(loading->config, option, value, loading->error)
			    : config_accept_of_host(host, option, value, loading->error);
}

static bool
is_given(cfg_t *cfg, unsigned option)
{
	const struct config_host *host = host_of(cfg);
	return host == NULL ? loading->config->given[option] : config_host_gives(host, option);
}

/* One value, or one element of a list. It is ours now: libConfuse may keep an empty text. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *kept)
{
	*(const char **)kept = "";
	unsigned option = 0;
	int result = cfg_title(cfg) == NULL ? 0 : enter_section(cfg);
	if (result == 0)
		result = config_find(bytes_of_text(opt->name), &option, loading->error);
	/* `=` empties libConfuse's list, so that its first element comes when ours is not empty. */
	if (result == 0 && is_given(cfg, option) && cfg_opt_size(opt) == 1)
		result = rules_refuse(loading->error, "%s: set a second time", opt->name);
	if (result == 0)
		result = accept_value(cfg, option, bytes_of_text(value));
	if (result < 0)
		rules_error_locate(loading->error, loading->path, (unsigned)cfg->line);
	return result;
}

/* `name = {}` calls no callback, and leaves no line. */
static int
accept_empty_lists(cfg_t *cfg)
{
	int result = 0;
	for (const cfg_opt_t *opt = cfg->opts; opt->name != NULL && result == 0; opt++) {
		unsigned option = 0;
		bool emptied = opt->type == CFGT_STR && (opt->flags & CFGF_MODIFIED) != 0 &&
			       opt->nvalues == 0;
		if (!emptied)
			continue;
		result = config_find(bytes_of_text(opt->name), &option, loading->error);
		if (result == 0)
			result = accept_value(cfg, option, bytes_of_text(""));
	}
	return result;
}

/* A section has ended, in which perhaps nothing was said. */
static int
on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	int result = enter_section(section);
	if (result == 0)
		result = accept_empty_lists(section);
	if (result < 0)
		rules_error_locate(loading->error, loading->path, (unsigned)cfg->line);
	return result;
}

static cfg_opt_t
describe_option(unsigned option)
{
	const char *name = config_rule(option)->name;
	if (value_is_list(config_rule(option)->type))
		return (cfg_opt_t)CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, on_value);
	return (cfg_opt_t)CFG_STR_CB(name, NULL, CFGF_NODEFAULT, on_value);
}

/* Those of hosts into `of_hosts`, which lives as long as the rows. */
static void
describe_options(cfg_opt_t rows[OPTION_COUNT + 2], cfg_opt_t of_hosts[OPTION_COUNT + 1])
{
	size_t count = 0;
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		rows[i] = describe_option(i);
		if (config_is_of_hosts(i))
			of_hosts[count++] = describe_option(i);
	}
	of_hosts[count] = (cfg_opt_t)CFG_END();
	rows[OPTION_COUNT] =
		(cfg_opt_t)CFG_SEC("host", of_hosts, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
	rows[OPTION_COUNT + 1] = (cfg_opt_t)CFG_END();
}

static int
parse_text(const char *text)
{
	cfg_opt_t rows[OPTION_COUNT + 2], of_hosts[OPTION_COUNT + 1];
	describe_options(rows, of_hosts);
	cfg_t *cfg = cfg_init(rows, CFGF_NONE);
	if (cfg == NULL)
		return -ENOMEM;
	cfg_set_error_function(cfg, on_error);
	cfg_set_validate_func(cfg, "host", on_section);
	int result = cfg_parse_buf(cfg, text) == CFG_SUCCESS
			     ? accept_empty_lists(cfg)
			     : rules_refuse(loading->error, "not a configuration");
	cfg_free(cfg);
	return result;
}

/* What the options say together, hosts included. */
static int
check_whole(struct config *config, struct rules_error *error)
{
	int outcome = config_merge_hosts(config, error);
	if (outcome == 0)
		outcome = config_check(config, error);
	if (outcome == 0 && config->users_file[0] == '\0')
		outcome = rules_refuse(error, "users_file: may not be empty in a file");
	for (size_t i = 0; i < config->host_count && outcome == 0; i++)
		if (config->hosts[i].given.users_file && config->hosts[i].users_file[0] == '\0')
			outcome = rules_refuse(error, "host \"%s\": users_file: may not be empty",
				config->hosts[i].name);
	return outcome;
}

int
config_load(const char *path, struct config **result, struct rules_error *error)
{
	SCOPE_FREE char *text = NULL;
	int outcome = read_file(path, &text, error);
	if (outcome < 0)
		return outcome;
	struct config *config = NULL;
	outcome = config_create(&config);
	if (outcome < 0)
		return outcome;
	loading = &(struct loading){ .path = path, .config = config, .error = error };
	outcome = parse_text(text);
	loading = NULL;
	if (outcome == 0)
		outcome = check_whole(config, error);
	if (outcome < 0) {
		rules_error_locate(error, path, 0);
		config_free(&config);
		return outcome;
	}
	*result = config;
	return 0;
}
