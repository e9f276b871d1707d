/*
 * Messages between supervisor and resolver (resolve.def).
 */
#ifndef SALLYPORT_IPC_RESOLVE_H
#define SALLYPORT_IPC_RESOLVE_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) resolve_##name
#define CHANNEL_ROWS  "ipc/resolve.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
