/*
 * Tables of the rows in verdict.def. Constants only.
 */
#include "ipc/verdict.h"

#define CHANNEL(name) verdict_##name
#define CHANNEL_ROWS  "ipc/verdict.def"
#include "ipc/define_messages.h"
