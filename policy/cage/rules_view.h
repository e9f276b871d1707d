/*
 * The view that turns the rows of a system-call table (gateway.def, ...) into struct cage_rule.
 * Included inside an initialiser, once before each table; the table's end takes the words back.
 *
 *	ALLOW(call, reason)
 *	ALLOW_IF(call, reason, comparisons...)		all of them must hold
 *	ALLOW_FOR(option, call, reason, comparisons...)	and that option of cage.h is on
 *	REFUSE(call, error, reason)			answered with an errno that libc can live
 *with REFUSE_IF(call, error, reason, comparisons...)
 *	KILL(call, reason)				SIGSYS at once
 *	KILL_IF(call, reason, comparisons...)
 *
 * A comparison names an argument of the call and its position:
 *	IS(name, position, value)		equal, as the 32 bits that the kernel looks at
 *	IS_WITH_OR_WITHOUT(name, position, value, bits)
 *	NOT(name, position, value)		differs, in any of 64 bits
 *	ONLY(name, position, bits)		no bit but these
 *	WITH(name, position, bits)		at least all of these bits
 *	WITHOUT(name, position, bits)		none of these bits
 *	NOTHING(name, position)			a null pointer
 *	OWN_PID(name, position)			this process
 * A call may have several rows; it may not have a row without and a row with comparisons, and no
 * two rows that hold for the same arguments.
 */
/* clang-format off */
#define ALLOW(name, why) { .call = #name, .verdict = CAGE_ALLOW, .reason = (why) },
#define ALLOW_IF(name, why, ...) \
	{ .call = #name, .verdict = CAGE_ALLOW, .reason = (why), .comparisons = { __VA_ARGS__ } },
#define ALLOW_FOR(need, name, why, ...) \
	{ .call = #name, .verdict = CAGE_ALLOW, .option = CAGE_FOR_##need, .reason = (why), \
	  .comparisons = { __VA_ARGS__ } },
#define REFUSE(name, code, why) \
	{ .call = #name, .verdict = CAGE_REFUSE, .error = (code), .error_name = #code, .reason = (why) },
#define REFUSE_IF(name, code, why, ...) \
	{ .call = #name, .verdict = CAGE_REFUSE, .error = (code), .error_name = #code, \
	  .reason = (why), .comparisons = { __VA_ARGS__ } },
#define KILL(name, why) { .call = #name, .verdict = CAGE_KILL, .reason = (why) },
#define KILL_IF(name, why, ...) \
	{ .call = #name, .verdict = CAGE_KILL, .reason = (why), .comparisons = { __VA_ARGS__ } },

#define COMPARE(name, text, position, compare, mask, value) \
	{ #name, text, position, compare, mask, value }
#define IS(name, position, wanted) \
	COMPARE(name, "is " #wanted, position, CAGE_MASKED_EQUAL, UINT32_MAX, (uint32_t)(wanted))
#define IS_WITH_OR_WITHOUT(name, position, wanted, bits) \
	COMPARE(name, "is " #wanted ", with or without " #bits, position, CAGE_MASKED_EQUAL, \
		UINT32_MAX & ~(uint32_t)(bits), (uint32_t)(wanted))
#define NOT(name, position, unwanted) \
	COMPARE(name, "is not " #unwanted, position, CAGE_NOT_EQUAL, 0, (uint32_t)(unwanted))
#define ONLY(name, position, bits) \
	COMPARE(name, "has no bit but " #bits, position, CAGE_MASKED_EQUAL, \
		UINT32_MAX & ~(uint32_t)(bits), 0)
#define WITH(name, position, bits) \
	COMPARE(name, "has " #bits, position, CAGE_MASKED_EQUAL, (uint32_t)(bits), (uint32_t)(bits))
#define WITHOUT(name, position, bits) \
	COMPARE(name, "has no " #bits, position, CAGE_MASKED_EQUAL, (uint32_t)(bits), 0)
#define NOTHING(name, position) \
	COMPARE(name, "is null", position, CAGE_MASKED_EQUAL, UINT64_MAX, 0)
#define OWN_PID(name, position) \
	COMPARE(name, "is this process", position, CAGE_OWN_PID, UINT32_MAX, 0)
/* clang-format on */
