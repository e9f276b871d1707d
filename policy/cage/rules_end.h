/* The end of every system-call table: the words of rules_view.h are free again. */
#undef ALLOW
#undef ALLOW_IF
#undef ALLOW_FOR
#undef REFUSE
#undef REFUSE_IF
#undef KILL
#undef KILL_IF
#undef COMPARE
#undef IS
#undef IS_WITH_OR_WITHOUT
#undef NOT
#undef ONLY
#undef WITH
#undef WITHOUT
#undef NOTHING
#undef OWN_PID
