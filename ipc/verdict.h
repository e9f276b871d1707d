/*
 * Messages between auth and the supervisor (verdict.def).
 */
#ifndef SALLYPORT_IPC_VERDICT_H
#define SALLYPORT_IPC_VERDICT_H

#include "ipc/account.h"
#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) verdict_##name
#define CHANNEL_ROWS  "ipc/verdict.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
