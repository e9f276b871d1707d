/*
 * The admin socket (admin_socket.h, HOSTILE 32): whose it is, what it replaces, who is told of who
 * comes, and that nothing stays of it.
 */
#include "ipc/base/scope.h"
#include "policy/sessions/admins.h"
#include "policy/supervisor/supervisor.h"
#include "tests/table.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct scene {
	struct supervisor supervisor;
	struct settings settings;
	char folder[64];
	char path[128];
	unsigned admitted;
	struct admin_peer peer;
	uint32_t groups[16];
} scene;

void
admins_admit(UNUSED struct admins *admins, const struct admin_peer *peer, int *fd)
{
	assert_int_equal(descriptor_check(*fd, DESCRIPTOR_CHANNEL), 0);
	assert_true((fcntl(*fd, F_GETFL) & O_NONBLOCK) != 0);
	assert_true((fcntl(*fd, F_GETFD) & FD_CLOEXEC) != 0);
	fd_close(fd);
	scene.admitted++;
	scene.peer = *peer;
	assert_true(peer->group_count <= ARRAY_LENGTH(scene.groups));
	memcpy(scene.groups, peer->groups, peer->group_count * sizeof(scene.groups[0]));
}

static void
configure(const char *path, const char *group)
{
	struct rules_error error = { 0 };
	config_free(&scene.settings.config);
	assert_int_equal(config_create(&scene.settings.config), 0);
	assert_int_equal(config_accept(scene.settings.config, OPTION_admin_socket,
				 bytes_of_text(path), &error),
		0);
	assert_int_equal(config_accept(scene.settings.config, OPTION_admin_group,
				 bytes_of_text(group), &error),
		0);
}

static void
open_scene(void)
{
	memset(&scene, 0, sizeof(scene));
	snprintf(scene.folder, sizeof(scene.folder), "/tmp/sallyport-test-XXXXXX");
	assert_non_null(mkdtemp(scene.folder));
	assert_int_equal(chmod(scene.folder, 0755), 0);
	snprintf(scene.path, sizeof(scene.path), "%s/new/admin.sock", scene.folder);
	scene.supervisor.base = event_base_new();
	scene.supervisor.settings = &scene.settings;
	configure(scene.path, "");
}

static void
close_scene(void)
{
	char new_folder[80];
	admin_socket_close(&scene.supervisor);
	admin_socket_close(&scene.supervisor);
	assert_int_equal(access(scene.path, F_OK), -1);
	snprintf(new_folder, sizeof(new_folder), "%s/new", scene.folder);
	(void)rmdir(new_folder);
	assert_int_equal(rmdir(scene.folder), 0);
	config_free(&scene.settings.config);
	event_base_free(scene.supervisor.base);
}

static struct sockaddr_un
name_of(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	memcpy(name.sun_path, path, strlen(path));
	return name;
}

static int
connect_to(const char *path)
{
	const struct sockaddr_un name = name_of(path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	if (connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static struct stat
stat_of(const char *path)
{
	struct stat status;
	assert_int_equal(lstat(path, &status), 0);
	return status;
}

/* ---- mode and owner ---- */

static void
check_mode(UNUSED void **state)
{
	char folder[80];
	open_scene();
	mode_t usual = umask(027);
	assert_int_equal(admin_socket_open(&scene.supervisor), 0);
	assert_int_equal(umask(usual), 027);
	struct stat status = stat_of(scene.path);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_uid, geteuid());
	snprintf(folder, sizeof(folder), "%s/new", scene.folder);
	assert_int_equal(stat_of(folder).st_mode & 07777, 0755);
	close_scene();
}

static void
check_group(UNUSED void **state)
{
	char gid[16];
	open_scene();
	/* One that we may give it to. */
	snprintf(gid, sizeof(gid), "%u", geteuid() == 0 ? 4711 : getegid());
	configure(scene.path, gid);
	assert_int_equal(admin_socket_open(&scene.supervisor), 0);
	struct stat status = stat_of(scene.path);
	assert_int_equal(status.st_mode & 07777, 0660);
	assert_int_equal(status.st_gid, strtoul(gid, NULL, 10));
	close_scene();
}

static void
check_none(UNUSED void **state)
{
	open_scene();
	configure("", "");
	assert_int_equal(admin_socket_open(&scene.supervisor), 0);
	assert_null(scene.supervisor.admin_socket.knock);
	admin_socket_tick(&scene.supervisor);
	close_scene();
}

/* ---- what is there already ---- */

static void
make_dead_socket(void)
{
	const struct sockaddr_un name = name_of(scene.path);
	SCOPE_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 1), 0);
}

static int living_fd = -1;

static void
make_living(int type)
{
	const struct sockaddr_un name = name_of(scene.path);
	living_fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(living_fd, (const struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(living_fd, 0), 0);
}

static void
make_living_socket(void)
{
	make_living(SOCK_SEQPACKET);
}

static void
make_busy_socket(void)
{
	make_living(SOCK_SEQPACKET);
	while (connect_to(scene.path) >= 0)
		continue; /* they stay open until the program ends: few */
}

static void
make_other_socket(void)
{
	make_living(SOCK_STREAM);
}

static void
make_file(void)
{
	SCOPE_FD int fd = open(scene.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
}

static void
make_folder(void)
{
	assert_int_equal(mkdir(scene.path, 0700), 0);
}

static void
make_link(void)
{
	assert_int_equal(symlink("elsewhere", scene.path), 0);
}

struct there_row {
	const char *name;
	void (*make)(void);
	int want;
};

static const struct there_row there_rows[] = {
	{ "the socket of a server that is dead", make_dead_socket, 0 },
	{ "the socket of one that lives", make_living_socket, -EADDRINUSE },
	{ "the socket of one that lives and is busy", make_busy_socket, -EADDRINUSE },
	{ "a socket of another kind", make_other_socket, -EADDRINUSE },
	{ "a file", make_file, -EADDRINUSE },
	{ "a folder", make_folder, -EADDRINUSE },
	{ "a symbolic link", make_link, -EADDRINUSE },
};

static void
check_there(void **state)
{
	const struct there_row *row = *state;
	char folder[80];
	open_scene();
	snprintf(folder, sizeof(folder), "%s/new", scene.folder);
	assert_int_equal(mkdir(folder, 0755), 0);
	row->make();
	ino_t before = stat_of(scene.path).st_ino;
	assert_int_equal(admin_socket_open(&scene.supervisor), row->want);
	if (row->want == 0) {
		SCOPE_FD int fd = connect_to(scene.path);
		assert_true(fd >= 0);
	} else {
		assert_int_equal(stat_of(scene.path).st_ino, before);
		assert_int_equal(remove(scene.path), 0);
	}
	fd_close(&living_fd);
	close_scene();
}

/* ---- who comes ---- */

static void
accept_all(void)
{
	while (event_base_loop(scene.supervisor.base, EVLOOP_NONBLOCK) == 0 &&
		event_base_get_num_events(scene.supervisor.base, EVENT_BASE_COUNT_ACTIVE) > 0)
		continue;
}

static void
check_peer(UNUSED void **state)
{
	gid_t groups[64];
	open_scene();
	assert_int_equal(admin_socket_open(&scene.supervisor), 0);
	SCOPE_FD int fd = connect_to(scene.path);
	SCOPE_FD int other = connect_to(scene.path);
	assert_true(fd >= 0 && other >= 0);
	for (int i = 0; i < 4; i++)
		event_base_loop(scene.supervisor.base, EVLOOP_NONBLOCK);
	assert_int_equal(scene.admitted, 2);
	assert_int_equal(scene.peer.uid, geteuid());
	assert_int_equal(scene.peer.gid, getegid());
	assert_int_equal(scene.peer.pid, getpid());
	int count = getgroups(ARRAY_LENGTH(groups), groups);
	assert_int_equal(scene.peer.group_count, count);
	close_scene();
}

static void
become_somebody_and_connect(void)
{
	static const gid_t groups[] = { 4711, 4712 };
	if (setgroups(ARRAY_LENGTH(groups), groups) == 0 && setgid(4713) == 0 && setuid(4714) == 0)
		_exit(connect_to(scene.path) >= 0 ? 0 : errno);
	_exit(255);
}

/* Who may not even connect, and who may because the file says so: the kernel tells who it is. */
static void
check_other_user(UNUSED void **state)
{
	int status;
	if (geteuid() != 0)
		case_skip("root");
	open_scene();
	assert_int_equal(admin_socket_open(&scene.supervisor), 0);
	for (int open_to_all = 0; open_to_all < 2; open_to_all++) {
		if (open_to_all)
			assert_int_equal(chmod(scene.path, 0666), 0);
		pid_t pid = fork();
		if (pid == 0)
			become_somebody_and_connect();
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), open_to_all ? 0 : EACCES);
		accept_all();
	}
	assert_int_equal(scene.admitted, 1);
	assert_int_equal(scene.peer.uid, 4714);
	assert_int_equal(scene.peer.gid, 4713);
	assert_int_equal(scene.peer.group_count, 2);
	assert_int_equal(scene.groups[0], 4711);
	assert_int_equal(scene.groups[1], 4712);
	close_scene();
}

int
main(void)
{
	const struct table tables[] = {
		CASE("for its owner alone", check_mode),
		CASE("for a group", check_group),
		CASE("none", check_none),
		TABLE("in its place is", there_rows, check_there),
		CASE("who comes is told", check_peer),
		CASE("another user", check_other_user),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
