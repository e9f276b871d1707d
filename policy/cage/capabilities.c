/*
 * Capabilities (see capabilities.h). Runs in every program while it enters its cage, and in the
 * supervisor's forked child; with one thread, since capabilities belong to a thread.
 */
#include "policy/cage/capabilities.h"

#include <errno.h>

static bool
is_among(cap_value_t capability, const cap_value_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == capability)
			return true;
	return false;
}

static bool
flag_is_set(cap_value_t capability, cap_flag_t flag)
{
	cap_t now = cap_get_proc();
	if (now == NULL)
		return false;
	cap_flag_value_t value = CAP_CLEAR;
	bool set = cap_get_flag(now, capability, flag, &value) == 0 && value == CAP_SET;
	cap_free(now);
	return set;
}

bool
capabilities_have(cap_value_t capability)
{
	return flag_is_set(capability, CAP_EFFECTIVE);
}

int
capabilities_bound(const cap_value_t *kept, size_t count)
{
	for (cap_value_t i = 0; i < cap_max_bits(); i++)
		if (!is_among(i, kept, count) && cap_get_bound(i) == 1 && cap_drop_bound(i) != 0)
			return -errno;
	return 0;
}

int
capabilities_set(const cap_value_t *wanted, size_t count)
{
	cap_t set = cap_init();
	if (set == NULL)
		return -errno;
	int error = 0;
	static const cap_flag_t flags[] = { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE };
	for (size_t i = 0; i < ARRAY_LENGTH(flags) && count > 0 && error == 0; i++)
		if (cap_set_flag(set, flags[i], (int)count, wanted, CAP_SET) != 0)
			error = -errno;
	if (error == 0 && cap_set_proc(set) != 0)
		error = -errno;
	cap_free(set);
	return error;
}

int
capabilities_keep(const cap_value_t *kept, size_t count)
{
	if (capabilities_have(CAP_SETPCAP)) {
		int error = capabilities_bound(kept, count);
		if (error < 0)
			return error;
	}
	if (CAP_AMBIENT_SUPPORTED() && cap_reset_ambient() != 0)
		return -errno;
	cap_t set = cap_init();
	if (set == NULL)
		return -errno;
	int error = 0;
	for (size_t i = 0; i < count && error == 0; i++) {
		if (!flag_is_set(kept[i], CAP_PERMITTED))
			continue;
		if (cap_set_flag(set, CAP_PERMITTED, 1, &kept[i], CAP_SET) != 0 ||
			cap_set_flag(set, CAP_EFFECTIVE, 1, &kept[i], CAP_SET) != 0)
			error = -errno;
	}
	if (error == 0 && cap_set_proc(set) != 0)
		error = -errno;
	cap_free(set);
	return error;
}
