/*
 * Texts of the enumerations (see choices.h). Constants only.
 */
#include "ipc/choices.h"

#define CHOICES(type)                       static const char *const type##_texts[] = {
#define CHOICE_VALUE(enumerator, text, doc) [enumerator] = (text),
#define CHOICES_END(type, last) \
	}                       \
	;
#include "ipc/choices.def"

#define CHOICES(type)                       static const char *const type##_docs[] = {
#define CHOICE_VALUE(enumerator, text, doc) [enumerator] = (doc),
#define CHOICES_END(type, last)                                                                    \
	}                                                                                          \
	;                                                                                          \
	_Static_assert(ARRAY_LENGTH(type##_texts) == CHOICE_LAST(type) + 1, "last row of " #type); \
	const struct wire_choices type##_choices = {                                               \
		.name = #type,                                                                     \
		.count = ARRAY_LENGTH(type##_texts),                                               \
		.texts = type##_texts,                                                             \
		.docs = type##_docs,                                                               \
	};
#include "ipc/choices.def"
