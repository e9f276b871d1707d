/*
 * See service_scene.h. In the place of the other modules of the supervisor stands here what their
 * tests do not tell apart; what must not happen fails the test.
 */
#include "tests/unit/sessions/service_scene.h"

#include "policy/sessions/gateways.h"
#include "tests/table.h"

#include <stdlib.h>

struct service_scene *scene;

static const struct message_table *fake_messages;
static enum role fake_role;
static const void *fake_handlers;

/* ---- in the place of the other modules ---- */

uint64_t
supervisor_now_ms(void)
{
	return scene->now_ms;
}

struct cage_identity
supervisor_identity(UNUSED const struct supervisor *supervisor, UNUSED enum role role)
{
	return (struct cage_identity){ .uid = 1 };
}

void
supervisor_service_ready(UNUSED struct supervisor *supervisor)
{
}

void
supervisor_give_up(UNUSED struct supervisor *supervisor, UNUSED const char *who, const char *reason)
{
	fail_msg("%s", reason);
}

void
gateways_blame(
	UNUSED struct gateways *gateways, UNUSED uint32_t incarnation, UNUSED struct bytes rule)
{
	fail_msg("%s", "there is no gateway");
}

void
process_posted(UNUSED struct process *process, int post_result)
{
	assert_int_equal(post_result, 0);
}

void
process_violated(
	UNUSED struct process *process, UNUSED uint32_t system_call, UNUSED uint32_t architecture)
{
	fail_msg("%s", "a violation");
}

void
process_ready(UNUSED struct process *process, UNUSED struct bytes cage)
{
	fail_msg("%s", "ready is called by the test");
}

void
process_answered(UNUSED struct process *process)
{
	fail_msg("%s", "nobody has asked");
}

void
process_failed(UNUSED struct process *process, UNUSED int error, UNUSED struct bytes reason)
{
	fail_msg("%s", "nothing fails");
}

static void
on_closed(UNUSED void *owner, const char *malformed)
{
	assert_null(malformed);
}

int
process_start(UNUSED struct supervisor *supervisor, const struct process_plan *plan,
	struct process **result)
{
	int ends[2];
	struct channel_options options = {
		.base = scene->supervisor.base,
		.messages = fake_messages,
		.our_role = fake_role,
		.peer_role = ROLE_SUPERVISOR,
		.phase = PHASE_STARTING,
		.handlers = fake_handlers,
		.closed = on_closed,
	};
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_new(&options, &ends[0], &scene->side), 0);
	options.our_role = ROLE_SUPERVISOR;
	options.peer_role = fake_role;
	options.handlers = plan->duty->handlers;
	options.owner = &scene->process;
	scene->process = (struct process){ .supervisor = &scene->supervisor,
		.role = fake_role,
		.owner = plan->owner,
		.state = PROCESS_STARTING,
		.expected = true };
	assert_int_equal(channel_new(&options, &ends[1], &scene->process.channel), 0);
	scene->duty = plan->duty;
	scene->started++;
	*result = &scene->process;
	return 0;
}

/* ---- scenes ---- */

void
service_scene_open(const struct message_table *messages, enum role role, const void *handlers)
{
	fake_messages = messages;
	fake_role = role;
	fake_handlers = handlers;
	scene = calloc(1, sizeof(*scene));
	scene->now_ms = 1000000;
	scene->supervisor.base = event_base_new();
	scene->supervisor.settings = &scene->settings;
	assert_int_equal(config_create(&scene->settings.config), 0);
}

static void
close_channels(void)
{
	channel_free(&scene->process.channel);
	channel_free(&scene->side);
}

void
service_scene_close(void)
{
	close_channels();
	config_free(&scene->settings.config);
	event_base_free(scene->supervisor.base);
	free(scene);
}

void
service_scene_ready(void)
{
	scene->process.state = PROCESS_SERVING;
	channel_set_phase(scene->process.channel, PHASE_SERVING);
	channel_set_phase(scene->side, PHASE_SERVING);
	scene->duty->ready(&scene->process);
}

void
service_scene_end(void)
{
	close_channels();
	scene->duty->ended(&scene->process);
}

void
service_scene_turn(void)
{
	for (int i = 0; i < 4; i++)
		event_base_loop(scene->supervisor.base, EVLOOP_NONBLOCK);
}
