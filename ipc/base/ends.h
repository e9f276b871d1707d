/*
 * The two ends of a process, by cause (the third, an errno, is returned and is no end).
 *
 * die(): the environment is broken or the peer is hostile; this process stops, the supervisor
 *        decides what follows. Exit status EXIT_DIED.
 * bug(): one of our own invariants does not hold. Stays on in release builds. Ends by a trap
 *        instruction, so that it needs no system call that a cage might forbid.
 *
 * Both write one line to standard error, control bytes escaped.
 */
#ifndef SALLYPORT_IPC_BASE_ENDS_H
#define SALLYPORT_IPC_BASE_ENDS_H

#include "ipc/base/compiler.h"

enum { EXIT_DIED = 70 }; /* sysexits(3): EX_SOFTWARE */

/* The name that stands before the line; a string that lives as long as the process. */
void ends_set_program(const char *program);

NORETURN void die(const char *format, ...) PRINTF_LIKE(1, 2);

#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
/* Holds, or the program is wrong. Never for what a peer or a file may contain. */
#define ensure(condition) ((condition) ? (void)0 : bug("not so: %s", #condition))

NORETURN void bug_at(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
