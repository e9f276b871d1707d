/*
 * Messages between the supervisor and a worker (attach.def).
 */
#ifndef SALLYPORT_IPC_ATTACH_H
#define SALLYPORT_IPC_ATTACH_H

#include "ipc/account.h"
#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) attach_##name
#define CHANNEL_ROWS  "ipc/attach.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
