/*
 * The desk's surroundings (see desk_scene.h).
 */
#include "tests/unit/auth/desk_scene.h"

#include "ipc/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* ---- a pool that compares the secret with the text after "$1$salt$" ---- */

struct pool the_pool;

int
pool_new(const struct pool_options *options, struct pool **result)
{
	the_pool = (struct pool){ .options = *options };
	*result = &the_pool;
	return 0;
}

void
pool_free(struct pool **pool)
{
	*pool = NULL;
}

bool
pool_is_idle(struct pool *pool)
{
	return pool->request == NULL;
}

static void
copy(char *text, size_t size, struct bytes from)
{
	assert_true(from.length < size);
	memcpy(text, from.data, from.length);
	text[from.length] = '\0';
}

int
pool_compute(struct pool *pool, struct bytes secret, struct bytes hash, void *request)
{
	assert_null(pool->request);
	pool->computed++;
	pool->request = request;
	copy(pool->hash, sizeof(pool->hash), hash);
	copy(pool->secret, sizeof(pool->secret), secret);
	pool->matches = strcmp(pool->secret, "right") == 0;
	return 0;
}

void
pool_renew(struct pool *pool)
{
	pool->renewed++;
}

int
pool_prove(struct pool *pool, struct bytes proof, void *request)
{
	assert_null(pool->request);
	pool->proved++;
	pool->request = request;
	copy(pool->proof, sizeof(pool->proof), proof);
	return 0;
}

void
pool_finish(enum pool_result result)
{
	void *request = the_pool.request;
	assert_non_null(request);
	the_pool.request = NULL;
	the_pool.options.done(the_pool.options.owner, request, result);
}

/* A hasher's answer about a proof: what the certificate is called, or nothing. */
void
pool_finish_proof(enum pool_result result, const char *fingerprint, const char *called)
{
	static char buffer[256];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	const struct hash_name name = { .text = bytes_of_text(called) };
	void *request = the_pool.request;
	assert_non_null(request);
	the_pool.request = NULL;
	if (called[0] != '\0')
		assert_int_equal(wire_list_add(&builder, &hash_name_record, &name), 0);
	const struct hash_proven proven = {
		.valid = result == POOL_MATCHES,
		.fingerprint = bytes_of_text(fingerprint),
		.names = wire_list_built(&builder),
	};
	the_pool.options.proven(
		the_pool.options.owner, request, result, result == POOL_DIED ? NULL : &proven);
}

/* ---- the peers ---- */

static const char users_file[] =
	"alice:$6$rounds=1000$abcdefgh$" /* the hash of no password */
	"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000."
	":1001:1001::/srv/alice:\n"
	"bert:!:1002:1002::/srv/bert:\n"
	"carl:$6$rounds=1000$abcdefgh$"
	"1111111111111111111111111111111111111111111111111111111111111111111111111111111111111."
	":1003:1003::/srv/carl:disabled\n"
	"dora:$6$rounds=1000$abcdefgh$"
	"2222222222222222222222222222222222222222222222222222222222222222222222222222222222222."
	":1004:1004::/srv/dora:mode_z\n"
	"erin:$6$rounds=1000$abcdefgh$"
	"4444444444444444444444444444444444444444444444444444444444444444444444444444444444444."
	":1005:1005::/srv/erin:certificate=email/erin@example.org,dns/erin.example\n"
	"frank:!:1006:1006::/srv/frank:certificate=sha256/" FINGERPRINT "\n"
	"gina:$6$rounds=1000$abcdefgh$"
	"5555555555555555555555555555555555555555555555555555555555555555555555555555555555555."
	":1007:1007::/srv/gina:certificate=dns/gina.example certificate_and_password\n"
	"hugo:!:1008:1008::/srv/hugo:certificate=dns/hugo.example disabled\n";

/* At the host "b"; its alice is another one, and the server's bert could log in here. */
static const char host_users_file[] =
	"alice:$6$rounds=1000$ijklmnop$"
	"2222222222222222222222222222222222222222222222222222222222222222222222222222222222222."
	":1011:1011::/srv/b/alice:\n"
	"bert:$6$rounds=1000$ijklmnop$"
	"3333333333333333333333333333333333333333333333333333333333333333333333333333333333333."
	":1012:1012::/srv/b/bert:\n";

static void
note(struct scene *scene, const char *text)
{
	size_t length = strlen(scene->log);
	snprintf(scene->log + length, sizeof(scene->log) - length, "%s ", text);
}

static void
on_identified(void *owner, struct message *message, const struct verdict_identified *body)
{
	char text[300];
	(void)message;
	snprintf(text, sizeof(text), "identified:%.*s%s%.*s:%u", (int)body->user.host.length,
		body->user.host.data, body->user.host.length > 0 ? "/" : "",
		(int)body->user.name.length, body->user.name.data, body->attempt);
	note(owner, text);
}

static void
on_answer(void *owner, struct message *message, const struct verify_answer *body)
{
	char text[64];
	snprintf(text, sizeof(text), "%s%s:%u", verdict_choices.texts[body->verdict],
		body->mode_z ? "+mode_z" : "", message->tag);
	note(owner, text);
}

static void
on_broken(void *owner, struct message *message, const struct verdict_broken *body)
{
	char text[128];
	(void)message;
	snprintf(text, sizeof(text), "broken:%u:%.*s", body->incarnation, (int)body->rule.length,
		body->rule.data);
	note(owner, text);
}

#define NEVER(channel, name)                                                               \
	static void never_##name(                                                          \
		void *owner, struct message *message, const struct channel##_##name *body) \
	{                                                                                  \
		(void)owner, (void)message, (void)body;                                    \
		fail_msg("unexpected " #name);                                             \
	}
NEVER(verdict, violation)
NEVER(verdict, ready)
NEVER(verdict, failed)
NEVER(verdict, users_loaded)
NEVER(verdict, pong)
NEVER(verdict, host)
NEVER(verdict, host_users)
NEVER(verdict, configure)
NEVER(verdict, users)
NEVER(verdict, gateway)
NEVER(verdict, record)
NEVER(verdict, ping)
NEVER(verdict, ask)
NEVER(verdict, told)
NEVER(verdict, stranger)

static const struct verdict_handlers supervisor_handlers = {
	.violation = never_violation,
	.ready = never_ready,
	.failed = never_failed,
	.users_loaded = never_users_loaded,
	.identified = on_identified,
	.pong = never_pong,
	.told = never_told,
	.stranger = never_stranger,
	.broken = on_broken,
};

NEVER(verdict, certificate)
NEVER(verdict, authority)
NEVER(verdict, use_certificates)

static const struct verdict_handlers auth_handlers = {
	.certificate = never_certificate,
	.authority = never_authority,
	.use_certificates = never_use_certificates,
	.host = never_host,
	.host_users = never_host_users,
	.configure = never_configure,
	.users = never_users,
	.gateway = never_gateway,
	.record = never_record,
	.ping = never_ping,
	.ask = never_ask,
};

static const struct verify_handlers gateway_handlers = { .answer = on_answer };

static void
on_closed(void *owner, const char *malformed)
{
	(void)malformed;
	note(owner, "closed");
}

static struct channel *
open_channel(struct scene *scene, const struct message_table *messages, const void *handlers,
	enum role ours, enum role peer, int *fd)
{
	struct channel *channel = NULL;
	struct channel_options options = {
		.base = scene->base,
		.messages = messages,
		.our_role = ours,
		.peer_role = peer,
		.phase = PHASE_SERVING,
		.handlers = handlers,
		.owner = scene,
		.closed = on_closed,
	};
	assert_int_equal(channel_new(&options, fd, &channel), 0);
	return channel;
}

static int
file_of(const char *text)
{
	int fd = memfd_create("users", MFD_CLOEXEC);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void
set_users(struct scene *scene)
{
	struct verdict_configure configure = {
		.file_name = bytes_of_text("users"),
		.backend = bytes_of_text("sync"),
		.path_threads = 4,
		.sessions_max = 5,
	};
	struct realms *realms = NULL;
	char *reason = NULL;
	SCOPE_FD int fd = file_of(users_file);
	SCOPE_FD int host_fd = file_of(host_users_file);
	const struct accounts_source sources[] = {
		{ .fd = -1, .host = bytes_of_text("a") }, /* with the server's users */
		{ .fd = host_fd, .host = bytes_of_text("b"), .file_name = bytes_of_text("b") },
	};
	int error = realms_new(fd, &configure, &realms, &reason);
	for (size_t i = 0; i < ARRAY_LENGTH(sources) && error == 0; i++)
		error = realms_add(realms, &sources[i], &configure, &reason);
	if (error < 0)
		fail_msg("%s", reason);
	assert_int_equal(realms_add(realms, &sources[0], &configure, &reason), -EEXIST);
	desk_set_realms(scene->desk, &realms);
}

static void
on_drained(void *owner)
{
	struct scene *scene = owner;
	desk_continue(scene->desk);
}

int
scene_open(void **state)
{
	static struct scene scene;
	int ends[2];
	scene = (struct scene){ .base = event_base_new() };
	assert_int_equal(channel_pair(ends), 0);
	scene.to_supervisor = open_channel(
		&scene, &verdict_messages, &auth_handlers, ROLE_AUTH, ROLE_SUPERVISOR, &ends[0]);
	scene.supervisor = open_channel(&scene, &verdict_messages, &supervisor_handlers,
		ROLE_SUPERVISOR, ROLE_AUTH, &ends[1]);
	assert_int_equal(channel_pair(ends), 0);
	scene.events = (struct events){
		.base = scene.base,
		.owner = &scene,
		.drained = on_drained,
	};
	assert_int_equal(events_use(&scene.events, &ends[0]), 0);
	scene.record = ends[1];
	struct desk_options options = {
		.base = scene.base,
		.events = &scene.events,
		.supervisor = scene.to_supervisor,
		.processes = 1,
		.queue_per_address = 2,
		.queue_total = 3,
	};
	assert_int_equal(desk_new(&options, &scene.desk), 0);
	set_users(&scene);
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(desk_add_gateway(scene.desk, INCARNATION, &ends[0]), 0);
	scene.gateway = open_channel(
		&scene, &verify_messages, &gateway_handlers, ROLE_GATEWAY, ROLE_AUTH, &ends[1]);
	*state = &scene;
	return 0;
}

void
scene_close(struct scene *scene)
{
	desk_free(&scene->desk);
	events_stop(&scene->events);
	channel_free(&scene->to_supervisor);
	channel_free(&scene->supervisor);
	channel_free(&scene->gateway);
	fd_close(&scene->record);
	event_base_free(scene->base);
}

/* Everything that is on its way arrives. */
void
scene_settle(struct scene *scene)
{
	for (int i = 0; i < 8; i++)
		event_base_loop(scene->base, EVLOOP_NONBLOCK);
}

void
scene_type_password_at(
	struct scene *scene, const char *host, uint32_t tag, const char *name, const char *secret)
{
	struct verify_password password = {
		.session = (uint64_t)INCARNATION << 32 | tag,
		.attempt = tag,
		.host = bytes_of_text(host),
		.user = bytes_of_text(name),
		.secret = bytes_of_text(secret),
	};
	assert_int_equal(verify_post_password(scene->gateway, tag, &password), 0);
	scene_settle(scene);
}

void
scene_type_password(struct scene *scene, uint32_t tag, const char *name, const char *secret)
{
	scene_type_password_at(scene, "", tag, name, secret);
}
