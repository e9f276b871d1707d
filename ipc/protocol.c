/*
 * All tables of messages (see protocol.h). Constants only.
 */
#include "ipc/protocol.h"

#include "ipc/admin.h"
#include "ipc/attach.h"
#include "ipc/event.h"
#include "ipc/gate.h"
#include "ipc/hash.h"
#include "ipc/ledger.h"
#include "ipc/loader.h"
#include "ipc/pathio_messages.h"
#include "ipc/resolve.h"
#include "ipc/sign.h"
#include "ipc/vault.h"
#include "ipc/verdict.h"
#include "ipc/verify.h"

const struct protocol protocols[PROTOCOL_COUNT] = {
#define PROTOCOL(title, one_end, other_end, text)   \
	[PROTOCOL_INDEX_##title] = {                \
		.name = #title,                     \
		.doc = (text),                      \
		.messages = &title##_messages,      \
		.ends = { (one_end), (other_end) }, \
	},
#include "ipc/protocol.def"
};
