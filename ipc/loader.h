/*
 * Messages from the loader to the supervisor (loader.def).
 */
#ifndef SALLYPORT_IPC_LOADER_H
#define SALLYPORT_IPC_LOADER_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) loader_##name
#define CHANNEL_ROWS  "ipc/loader.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
