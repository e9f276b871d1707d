/*
 * Tables of the rows in loader.def. Constants only.
 */
#include "ipc/loader.h"

#define CHANNEL(name) loader_##name
#define CHANNEL_ROWS  "ipc/loader.def"
#include "ipc/define_messages.h"
