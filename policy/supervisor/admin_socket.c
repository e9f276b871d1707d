/*
 * The admin socket (see admin_socket.h). Runs in the supervisor as root; reads nothing itself. Its
 * mode keeps others out, and SO_PEERCRED those who come all the same.
 */
#include "ipc/base/scope.h"
#include "policy/sessions/admins.h"
#include "policy/supervisor/supervisor.h"

#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { BACKLOG = 16, TYPE = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC };

static void
on_knock(evutil_socket_t listener, UNUSED short what, void *argument)
{
	static uint32_t groups[NGROUPS_MAX];
	struct supervisor *supervisor = argument;
	struct ucred who = { 0 };
	socklen_t length = sizeof(who), groups_length = sizeof(groups);
	SCOPE_FD int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return; /* no descriptor is free, perhaps: admin_socket_tick() */
	admin_socket_tick(supervisor);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0 ||
		getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_length) < 0)
		return;
	const struct admin_peer peer = { .uid = who.uid,
		.pid = (uint32_t)who.pid,
		.gid = who.gid,
		.groups = groups,
		.group_count = groups_length / sizeof(groups[0]) };
	admins_admit(supervisor->admins, &peer, &fd);
}

/* What is there is replaced only if it is a socket that refuses connections. */
static int
bind_name(int fd, const struct sockaddr_un *name)
{
	struct stat status;
	const struct sockaddr *address = (const struct sockaddr *)name;
	SCOPE_FD int probe = socket(AF_UNIX, TYPE, 0);
	if (bind(fd, address, sizeof(*name)) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (lstat(name->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode) ||
		connect(probe, address, sizeof(*name)) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	if (unlink(name->sun_path) < 0 || bind(fd, address, sizeof(*name)) < 0)
		return -errno;
	return 0;
}

/* Neither its folder nor the socket is ever open wider than it is to be. */
static int
bind_private(int fd, const struct sockaddr_un *name, const struct value_group *group)
{
	char folder[sizeof(name->sun_path)] = "";
	memcpy(folder, name->sun_path, (size_t)(strrchr(name->sun_path, '/') - name->sun_path));
	mode_t usual = umask(0);
	(void)mkdir(folder, 0755); /* it is there, or bind(2) says what is wrong */
	umask(group->resolved ? 0117 : 0177);
	int error = bind_name(fd, name);
	umask(usual);
	if (error == 0 && group->resolved && lchown(name->sun_path, (uid_t)-1, group->gid) < 0)
		error = -errno;
	return error < 0 || listen(fd, BACKLOG) == 0 ? error : -errno;
}

int
admin_socket_open(struct supervisor *supervisor)
{
	const struct config *config = supervisor->settings->config;
	struct admin_socket *opened = &supervisor->admin_socket;
	if (config->admin_socket[0] == '\0')
		return 0;
	opened->name.sun_family = AF_UNIX;
	/* Its row of options.def has measured it. */
	memcpy(opened->name.sun_path, config->admin_socket, strlen(config->admin_socket) + 1);
	SCOPE_FD int fd = socket(AF_UNIX, TYPE, 0);
	int error = fd < 0 ? -errno : bind_private(fd, &opened->name, &config->admin_group);
	if (error < 0)
		return error;
	opened->knock = event_new(supervisor->base, fd, EV_READ, on_knock, supervisor);
	if (opened->knock == NULL)
		return -ENOMEM;
	fd_take(&fd);
	admin_socket_tick(supervisor);
	return 0;
}

void
admin_socket_tick(struct supervisor *supervisor)
{
	if (supervisor->admin_socket.knock != NULL)
		(void)event_add(supervisor->admin_socket.knock, NULL); /* or in a second */
}

void
admin_socket_close(struct supervisor *supervisor)
{
	if (supervisor->admin_socket.knock == NULL)
		return;
	int fd = event_get_fd(supervisor->admin_socket.knock);
	event_free(supervisor->admin_socket.knock);
	supervisor->admin_socket.knock = NULL;
	(void)unlink(supervisor->admin_socket.name.sun_path);
	fd_close(&fd);
}
