/*
 * The texts of replies.def, for session_reply(): reply_goodbye is "221 Goodbye.".
 */
#ifndef SALLYPORT_GATEWAY_REPLIES_H
#define SALLYPORT_GATEWAY_REPLIES_H

#include "ipc/base/compiler.h"

#include <inttypes.h>

/* Arrays and not pointers: the compiler then checks them as formats. */
#define REPLY(name, code, text)   UNUSED static const char reply_##name[] = #code " " text;
#define OPENING(name, code, text) UNUSED static const char reply_##name[] = #code "-" text;
#define DETAIL(name, text)        UNUSED static const char reply_##name[] = text;
#include "gateway/replies.def"

#endif
