/*
 * Certificates at auth's desk: whose they are, when they suffice, and that a proof comes before the
 * password that it may have to go with (desk.h, accounts.h).
 */
#include "tests/unit/auth/desk_scene.h"

struct certificate_row {
	const char *name;
	const char *user;
	enum pool_result result; /* of the proof */
	const char *fingerprint, *called;
	const char *want;
};

static const struct certificate_row certificate_rows[] = {
	{ "a name of the user's", "erin", POOL_MATCHES, FINGERPRINT, "email/erin@example.org",
		"identified:erin:1 accepted:1 " },
	{ "the other one", "erin", POOL_MATCHES, FINGERPRINT, "dns/erin.example",
		"identified:erin:1 accepted:1 " },
	{ "the same text of another kind", "erin", POOL_MATCHES, FINGERPRINT, "uri/erin.example",
		"password-needed:1 " },
	{ "the beginning of the name", "erin", POOL_MATCHES, FINGERPRINT, "dns/erin.exampl",
		"password-needed:1 " },
	{ "more than the name", "erin", POOL_MATCHES, FINGERPRINT, "dns/erin.example.org",
		"password-needed:1 " },
	{ "the fingerprint", "frank", POOL_MATCHES, FINGERPRINT, "",
		"identified:frank:1 accepted:1 " },
	{ "another fingerprint", "frank", POOL_MATCHES, OTHER_FINGERPRINT, "",
		"password-needed:1 " },
	{ "the fingerprint as a name", "frank", POOL_MATCHES, OTHER_FINGERPRINT,
		"sha256/" FINGERPRINT, "password-needed:1 " },
	{ "a proof that is none", "erin", POOL_DIFFERS, "", "", "password-needed:1 " },
	{ "no proof, and names all the same", "erin", POOL_DIFFERS, FINGERPRINT,
		"email/erin@example.org", "password-needed:1 " },
	{ "a password is needed, too", "gina", POOL_MATCHES, FINGERPRINT, "dns/gina.example",
		"password-needed:1 " },
	{ "a disabled user", "hugo", POOL_MATCHES, FINGERPRINT, "dns/hugo.example",
		"password-needed:1 " },
	{ "somebody else's name", "alice", POOL_MATCHES, FINGERPRINT, "dns/erin.example",
		"password-needed:1 " },
	{ "nobody's name", "mallory", POOL_MATCHES, FINGERPRINT, "dns/erin.example",
		"password-needed:1 " },
	{ "a hasher that dies", "erin", POOL_DIED, "", "", "unavailable:1 " },
};

static void
check_certificate(void **state)
{
	const struct certificate_row row = *(const struct certificate_row *)*state;
	scene_open(state);
	struct scene *scene = *state;
	const struct verify_certificate shown = {
		.session = (uint64_t)INCARNATION << 32 | 1,
		.attempt = 1,
		.user = bytes_of_text(row.user),
		.proof = bytes_of_text("messages"),
	};
	assert_int_equal(verify_post_certificate(scene->gateway, 1, &shown), 0);
	scene_settle(scene);
	assert_string_equal(the_pool.proof, "messages");
	pool_finish_proof(row.result, row.fingerprint, row.called);
	scene_settle(scene);
	assert_string_equal(scene->log, row.want);
	assert_int_equal(the_pool.proved, 1);
	assert_int_equal(the_pool.computed, 0);
	scene_close(scene);
}

struct both_row {
	const char *name;
	const char *user;
	enum pool_result proof;
	const char *called;
	enum pool_result password;
	const char *want;
};

static const struct both_row both_rows[] = {
	{ "both, as they must be", "gina", POOL_MATCHES, "dns/gina.example", POOL_MATCHES,
		"identified:gina:1 accepted:1 " },
	{ "a wrong password", "gina", POOL_MATCHES, "dns/gina.example", POOL_DIFFERS,
		"refused:1 " },
	{ "another one's certificate", "gina", POOL_MATCHES, "dns/erin.example", POOL_MATCHES,
		"refused:1 " },
	{ "a proof that is none", "gina", POOL_DIFFERS, "", POOL_MATCHES, "refused:1 " },
	{ "one of the two suffices", "erin", POOL_DIFFERS, "", POOL_MATCHES,
		"identified:erin:1 accepted:1 " },
	{ "a password for who has none fits the stand-in", "frank", POOL_DIFFERS, "", POOL_MATCHES,
		"refused:1 " },
	{ "a hasher that dies with the proof", "gina", POOL_DIED, "", POOL_MATCHES, "refused:1 " },
};

/* The proof costs a hash no less: as many computations, whatever it was worth. */
static void
check_both(void **state)
{
	const struct both_row row = *(const struct both_row *)*state;
	scene_open(state);
	struct scene *scene = *state;
	const struct verify_password typed = {
		.session = (uint64_t)INCARNATION << 32 | 1,
		.attempt = 1,
		.user = bytes_of_text(row.user),
		.secret = bytes_of_text("right"),
		.proof = bytes_of_text("messages"),
	};
	assert_int_equal(verify_post_password(scene->gateway, 1, &typed), 0);
	scene_settle(scene);
	assert_int_equal(the_pool.computed, 0);
	pool_finish_proof(row.proof, row.proof == POOL_MATCHES ? FINGERPRINT : "", row.called);
	scene_settle(scene);
	assert_int_equal(the_pool.computed, 1);
	pool_finish(row.password);
	scene_settle(scene);
	assert_string_equal(scene->log, row.want);
	scene_close(scene);
}

static void
check_password_without_hash(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	scene_type_password(scene, 1, "gina", "right");
	pool_finish(POOL_MATCHES);
	scene_type_password(scene, 2, "frank", "right");
	pool_finish(POOL_MATCHES);
	scene_settle(scene);
	assert_string_equal(scene->log, "refused:1 refused:2 ");
	scene_close(scene);
}

static void
check_new_trust(void **state)
{
	scene_open(state);
	struct scene *scene = *state;
	desk_renew_trust(scene->desk);
	assert_int_equal(the_pool.renewed, 1);
	scene_close(scene);
}

int
main(void)
{
	const struct table tables[] = {
		TABLE("certificate", certificate_rows, check_certificate),
		TABLE("certificate and password", both_rows, check_both),
		CASE("a password alone, where a certificate is needed",
			check_password_without_hash),
		CASE("what proofs are held to is new", check_new_trust),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
