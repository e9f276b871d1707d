/*
 * View for the messages that all channels to the supervisor have alike: `violation`, `ready` and
 * `pong`. No include guard: included after
 *	#define CHANNEL(name) gate_##name
 * which it undefines. Their functions become on_violation(), on_ready() and on_pong().
 */
static void
on_violation(void *owner, UNUSED struct message *message, const struct CHANNEL(violation) * body)
{
	process_violated(owner, body->system_call, body->architecture);
}

static void
on_ready(void *owner, UNUSED struct message *message, const struct CHANNEL(ready) * body)
{
	process_ready(owner, body->cage);
}

static void
on_pong(void *owner, UNUSED struct message *message, UNUSED const struct CHANNEL(pong) * body)
{
	process_answered(owner);
}
#undef CHANNEL
