/*
 * Joining verdict and attach (see join.h). Runs in the supervisor as root; pure. The attempt of an
 * attach is a gateway's word: it can only select a verdict that auth gave for that very session.
 */
#include "policy/rules/join.h"

static enum join_step
arrive(struct join *join, struct join_half *mine, struct join_half *other, uint32_t attempt,
	uint64_t now_ms)
{
	if (attempt <= join->used || attempt < mine->attempt)
		return JOIN_REFUSED;
	if (other->attempt == attempt && now_ms - other->since_ms <= JOIN_WAIT_MS) {
		join->used = attempt;
		*mine = *other = (struct join_half){ 0 };
		return JOIN_MATCH;
	}
	*mine = (struct join_half){ .attempt = attempt, .since_ms = now_ms };
	return JOIN_WAIT;
}

enum join_step
join_verdict(struct join *join, uint32_t attempt, uint64_t now_ms)
{
	return arrive(join, &join->verdict, &join->attach, attempt, now_ms);
}

enum join_step
join_attach(struct join *join, uint32_t attempt, uint64_t now_ms)
{
	return arrive(join, &join->attach, &join->verdict, attempt, now_ms);
}

static void
drop(struct join *join, struct join_half *half)
{
	if (half->attempt > join->used)
		join->used = half->attempt;
	*half = (struct join_half){ 0 };
}

void
join_give_up(struct join *join)
{
	drop(join, &join->attach);
}

void
join_take_back(struct join *join)
{
	drop(join, &join->verdict);
}
