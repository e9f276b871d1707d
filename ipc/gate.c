/*
 * Tables of the rows in gate.def. Constants only.
 */
#include "ipc/gate.h"

#define CHANNEL(name) gate_##name
#define CHANNEL_ROWS  "ipc/gate.def"
#include "ipc/define_messages.h"
