/*
 * Events for the record (event.def).
 */
#ifndef SALLYPORT_IPC_EVENT_H
#define SALLYPORT_IPC_EVENT_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) event_##name
#define CHANNEL_ROWS  "ipc/event.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
