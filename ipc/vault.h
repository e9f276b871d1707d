/*
 * Messages between the supervisor and keys (vault.def).
 */
#ifndef SALLYPORT_IPC_VAULT_H
#define SALLYPORT_IPC_VAULT_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) vault_##name
#define CHANNEL_ROWS  "ipc/vault.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
