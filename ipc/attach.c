/*
 * Tables of the rows in attach.def. Constants only.
 */
#include "ipc/attach.h"

#define CHANNEL(name) attach_##name
#define CHANNEL_ROWS  "ipc/attach.def"
#include "ipc/define_messages.h"
