/*
 * What PASV announces (see names.h). Runs in the supervisor as root. What a resolver says is taken
 * for an address that a client could connect to, or refused; nothing else depends on it.
 */
#include "policy/sessions/names.h"

#include "ipc/address.h"
#include "ipc/base/scope.h"
#include "ipc/gate.h"
#include "ipc/resolve.h"
#include "policy/sessions/gateways.h"
#include "policy/sessions/record.h"
#include "policy/supervisor/supervisor.h"

#include <arpa/inet.h>

enum {
	LEAVE_MS = 25000,     /* it ends by itself before, whatever it waits for */
	ASK_AGAIN_MS = 60000, /* a name that could not be looked up, or more often if others are */
};

/* A rule of passive_address. */
struct name {
	struct gate_network clients;
	struct wire_address address; /* all zero: not known yet */
	char *host;                  /* NULL: the address is the configuration's */
	bool is_asked;               /* the resolver has not answered */
	bool is_missing;             /* as the record knows */
};

struct names {
	struct supervisor *supervisor;
	struct process *resolver; /* NULL: none runs */
	uint64_t next_ms;         /* 0: no name is to be looked up again */
	bool is_awaited;          /* by the server's start */
	size_t count;
	struct name *items;
};

static bool
is_known(const struct wire_address *address)
{
	return address_is_v4(address);
}

/* Without the port, which is none here. */
static const char *
host_text(const struct wire_address *address, char text[ADDRESS_TEXT_BYTES])
{
	address_text(address, text);
	text[strcspn(text, ":")] = '\0';
	return is_known(address) ? text : "the control connection's address";
}

/* ---- telling ---- */

void
names_send(const struct names *names, struct process *gateway)
{
	char buffer[8192];
	struct wire_list_builder builder = { .buffer = buffer, .capacity = sizeof(buffer) };
	int error = 0;
	for (size_t i = 0; i < names->count && error == 0; i++) {
		const struct gate_passive_rule rule = {
			.clients = names->items[i].clients,
			.address = names->items[i].address,
		};
		error = wire_list_add(&builder, &gate_passive_rule_record, &rule);
	}
	const struct gate_passive_rules body = { .rules = wire_list_built(&builder) };
	process_posted(
		gateway, error < 0 ? error : gate_post_passive_rules(gateway->channel, 0, &body));
}

/* ---- answers ---- */

static void
note_missing(struct names *names, struct name *name, struct bytes reason)
{
	char text[ADDRESS_TEXT_BYTES];
	name->is_asked = false;
	if (name->is_missing)
		return;
	name->is_missing = true;
	record_notice(names->supervisor->record, SEVERITY_WARNING,
		"passive_address: %s cannot be looked up: %.*s; %s is announced", name->host,
		(int)reason.length, reason.data, host_text(&name->address, text));
}

static void
note_found(struct names *names, struct name *name, const struct wire_address *address)
{
	char text[ADDRESS_TEXT_BYTES];
	bool is_other = !address_is_same_host(&name->address, address);
	name->is_asked = false;
	if (is_other || name->is_missing)
		record_notice(names->supervisor->record, SEVERITY_INFO, "passive_address: %s is %s",
			name->host, host_text(address, text));
	name->is_missing = false;
	name->address = *address;
	if (is_other)
		gateways_announce(names->supervisor->gateways);
}

/* The name that the answer with that tag is about; NULL: there is none. */
static struct name *
find_asked(const struct names *names, uint32_t tag)
{
	struct name *name = tag >= 1 && tag <= names->count ? &names->items[tag - 1] : NULL;
	return name != NULL && name->is_asked ? name : NULL;
}

static void
dismiss_if_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i].is_asked)
			return;
	process_dismiss(names->resolver, LEAVE_MS);
}

static void
on_found(void *owner, struct message *message, const struct resolve_found *body)
{
	struct process *process = owner;
	struct names *names = process->owner;
	struct name *name = find_asked(names, message->tag);
	struct address_socket socket_form;
	address_to_socket(&body->address, &socket_form);
	if (name == NULL || !is_known(&body->address)) {
		channel_reject(process->channel, "an answer to nothing, or no address");
		return;
	}
	if (value_can_be_announced(socket_form.v4.sin_addr))
		note_found(names, name, &body->address);
	else
		note_missing(names, name, bytes_of_text("its address is nobody's"));
	dismiss_if_done(names);
}

static void
on_missing(void *owner, struct message *message, const struct resolve_missing *body)
{
	struct process *process = owner;
	struct names *names = process->owner;
	struct name *name = find_asked(names, message->tag);
	if (name == NULL) {
		channel_reject(process->channel, "an answer to nothing");
		return;
	}
	note_missing(names, name, body->reason);
	dismiss_if_done(names);
}

static void
on_violation(void *owner, UNUSED struct message *message, const struct resolve_violation *body)
{
	process_violated(owner, body->system_call, body->architecture);
}

static const struct resolve_handlers handlers = {
	.violation = on_violation,
	.found = on_found,
	.missing = on_missing,
};

/* ---- looking up ---- */

/* The server's start waits for the first look at all names. */
static void
end_start(struct names *names)
{
	if (names->is_awaited)
		supervisor_service_ready(names->supervisor);
	names->is_awaited = false;
}

/* Whatever is not answered now is not known; the start goes on all the same. */
static void
finish(struct names *names)
{
	const struct config *config = names->supervisor->settings->config;
	uint64_t interval_ms = config->passive_address_refresh * 1000;
	names->resolver = NULL;
	for (size_t i = 0; i < names->count; i++) {
		struct name *name = &names->items[i];
		if (name->is_asked)
			note_missing(names, name, bytes_of_text("no answer in time"));
		if (name->is_missing && (interval_ms == 0 || interval_ms > ASK_AGAIN_MS))
			interval_ms = ASK_AGAIN_MS;
	}
	names->next_ms = interval_ms == 0 ? 0 : supervisor_now_ms() + interval_ms;
	end_start(names);
}

static void
on_ended(struct process *process)
{
	struct names *names = process->owner;
	if (process == names->resolver)
		finish(names);
}

static const struct process_duty duty = { .handlers = &handlers, .ended = on_ended };

static void
ask(struct names *names, size_t index)
{
	struct name *name = &names->items[index];
	if (name->host == NULL)
		return;
	const struct resolve_ask body = { .host = bytes_of_text(name->host),
		.known = name->address };
	name->is_asked = true;
	process_posted(names->resolver,
		resolve_post_ask(names->resolver->channel, (uint32_t)index + 1, &body));
}

static void
look_up(struct names *names)
{
	struct cage_identity identity = supervisor_identity(names->supervisor, ROLE_GATEWAY);
	const struct process_plan plan = {
		.role = ROLE_RESOLVER,
		.duty = &duty,
		.owner = names,
		.user = bytes_of_text(""),
		.identity = &identity,
	};
	struct process *resolver;
	int error = process_start(names->supervisor, &plan, &resolver);
	names->resolver = error == 0 ? resolver : NULL;
	for (size_t i = 0; i < names->count; i++) {
		if (error == 0)
			ask(names, i);
		else if (names->items[i].host != NULL)
			note_missing(names, &names->items[i], bytes_of_text(strerror(-error)));
	}
	if (error < 0)
		finish(names);
}

void
names_tick(struct names *names)
{
	if (names->resolver == NULL && names->next_ms != 0 && supervisor_now_ms() >= names->next_ms)
		look_up(names);
}

/* ---- rules ---- */

static struct wire_address
v4_address(struct in_addr address)
{
	const struct address_socket form = { .v4 = { .sin_family = AF_INET, .sin_addr = address } };
	struct wire_address result = { .port = 0 };
	if (address.s_addr != 0 && address_from_socket(&form, &result) < 0)
		return (struct wire_address){ .port = 0 };
	return result;
}

static int
name_set(struct name *name, const struct value_announcement *rule)
{
	name->clients.prefix = rule->clients.prefix;
	memcpy(name->clients.base.ip, rule->clients.ip, sizeof(rule->clients.ip));
	name->address = v4_address(rule->address);
	if (rule->host[0] == '\0')
		return 0;
	name->host = strdup(rule->host);
	return name->host == NULL ? -ENOMEM : 0;
}

/* A name that was there before means what it meant, until it is looked up. */
static void
remember(struct name *name, const struct name *before, size_t count)
{
	for (size_t i = 0; i < count && name->host != NULL; i++) {
		if (before[i].host == NULL || strcmp(before[i].host, name->host) != 0)
			continue;
		name->address = before[i].address;
		name->is_missing = before[i].is_missing;
		return;
	}
}

static void
names_clear(struct name *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(items[i].host);
	free(items);
}

static bool
has_hosts(const struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->items[i].host != NULL)
			return true;
	return false;
}

/* Takes the rules of the settings in force. 0, or -ENOMEM and those of before stay. */
static int
take_rules(struct names *names)
{
	const struct value_announcements *rules =
		&names->supervisor->settings->config->passive_address;
	struct name *items = calloc(rules->count + 1, sizeof(*items));
	int error = items == NULL ? -ENOMEM : 0;
	for (size_t i = 0; i < rules->count && error == 0; i++) {
		error = name_set(&items[i], &rules->items[i]);
		if (error == 0)
			remember(&items[i], names->items, names->count);
	}
	if (error < 0) {
		names_clear(items, items == NULL ? 0 : rules->count);
		return error;
	}
	names_clear(names->items, names->count);
	names->items = items;
	names->count = rules->count;
	return 0;
}

int
names_new(struct supervisor *supervisor, struct names **result)
{
	struct names *names = calloc(1, sizeof(*names));
	if (names == NULL)
		return -ENOMEM;
	names->supervisor = supervisor;
	*result = names;
	int error = take_rules(names);
	if (error < 0 || !has_hosts(names))
		return error;
	names->is_awaited = true;
	supervisor->awaited++;
	look_up(names);
	return 0;
}

void
names_free(struct names **names)
{
	names_clear((*names)->items, (*names)->count);
	free(*names);
	*names = NULL;
}

void
names_close(struct names *names)
{
	struct process *resolver = names == NULL ? NULL : names->resolver;
	if (names == NULL)
		return;
	names->resolver = NULL;
	names->next_ms = 0;
	if (resolver != NULL)
		process_dismiss(resolver, LEAVE_MS);
}

void
names_reload(struct names *names)
{
	names_close(names);
	if (take_rules(names) < 0)
		record_notice(names->supervisor->record, SEVERITY_ERROR,
			"passive_address: memory is short, the old rules stay");
	gateways_announce(names->supervisor->gateways);
	if (has_hosts(names))
		look_up(names);
	else
		end_start(names);
}
