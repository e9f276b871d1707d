/*
 * Records about users (account.def): struct account_user, account_right, account_group.
 */
#ifndef SALLYPORT_IPC_ACCOUNT_H
#define SALLYPORT_IPC_ACCOUNT_H

#include "ipc/base/path.h"
#include "ipc/channel.h"
#include "ipc/choices.h"

#define CHANNEL(name) account_##name
#define CHANNEL_ROWS  "ipc/account.def"
#include "ipc/declare_messages.h"
#undef CHANNEL
#undef CHANNEL_ROWS

#endif
