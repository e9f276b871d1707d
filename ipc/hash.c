/*
 * Tables of the rows in hash.def. Constants only.
 */
#include "ipc/hash.h"

#define CHANNEL(name) hash_##name
#define CHANNEL_ROWS  "ipc/hash.def"
#include "ipc/define_messages.h"
