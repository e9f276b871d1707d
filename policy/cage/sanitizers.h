/*
 * What a build for sanitizers does differently (-Dcage_for_sanitizers); nothing in a release build,
 * and no switch at run time. The tables differ by sanitizers.def. Private to this folder.
 */
#ifndef SALLYPORT_POLICY_CAGE_SANITIZERS_H
#define SALLYPORT_POLICY_CAGE_SANITIZERS_H

#ifdef CAGE_FOR_SANITIZERS
enum { CAGE_IS_FOR_SANITIZERS = 1 };

/* While /proc can still be read: lets the sanitizer's run time note what it will want to know. */
void sanitizers_prepare(void);

/* From now on nothing looks for leaks in this process: that would take clone and ptrace. */
void sanitizers_forgo_leaks(void);
#else
enum { CAGE_IS_FOR_SANITIZERS = 0 };

static inline void
sanitizers_prepare(void)
{
}

static inline void
sanitizers_forgo_leaks(void)
{
}
#endif

#endif
