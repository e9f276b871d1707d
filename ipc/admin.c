/*
 * Tables of the rows in admin.def. Constants only.
 */
#include "ipc/admin.h"

#define CHANNEL(name) admin_##name
#define CHANNEL_ROWS  "ipc/admin.def"
#include "ipc/define_messages.h"
