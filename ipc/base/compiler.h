/*
 * Words for the compiler. Included by every folder; holds no code.
 */
#ifndef SALLYPORT_IPC_BASE_COMPILER_H
#define SALLYPORT_IPC_BASE_COMPILER_H

/* The result is an error code or a resource: ignoring it is a defect. */
#define MUST_CHECK               __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define NORETURN                 __attribute__((noreturn))
#define UNUSED                   __attribute__((unused))
#define NO_INLINE                __attribute__((noinline))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
