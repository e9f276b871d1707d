/*
 * Tables of the rows in event.def. Constants only.
 */
#include "ipc/event.h"

#define CHANNEL(name) event_##name
#define CHANNEL_ROWS  "ipc/event.def"
#include "ipc/define_messages.h"
