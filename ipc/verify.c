/*
 * Tables of the rows in verify.def. Constants only.
 */
#include "ipc/verify.h"

#define CHANNEL(name) verify_##name
#define CHANNEL_ROWS  "ipc/verify.def"
#include "ipc/define_messages.h"
