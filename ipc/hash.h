/*
 * Messages between auth and a hasher (hash.def).
 */
#ifndef SALLYPORT_IPC_HASH_H
#define SALLYPORT_IPC_HASH_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) hash_##name
#define CHANNEL_ROWS  "ipc/hash.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
