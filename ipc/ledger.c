/*
 * Tables of the rows in ledger.def. Constants only.
 */
#include "ipc/ledger.h"

#define CHANNEL(name) ledger_##name
#define CHANNEL_ROWS  "ipc/ledger.def"
#include "ipc/define_messages.h"
