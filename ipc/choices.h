/*
 * The enumerations of choices.def: for a CHOICES(verdict) there are `enum verdict` and
 * `verdict_choices` with the texts.
 */
#ifndef SALLYPORT_IPC_CHOICES_H
#define SALLYPORT_IPC_CHOICES_H

#include "ipc/wire.h"

#define CHOICES(type)                       enum type {
#define CHOICE_VALUE(enumerator, text, doc) enumerator,
#define CHOICES_END(type, last)                          \
	}                                                \
	;                                                \
	extern const struct wire_choices type##_choices; \
	enum { type##_choice_last = (last) };
#include "ipc/choices.def"

#define CHOICE_LAST(type) ((uint64_t)type##_choice_last)

#endif
