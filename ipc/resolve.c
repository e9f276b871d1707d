/*
 * Tables of the rows in resolve.def. Constants only.
 */
#include "ipc/resolve.h"

#define CHANNEL(name) resolve_##name
#define CHANNEL_ROWS  "ipc/resolve.def"
#include "ipc/define_messages.h"
