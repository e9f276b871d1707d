/*
 * Messages between the supervisor and record (ledger.def).
 */
#ifndef SALLYPORT_IPC_LEDGER_H
#define SALLYPORT_IPC_LEDGER_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) ledger_##name
#define CHANNEL_ROWS  "ipc/ledger.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
