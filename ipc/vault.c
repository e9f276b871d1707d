/*
 * Tables of the rows in vault.def. Constants only.
 */
#include "ipc/vault.h"

#define CHANNEL(name) vault_##name
#define CHANNEL_ROWS  "ipc/vault.def"
#include "ipc/define_messages.h"
