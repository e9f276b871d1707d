/*
 * Showing a cage (see show.h). Runs in the command of whoever asked. A custom backend is code, and
 * the only program that ever loads one is the worker: it is started to say what its backend adds,
 * as nobody if root asks, and with what is wrong with the backend on standard error.
 */
#include "policy/loader/show.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "policy/cage/launch.h"
#include "policy/rules/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

enum { NOBODY = 65534, CALLS_MAX = 256 };

/* Its words are those of worker/main.c. */
static pid_t
start_worker(struct config *config, const struct launch_ground *ground, int output_fd)
{
	static char file[] = "sallyport-worker";
	static char show_calls[] = "--show-calls";
	struct launch_program program = { .file = file, .folder = "worker" };
	const char *missing = file;
	const struct cage_identity nobody = { .uid = NOBODY, .gid = NOBODY };
	char owner[16];
	char *const arguments[] = { file, show_calls, config->backend.name,
		config->backend_directory, owner, NULL };
	snprintf(owner, sizeof(owner), "%u", geteuid());
	int error = launch_find(&program, 1, &missing);
	if (error < 0)
		die("%s: %s", missing, strerror(-error));
	return launch_start(&(struct launch_plan){
		.program_fd = program.fd,
		.name = file,
		.arguments = arguments,
		.ground = ground,
		.channel_fd = output_fd,
		.identity = geteuid() == 0 ? &nobody : NULL,
	});
}

/* The names of the calls, one a line. The caller frees it. */
static char *
ask_worker(struct config *config)
{
	struct launch_ground ground;
	int ends[2], status = 0;
	char *text = NULL;
	size_t room = 0;
	int error = launch_prepare(&ground);
	if (error < 0 || pipe2(ends, O_CLOEXEC) < 0)
		die("no worker can be asked: %s", strerror(error < 0 ? -error : errno));
	pid_t worker = start_worker(config, &ground, ends[1]);
	fd_close(&ends[1]);
	FILE *from = fdopen(ends[0], "r");
	if (worker < 0 || from == NULL)
		die("no worker can be asked: memory is short");
	ssize_t length = getdelim(&text, &room, '\0', from);
	fclose(from);
	if (waitpid(worker, &status, 0) != worker || status != 0)
		exit(EXIT_FAILURE); /* it has said why */
	if (length < 0) {
		free(text);
		text = strdup("");
	}
	return text;
}

static struct config *
read_config(const char *path)
{
	struct rules_error error = { 0 };
	struct config *config = NULL;
	if (config_load(path, &config, &error) < 0) {
		SCOPE_FREE char *text = rules_error_text(&error);
		die("%s", text == NULL ? "memory is short" : text);
	}
	return config;
}

/* NULL: there is no custom backend. */
static char *
read_calls(const char *config_path)
{
	struct config *config = read_config(config_path);
	char *text = NULL;
	if (!backend_is_built_in(bytes_of_text(config->backend.name)))
		text = ask_worker(config);
	config_free(&config);
	return text;
}

int
show_cage(enum cage_role role, const char *config_path)
{
	const char *calls[CALLS_MAX];
	struct cage_additions additions = { .calls = calls };
	SCOPE_FREE char *text = NULL;
	if (role == CAGE_WORKER && config_path != NULL)
		text = read_calls(config_path);
	for (char *rest = text; rest != NULL && *rest != '\0' && additions.count < CALLS_MAX;)
		calls[additions.count++] = strsep(&rest, "\n");
	cage_print(stdout, role, &additions);
	return EXIT_SUCCESS;
}
