/*
 * Tables of the rows in sign.def. Constants only.
 */
#include "ipc/sign.h"

#define CHANNEL(name) sign_##name
#define CHANNEL_ROWS  "ipc/sign.def"
#include "ipc/define_messages.h"
