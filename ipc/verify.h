/*
 * Messages between a gateway and auth (verify.def).
 */
#ifndef SALLYPORT_IPC_VERIFY_H
#define SALLYPORT_IPC_VERIFY_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) verify_##name
#define CHANNEL_ROWS  "ipc/verify.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
