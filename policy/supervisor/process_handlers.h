/*
 * View for the messages that all channels to the supervisor have alike: `violation` and, but for
 * the loader, `ready` and `pong`. No include guard: included after
 *	#define CHANNEL(name) gate_##name
 * which it undefines. Their functions become on_violation(), on_ready() and on_pong().
 */
static void
on_violation(void *owner, struct message *message, const struct CHANNEL(violation) * body)
{
	(void)message;
	process_violated(owner, body->system_call, body->architecture);
}

static void
on_ready(void *owner, struct message *message, const struct CHANNEL(ready) * body)
{
	(void)message;
	process_ready(owner, body->cage);
}

static void
on_pong(void *owner, struct message *message, const struct CHANNEL(pong) * body)
{
	(void)message;
	(void)body;
	process_answered(owner);
}
#undef CHANNEL
