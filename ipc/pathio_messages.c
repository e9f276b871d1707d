/*
 * Tables of the rows in pathio.def. Constants only.
 */
#include "ipc/pathio_messages.h"

#define CHANNEL(name) pathio_##name
#define CHANNEL_ROWS  "ipc/pathio.def"
#include "ipc/define_messages.h"
