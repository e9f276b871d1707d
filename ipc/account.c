/*
 * Tables of the rows in account.def. Constants only.
 */
#include "ipc/account.h"

#define CHANNEL(name) account_##name
#define CHANNEL_ROWS  "ipc/account.def"
#include "ipc/define_messages.h"
