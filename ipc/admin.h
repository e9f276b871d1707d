/*
 * Messages between the command sallyport and the supervisor (admin.def).
 */
#ifndef SALLYPORT_IPC_ADMIN_H
#define SALLYPORT_IPC_ADMIN_H

#include "ipc/attach.h"

#define CHANNEL(name) admin_##name
#define CHANNEL_ROWS  "ipc/admin.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
