/*
 * Login attempts from question to verdict (see desk.h). Runs in auth. Distrusts gateways: a session
 * of another incarnation is malformed; the client's address serves throttling and the record only.
 * Every attempt costs exactly one hash computation, whoever is asked for.
 */
#include "policy/auth/desk.h"

#include "ipc/base/ends.h"
#include "ipc/base/scope.h"
#include "ipc/verify.h"
#include "policy/auth/pool.h"
#include "policy/auth/queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct gateway {
	struct gateway *next;
	struct desk *desk;
	uint32_t incarnation;
	struct channel *channel;
};

struct desk {
	struct desk_options options;
	struct realms *realms; /* NULL only before the first desk_set_realms() */
	struct pool *pool;
	struct queue *queue;
	struct gateway *gateways;
	unsigned gateway_count;
	struct attempt **running; /* one place per hasher; NULL: free */
	struct attempt *in_hand;  /* on its way to a hasher, which may be born for it */
};

/* ---- verdicts ---- */

/* An attempt whose client has left meanwhile is recorded all the same. */
static void
answer_fully(struct desk *desk, const struct attempt *attempt, const struct verify_answer *body)
{
	const struct gateway *gateway = attempt->asker;
	struct event_login login = {
		.session = attempt->session,
		.attempt = attempt->number,
		.host = bytes_of(attempt->host, attempt->host_length),
		.name = bytes_of(attempt->name, attempt->name_length),
		.peer = attempt->peer,
		.verdict = body->verdict,
		.certificate = bytes_of_text(attempt->fingerprint),
	};
	events_post_login(desk->options.events, &login);
	if (gateway != NULL)
		channel_lost(verify_post_answer(gateway->channel, attempt->tag, body));
}

static void
answer(struct desk *desk, const struct attempt *attempt, enum verdict verdict)
{
	answer_fully(desk, attempt, &(struct verify_answer){ .verdict = verdict });
}

/* The supervisor hears first: the gateway asks it for a worker as soon as it has the answer. */
static struct verify_answer
identify(struct desk *desk, const struct attempt *attempt)
{
	struct verdict_identified identified = {
		.session = attempt->session,
		.attempt = attempt->number,
	};
	struct bytes host = bytes_of(attempt->host, attempt->host_length);
	struct bytes name = bytes_of(attempt->name, attempt->name_length);
	if (attempt->asker == NULL || desk_identify(desk, host, name, &identified.user) < 0)
		return (struct verify_answer){ .verdict = VERDICT_REFUSED };
	if (identified.user.tls == TLS_POLICY_REQUIRED && !attempt->is_protected)
		return (struct verify_answer){ .verdict = VERDICT_UNPROTECTED };
	if (verdict_post_identified(desk->options.supervisor, 0, &identified) < 0)
		return (struct verify_answer){ .verdict = VERDICT_UNAVAILABLE };
	return (struct verify_answer){
		.verdict = VERDICT_ACCEPTED,
		.mode_z = identified.user.mode_z,
	};
}

static bool
suffices(struct desk *desk, const struct attempt *attempt, bool has_password)
{
	const struct accounts *accounts =
		realms_find(desk->realms, bytes_of(attempt->host, attempt->host_length));
	return accounts != NULL &&
	       accounts_suffice(accounts, bytes_of(attempt->name, attempt->name_length),
		       has_password, attempt->owns_certificate);
}

static struct verify_answer
judge(struct desk *desk, const struct attempt *attempt, enum pool_result result)
{
	switch (result) {
	case POOL_MATCHES:
		if (suffices(desk, attempt, true))
			return identify(desk, attempt);
		return (struct verify_answer){ .verdict = VERDICT_REFUSED };
	case POOL_DIFFERS:
		return (struct verify_answer){ .verdict = VERDICT_REFUSED };
	case POOL_DIED:
		return (struct verify_answer){ .verdict = VERDICT_UNAVAILABLE };
	}
	bug("pool result %d", (int)result);
}

static struct attempt **
running_place(struct desk *desk, const struct attempt *attempt)
{
	for (unsigned i = 0; i < desk->options.processes; i++)
		if (desk->running[i] == attempt)
			return &desk->running[i];
	bug("more attempts than hashers");
}

static void
on_computed(void *owner, void *request, enum pool_result result)
{
	struct desk *desk = owner;
	struct attempt *attempt = request;
	*running_place(desk, attempt) = NULL;
	const struct verify_answer judged = judge(desk, attempt, result);
	answer_fully(desk, attempt, &judged);
	attempt_free(&attempt);
	desk_continue(desk);
}

/* ---- proofs of certificates ---- */

static void start(struct desk *desk, struct attempt *attempt);

/* Whoever it is, and whatever the certificate is short of: the same words. */
static struct verify_answer
judge_certificate(struct desk *desk, const struct attempt *attempt, enum pool_result result)
{
	if (result == POOL_DIED)
		return (struct verify_answer){ .verdict = VERDICT_UNAVAILABLE };
	if (suffices(desk, attempt, false))
		return identify(desk, attempt);
	return (struct verify_answer){ .verdict = VERDICT_PASSWORD_NEEDED };
}

static void
note_certificate(struct desk *desk, struct attempt *attempt, const struct hash_proven *certificate)
{
	const struct accounts *accounts =
		realms_find(desk->realms, bytes_of(attempt->host, attempt->host_length));
	attempt->is_proof_judged = true;
	if (certificate == NULL || !certificate->valid)
		return;
	snprintf(attempt->fingerprint, sizeof(attempt->fingerprint), "%.*s",
		(int)certificate->fingerprint.length, certificate->fingerprint.data);
	attempt->owns_certificate =
		accounts != NULL &&
		accounts_own(accounts, bytes_of(attempt->name, attempt->name_length), certificate);
}

/* With a password it goes on to its hash, be the certificate what it may. */
static void
on_proven(
	void *owner, void *request, enum pool_result result, const struct hash_proven *certificate)
{
	struct desk *desk = owner;
	struct attempt *attempt = request;
	*running_place(desk, attempt) = NULL;
	note_certificate(desk, attempt, certificate);
	if (!attempt->is_by_certificate) {
		start(desk, attempt);
		return;
	}
	const struct verify_answer judged = judge_certificate(desk, attempt, result);
	answer_fully(desk, attempt, &judged);
	attempt_free(&attempt);
	desk_continue(desk);
}

/* ---- from the queue to the hashers ---- */

static int
give(struct desk *desk, struct attempt *attempt)
{
	struct bytes host = bytes_of(attempt->host, attempt->host_length);
	struct bytes name = bytes_of(attempt->name, attempt->name_length);
	struct bytes secret = bytes_of(attempt->secret, attempt->secret_length);
	if (attempt->proof != NULL && !attempt->is_proof_judged)
		return pool_prove(
			desk->pool, bytes_of(attempt->proof, attempt->proof_length), attempt);
	return pool_compute(desk->pool, secret, realms_hash(desk->realms, host, name), attempt);
}

static void
start(struct desk *desk, struct attempt *attempt)
{
	desk->in_hand = attempt;
	int error = give(desk, attempt);
	desk->in_hand = NULL;
	if (error < 0) {
		answer(desk, attempt, VERDICT_UNAVAILABLE);
		attempt_free(&attempt);
		return;
	}
	*running_place(desk, NULL) = attempt;
}

void
desk_continue(struct desk *desk)
{
	while (desk->realms != NULL && pool_is_idle(desk->pool) &&
		events_have_room(desk->options.events)) {
		struct attempt *attempt = queue_take(desk->queue);
		if (attempt == NULL)
			return;
		start(desk, attempt);
	}
}

/* ---- gateways ---- */

/* A copy with a byte more, so that nothing is something; NULL: memory is short. */
static char *
copy_of(struct bytes source)
{
	char *copy = malloc(source.length + 1);
	if (copy != NULL && source.length > 0)
		memcpy(copy, source.data, source.length);
	return copy;
}

static struct attempt *
new_attempt(struct gateway *gateway, uint32_t tag, const struct verify_password *body)
{
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	bool has_proof = body->proof.length > 0;
	if (attempt == NULL)
		return NULL;
	*attempt = (struct attempt){
		.asker = gateway,
		.tag = tag,
		.session = body->session,
		.number = body->attempt,
		.peer = body->peer,
		.host = copy_of(body->host),
		.host_length = body->host.length,
		.name = copy_of(body->user),
		.name_length = body->user.length,
		.secret = copy_of(body->secret),
		.secret_length = body->secret.length,
		.is_protected = body->protected,
		.proof = has_proof ? copy_of(body->proof) : NULL,
		.proof_length = body->proof.length,
	};
	if (attempt->host == NULL || attempt->name == NULL || attempt->secret == NULL ||
		(has_proof && attempt->proof == NULL)) {
		attempt_free(&attempt);
		return NULL;
	}
	return attempt;
}

static bool
is_own_session(const struct gateway *gateway, uint64_t session)
{
	return session >> 32 == gateway->incarnation;
}

static void
take(struct gateway *gateway, uint32_t tag, const struct verify_password *body,
	bool is_by_certificate)
{
	if (!is_own_session(gateway, body->session)) {
		channel_reject(gateway->channel, "a session of another gateway");
		return;
	}
	struct attempt *attempt = new_attempt(gateway, tag, body);
	if (attempt == NULL)
		die("out of memory");
	attempt->is_by_certificate = is_by_certificate;
	if (queue_add(gateway->desk->queue, &attempt, gateway->desk->gateway_count) < 0) {
		answer(gateway->desk, attempt, VERDICT_BUSY);
		attempt_free(&attempt);
		return;
	}
	desk_continue(gateway->desk);
}

static void
on_password(void *owner, struct message *message, const struct verify_password *body)
{
	take(owner, message->tag, body, false);
}

static void
on_certificate(void *owner, struct message *message, const struct verify_certificate *body)
{
	const struct verify_password same = {
		.session = body->session,
		.attempt = body->attempt,
		.host = body->host,
		.user = body->user,
		.proof = body->proof,
		.protected = true,
		.peer = body->peer,
	};
	take(owner, message->tag, &same, true);
}

/* Attempts that are being computed end without an answer. */
static void
orphan(struct desk *desk, const struct gateway *gateway, uint64_t session, uint32_t number)
{
	for (unsigned i = 0; i < desk->options.processes; i++) {
		struct attempt *attempt = desk->running[i];
		if (attempt != NULL && attempt->asker == gateway &&
			(session == 0 ||
				(attempt->session == session && attempt->number == number)))
			attempt->asker = NULL;
	}
}

static void
on_withdraw(void *owner, struct message *message, const struct verify_withdraw *body)
{
	struct gateway *gateway = owner;
	(void)message;
	if (!is_own_session(gateway, body->session)) {
		channel_reject(gateway->channel, "a session of another gateway");
		return;
	}
	queue_withdraw(gateway->desk->queue, gateway, body->session, body->attempt);
	orphan(gateway->desk, gateway, body->session, body->attempt);
}

static const struct verify_handlers handlers = {
	.password = on_password,
	.certificate = on_certificate,
	.withdraw = on_withdraw,
};

static void
free_gateway(struct gateway *gateway)
{
	struct desk *desk = gateway->desk;
	struct gateway **place = &desk->gateways;
	while (*place != gateway)
		place = &(*place)->next;
	*place = gateway->next;
	desk->gateway_count--;
	queue_withdraw(desk->queue, gateway, 0, 0);
	orphan(desk, gateway, 0, 0);
	channel_free(&gateway->channel);
	free(gateway);
}

static void
on_closed(void *owner, const char *malformed)
{
	struct gateway *gateway = owner;
	const struct desk_options *options = &gateway->desk->options;
	if (malformed != NULL) {
		const struct verdict_broken broken = {
			.incarnation = gateway->incarnation,
			.rule = bytes_of_text(malformed),
		};
		events_post_malformed(options->events, PROCESS_GATEWAY, malformed);
		channel_lost(verdict_post_broken(options->supervisor, 0, &broken));
	}
	free_gateway(gateway);
}

int
desk_add_gateway(struct desk *desk, uint32_t incarnation, int *fd)
{
	struct gateway *gateway = calloc(1, sizeof(*gateway));
	if (gateway == NULL)
		return -ENOMEM;
	struct channel_options options = {
		.base = desk->options.base,
		.messages = &verify_messages,
		.our_role = ROLE_AUTH,
		.peer_role = ROLE_GATEWAY,
		.phase = PHASE_SERVING,
		.handlers = &handlers,
		.owner = gateway,
		.closed = on_closed,
	};
	int error = channel_new(&options, fd, &gateway->channel);
	if (error < 0) {
		free(gateway);
		return error;
	}
	gateway->desk = desk;
	gateway->incarnation = incarnation;
	gateway->next = desk->gateways;
	desk->gateways = gateway;
	desk->gateway_count++;
	return 0;
}

/* ---- set-up ---- */

int
desk_identify(struct desk *desk, struct bytes host, struct bytes name, struct account_user *result)
{
	struct accounts *accounts = realms_find(desk->realms, host);
	return accounts == NULL ? -ENOENT : accounts_identify(accounts, name, result);
}

void
desk_set_realms(struct desk *desk, struct realms **realms)
{
	realms_free(&desk->realms);
	desk->realms = *realms;
	*realms = NULL;
	desk_continue(desk);
}

void
desk_renew_trust(struct desk *desk)
{
	pool_renew(desk->pool);
}

/*
 * In a new hasher: no user's hash and no client's password, not even of those whom it is born for,
 * who come through its channel. It may be born while their message is handled.
 */
static void
forget_secrets(void *owner)
{
	struct desk *desk = owner;
	realms_free(&desk->realms);
	queue_free(&desk->queue);
	for (unsigned i = 0; i < desk->options.processes; i++)
		attempt_free(&desk->running[i]);
	attempt_free(&desk->in_hand);
	channel_wipe_received();
}

int
desk_new(const struct desk_options *options, struct desk **result)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	if (desk == NULL)
		return -ENOMEM;
	desk->options = *options;
	desk->running = calloc(options->processes, sizeof(struct attempt *));
	struct pool_options pool = {
		.base = options->base,
		.processes = options->processes,
		.owner = desk,
		.forget = forget_secrets,
		.done = on_computed,
		.proven = on_proven,
		.trust = options->trust,
	};
	int error = desk->running == NULL ? -ENOMEM : 0;
	if (error == 0)
		error = queue_new(options->queue_per_address, options->queue_total, &desk->queue);
	if (error == 0)
		error = pool_new(&pool, &desk->pool);
	if (error < 0)
		desk_free(&desk);
	else
		*result = desk;
	return error;
}

void
desk_free(struct desk **desk)
{
	if (*desk == NULL)
		return;
	while ((*desk)->gateways != NULL)
		free_gateway((*desk)->gateways);
	pool_free(&(*desk)->pool);
	queue_free(&(*desk)->queue);
	for (unsigned i = 0; (*desk)->running != NULL && i < (*desk)->options.processes; i++)
		attempt_free(&(*desk)->running[i]);
	free((*desk)->running);
	realms_free(&(*desk)->realms);
	free(*desk);
	*desk = NULL;
}
