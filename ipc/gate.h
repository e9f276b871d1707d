/*
 * Messages between a gateway and the supervisor (gate.def).
 */
#ifndef SALLYPORT_IPC_GATE_H
#define SALLYPORT_IPC_GATE_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) gate_##name
#define CHANNEL_ROWS  "ipc/gate.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
