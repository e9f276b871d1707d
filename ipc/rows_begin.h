/*
 * First line of every .def file: whatever kind of row the including view did not define expands to
 * nothing. The kinds of rows, and what their columns mean:
 *
 *   MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)
 *       CODE        the enumerator of `number`
 *       senders     SENT_BY(role), joined by |
 *       phases      PHASE_*
 *       descriptor  enum descriptor_kind, which travels with it
 *       reply       the message that answers it; "-": nothing does
 *   TYPE(name, doc)
 *       a record that messages embed or list
 *   END(name)
 *       closes a MESSAGE or TYPE; between them stand its fields:
 *   U8 U16 U32 U64(owner, field, minimum, maximum, doc)
 *   I64 ID BOOL PATH NAME ADDRESS(owner, field, doc)
 *   BYTES TEXT SECRET(owner, field, minimum, maximum, doc)
 *   CHOICE(owner, field, choice, doc)
 *       an enum of choices.def
 *   FLAGS(owner, field, mask, doc)
 *   RECORD(owner, field, type, doc)
 *   LIST(owner, field, type, maximum, doc)
 *   NOTHING(owner)
 *       stands for the fields of a message that has none
 */
#ifndef MESSAGE
#define MESSAGE(name, CODE, number, senders, phases, descriptor, reply, doc)
#endif
#ifndef TYPE
#define TYPE(name, doc)
#endif
#ifndef END
#define END(name)
#endif
#ifndef NOTHING
#define NOTHING(owner)
#endif
#ifndef U8
#define U8(owner, field, minimum, maximum, doc)
#endif
#ifndef U16
#define U16(owner, field, minimum, maximum, doc)
#endif
#ifndef U32
#define U32(owner, field, minimum, maximum, doc)
#endif
#ifndef U64
#define U64(owner, field, minimum, maximum, doc)
#endif
#ifndef I64
#define I64(owner, field, doc)
#endif
#ifndef ID
#define ID(owner, field, doc)
#endif
#ifndef BOOL
#define BOOL(owner, field, doc)
#endif
#ifndef CHOICE
#define CHOICE(owner, field, choice, doc)
#endif
#ifndef FLAGS
#define FLAGS(owner, field, mask, doc)
#endif
#ifndef BYTES
#define BYTES(owner, field, minimum, maximum, doc)
#endif
#ifndef TEXT
#define TEXT(owner, field, minimum, maximum, doc)
#endif
#ifndef SECRET
#define SECRET(owner, field, minimum, maximum, doc)
#endif
#ifndef PATH
#define PATH(owner, field, doc)
#endif
#ifndef NAME
#define NAME(owner, field, doc)
#endif
#ifndef ADDRESS
#define ADDRESS(owner, field, doc)
#endif
#ifndef RECORD
#define RECORD(owner, field, type, doc)
#endif
#ifndef LIST
#define LIST(owner, field, type, maximum, doc)
#endif
