/*
 * Dialogues of verbs that change or tell facts, space and sessions: MDTM MFMT MFF ALLO AVBL RMDA,
 * SITE.
 */
#include "tests/unit/gateway/dialogue.h"

static const struct dialogue_row modify_rows[] = {
	{ "MFMT", "> @LOGIN\n> MFMT 20010909014640 f\n< 213 Modify=20010909014640; f\nworker "
		  "set_times "
		  "/f; \n" },
	{ "a fraction is set and not repeated",
		"> @LOGIN\n> MFMT 20010909014640.25 f\n< 213 Modify=20010909014640; f\n" },
	{ "blanks belong to the name",
		"> @LOGIN\n> MFMT 20010909014640  a b \n< 213 Modify=20010909014640;  a b \nworker "
		"set_times / a b ; \n" },
	{ "MFMT without sense", "> @LOGIN\n> MFMT f\n< 501\n> MFMT 20010909014640\n< 501\n> MFMT "
				"20010909014640 \n< 501\n> MFMT 20011309014640 f\n< 501\n> MFMT "
				"00010101000000 f\n< 501\n> MFMT\n< 501\nworker \n" },
	{ "MFMT refused",
		"> @LOGIN\nfail set_times EACCES\n> MFMT 20010909014640 f\n< 550 Permission "
		"denied.\nfail set_times ENOENT\n> MFMT 20010909014640 f\n< 550\n" },
	{ "MDTM sets",
		"> @LOGIN\nfail stat ENOENT\n> MDTM 20010909014640 f\n< 213 "
		"Modify=20010909014640; f\nworker stat /20010909014640 f; set_times /f; \n" },
	{ "MDTM of a file that is called so",
		"> @LOGIN\n> MDTM 20010909014640 f\n< 213 20010909014640\nworker stat "
		"/20010909014640 f; \n" },
	{ "MDTM sets where the other name is denied, or under no folder, or too long",
		"> @LOGIN\nfail stat EACCES\n> MDTM 20010909014640 f\n< 213 Modify=\nfail stat "
		"ENOTDIR\n> MDTM 20010909014640 f/g\n< 213 Modify=\nfail stat ENAMETOOLONG\n> MDTM "
		"20010909014640 f\n< 213 Modify=\n" },
	{ "MDTM: the setting is refused",
		"> @LOGIN\nfail stat ENOENT\nfail set_times EACCES\n> MDTM "
		"20010909014640 f\n< 550 Permission denied.\n> NOOP\n< "
		"200\n" },
	{ "MDTM: what is no moment is a name",
		"> @LOGIN\nfail stat ENOENT\n> MDTM 20011309014640 f\n< 550\nworker stat "
		"/20011309014640 f; \n" },
	{ "MDTM: a worker that dies",
		"> @LOGIN\nlate stat\n> MDTM 20010909014640 f\nsettle\nworker "
		"dies\n< 451\nrelease\n> MDTM f\n< 213\n" },
	{ "MFF", "> @LOGIN\n> MFF modify=20010909014640;Unix.Mode=644; f g\n< 213 "
		 "Modify=20010909014640;UNIX.mode=0644; f g\nworker set_mode /f g; set_times /f g; "
		 "\n> MFF UNIX.mode=0700; d\n< 213 UNIX.mode=0700; d\n" },
	{ "MFF of what cannot be set sets nothing",
		"> @LOGIN\n> MFF Modify=20010909014640;Create=20010909014640; f\n< 504\n> MFF "
		"Modify=20010909014640;UNIX.group=100; f\n< 504\n> MFF UNIX.mode=4755; f\n< 504\n> "
		"MFF Modify=20010909014640;size; f\n< 501\n> MFF UNIX.mode=9; f\n< 501\n> MFF "
		"UNIX.mode=644 f\n< 501\n> MFF UNIX.mode=644;\n< 501\n> MFF  f\n< 501\nworker \n" },
	{ "MFF refused halfway",
		"> @LOGIN\nfail set_mode EACCES\n> MFF "
		"Modify=20010909014640;UNIX.mode=644; f\n< 550\nworker set_mode /f; "
		"\n" },
	{ "birth times cannot be set", "> @LOGIN\n> MFCT 20010909014640 f\n< 502\n" },
};

static const struct dialogue_row space_rows[] = {
	{ "AVBL", "> @LOGIN\n> AVBL\n< 213 5\n> AVBL d/e\n< 213 5\nworker space /; space /d/e; "
		  "\nfail "
		  "space ENOENT\n> AVBL x\n< 550\nfail space EACCES\n> AVBL x\n< 550\n" },
	{ "ALLO", "> @LOGIN\n> ALLO 5\n< 200\n> ALLO 6\n< 452 Only 5 bytes are left.\n> ALLO 5 R "
		  "10\n< "
		  "200\n> ALLO 6 R 1\n< 452\n> ALLO 18446744073709551615\n< 452\n" },
	{ "ALLO where nothing may be seen", "> @LOGIN\nfail space EACCES\n> ALLO 5\n< 202\n" },
	{ "ALLO fails", "> @LOGIN\nfail space ETIMEDOUT\n> ALLO 5\n< 451\n" },
	{ "ALLO without sense",
		"> @LOGIN\n> ALLO\n< 501\n> ALLO x\n< 501\n> ALLO -1\n< 501\n> ALLO 1 "
		"R\n< 501\n> ALLO 1 R x\n< 501\n> ALLO 18446744073709551616\n< "
		"501\nworker \n" },
	{ "ALLO between REST and STOR", "> @LOGIN\n> TYPE I\n< 200\n> PASV\n< 227\ndata open\ndata "
					"end\n> REST 2\n< 350\n> ALLO 5\n< 200\nfail upload_open "
					"EINVAL\n> STOR f\n< 554\n" },
};

static const struct dialogue_row tree_rows[] = {
	{ "RMDA", "> @LOGIN\n> RMDA d\n< 250\nworker remove_tree /d; \nfail remove_tree ENOTDIR\n> "
		  "RMDA f\n< 550\nfail remove_tree EBUSY\n> RMDA /\n< 450\n> RMDA\n< 501\n" },
	{ "RMDA aborted", "> @LOGIN\nlate remove_tree\n> RMDA d\n= nothing\n> ABOR\n< 426\n< "
			  "226\nworker remove_tree /d; cancel; \n" },
	{ "SITE MKDIR",
		"> @LOGIN\n> SITE MKDIR a/b c\n< 257 \"/a/b c\" \nworker mkdir /a/b c; \n> SITE "
		"MKDIR\n< 501\n" },
	{ "SITE RMDIR", "> @LOGIN\n> SITE RMDIR a/b c\n< 250\nworker remove_tree /a/b c; \n" },
};

static const struct dialogue_row site_rows[] = {
	{ "HELP", "> @LOGIN\n> SITE HELP\n< 214-\n<<  SITE CHMOD mode path: \n<< 214 \n> SITE HELP "
		  "chmod\n< 214 SITE CHMOD mode path: \n> HELP SITE\n< 214-\n<< 214 \n> SITE HELP "
		  "XYZZY\n< 502\n> SITE XYZZY\n< 502\n> SITE\n< 501\n" },
	{ "not before the login", "< 220\n> SITE HELP\n< 530\n> HELP SITE\n< 214-\n<< 214 \n" },
	{ "CHMOD",
		"> @LOGIN\n> SITE CHMOD 755 a b\n< 200\nworker set_mode /a b; \n> site chmod 0640 "
		"f\n< 200\n> SITE CHMOD 1755 f\n< 504\n> SITE CHMOD 8 f\n< 501\n> SITE CHMOD u+x "
		"f\n< 501\n> SITE CHMOD 755\n< 501\n> SITE CHMOD 10000 f\n< 501\nfail set_mode "
		"EACCES\n> SITE CHMOD 700 f\n< 550\n" },
	{ "UTIME, time first",
		"> @LOGIN\n> SITE UTIME 20010909014640 a b\n< 200\nworker set_times /a "
		"b; \n> SITE UTIME 200109090146 f\n< 200\n" },
	{ "UTIME, path first",
		"> @LOGIN\n> SITE UTIME a b 20010909014640 20010909014641 20010909014642 UTC\n< "
		"200\nworker set_times /a b; \n" },
	{ "UTIME without sense",
		"> @LOGIN\n> SITE UTIME f\n< 501\n> SITE UTIME 20010909014640\n< "
		"501\n> SITE UTIME f 20010909014640 20010909014640 UTC\n< 501\n> SITE "
		"UTIME f 20010909014640 20010909014640 20010909014640 CET\n< "
		"501\n> SITE UTIME 2001090901464 f\n< 501\nworker \n" },
	{ "SYMLINK",
		"> @LOGIN\n> SITE SYMLINK ../t l\n< 200\nworker symlink /l; \n> SITE SYMLINK \"a "
		"b\" \"c d\"\n< 200\nworker symlink /c d; \n> SITE SYMLINK t\n< 501\n> SITE "
		"SYMLINK a b c\n< 501\n> SITE SYMLINK \"\" l\n< 501\nfail symlink EEXIST\n> SITE "
		"SYMLINK t f\n< 553\n" },
	{ "CPFR, CPTO",
		"> @LOGIN\n> SITE CPFR f\n< 350\n> SITE CPTO g\n< 250 Copied: 5 bytes.\nworker "
		"stat /f; copy /f; \n> SITE CPTO g\n< 503\n" },
	{ "CPTO must follow at once",
		"> @LOGIN\n> SITE CPFR f\n< 350\n> NOOP\n< 200\n> SITE CPTO g\n< "
		"503\n> SITE CPFR f\n< 350\n> SITE IDLE\n< 200\n> SITE CPTO "
		"g\n< 503\n" },
	{ "CPFR of nothing, of a folder",
		"> @LOGIN\nfail stat ENOENT\n> SITE CPFR f\n< 550\n> SITE "
		"CPTO g\n< 503\n> SITE CPFR d\n< 550\n> SITE CPTO g\n< "
		"503\n" },
	{ "CPTO aborted", "> @LOGIN\nlate copy\n> SITE CPFR f\n< 350\n> SITE CPTO g\n= nothing\n> "
			  "ABOR\n< 426\n< 226\n" },
	{ "COPY",
		"> @LOGIN\n> SITE COPY f g\n< 250\n> SITE COPY \"a b\" \"c d\"\n< 250\nworker copy "
		"/f; copy /a b; \n> SITE COPY f\n< 501\nfail copy EISDIR\n> SITE COPY f d\n< "
		"553\n" },
	{ "UMASK", "> @LOGIN\n> SITE UMASK\n< 200 Umask is 022.\n> SITE UMASK 077\n< 200 Umask is "
		   "077.\n> SITE UMASK\n< 200 Umask is 077.\n> SITE UMASK 002\n< 504 The umask can "
		   "only add to 022.\n> SITE UMASK\n< 200 Umask is 077.\n> SITE UMASK 022\n< 200 "
		   "Umask is 022.\n" },
	{ "UMASK without sense",
		"> @LOGIN\n> SITE UMASK 1000\n< 501\n> SITE UMASK 8\n< 501\n> SITE "
		"UMASK u=rwx\n< 501\nworker \nfail account EIO\n> SITE UMASK\n< "
		"451\n" },
	{ "UMASK ends with REIN",
		"> @LOGIN\n> SITE UMASK 077\n< 200\n> REIN\n< 220\n> USER u\n< "
		"331\n> PASS secret\n< 230\n> SITE UMASK\n< 200 Umask is 022.\n" },
	{ "WHO", "> @LOGIN\n> SITE WHO\n< 200-Sessions:\n<  0000000700000001 from 127.0.0.1:0, 12 "
		 "s, 0 "
		 "bytes sent, 0 received, this one\n<  and 2 more\n< 200 End\n> SITE WHO x\n< "
		 "501\n" },
	{ "IDLE", "> @LOGIN\n> SITE IDLE\n< 200 Idle time limit is 10 seconds, of at most 10.\n> "
		  "SITE "
		  "IDLE 5\n< 200 Idle time limit is 5 seconds\n> SITE IDLE 11\n< 501\n> SITE IDLE "
		  "0\n< 501\n> SITE IDLE x\n< 501\n> SITE IDLE\n< 200 Idle time limit is 5 "
		  "seconds\n> REIN\n< 220\n> USER u\n< 331\n> PASS secret\n< 230\n> SITE IDLE\n< "
		  "200 Idle time limit is 10 seconds\n" },
	{ "IDLE holds", "> @LOGIN\n> SITE IDLE 1\n< 200\n< 421 Idle for too long.\n= closed\n" },
	{ "QUOTA", "> @LOGIN\n> SITE QUOTA\n< 200 No quota is set.\n> SITE QUOTA x\n< 501\n" },
};

static const struct dialogue_row combine_rows[] = {
	{ "parts", "> @LOGIN\n> COMB t a b\n< 250 Combined: 10 bytes.\nworker combine /t; \n> COMB "
		   "\"t t\" \"a\"\n< 250 Combined: 5 bytes.\nworker combine /t t; \n" },
	{ "none",
		"> @LOGIN\n> COMB\n< 501\n> COMB t\n< 501\n> COMB \"t\" \"a\n< 501\n> COMB \"t\"x "
		"a\n< 501\nworker \n" },
	{ "64 are the most",
		"> @LOGIN\n> COMB t a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
		"a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
		"a\n< 250 Combined: 320 bytes.\n> COMB t a a a a a a a a a a a a a a a a "
		"a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
		"a a a a a a a a a a a a\n< 501 Too many parts; 64 are possible at a "
		"time.\n" },
	{ "a name too long",
		"> @LOGIN\nfail combine ENAMETOOLONG\n> COMB t x\n< 553 The name is too long.\n" },
	{ "refused",
		"> @LOGIN\nfail combine ENOENT\n> COMB t a\n< 550\nfail combine EACCES\n> COMB t "
		"a\n< 550 Permission denied.\nfail combine ENOSPC\n> COMB t a\n< 452\nfail "
		"combine EBUSY\n> COMB t a\n< 450\n" },
	{ "aborted", "> @LOGIN\nlate combine\n> COMB t a\n= nothing\n> ABOR\n< 426\n< 226\nworker "
		     "combine /t; cancel; \n" },
	{ "parts that stay are told of", "> @LOGIN\nparts left 1\n> COMB t a b\n< 250 Combined: 10 "
					 "bytes; 1 parts could not be "
					 "removed.\n" },
};

static const struct dialogue_row client_rows[] = {
	{ "CLNT, before and after the login",
		"< 220\n> CLNT x\n< 200\nevents client\n> CLNT\n< 501\n> CSID Name=x;\n< 530\n" },
	{ "CSID", "> @LOGIN\n> CSID Name=FTP Voyager; Version=15.0.0.2;\n< 200 Name=Sallyport; "
		  "OS=Linux; \nevents client\n> CLNT y\n< 200\n" },
	{ "one introduction is in the record, and not too long a one",
		"< 220\n> CLNT "
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxx"
		"\n< 501\n> CLNT x\n< 200\n> CLNT y\n< 200\n> QUIT\n< 221\n= closed\nevents "
		"connected; client; disconnected; \n" },
};

int
main(void)
{
	const struct table tables[] = {
		TABLE("modify", modify_rows, dialogue_check),
		TABLE("space", space_rows, dialogue_check),
		TABLE("tree", tree_rows, dialogue_check),
		TABLE("SITE", site_rows, dialogue_check),
		TABLE("COMB", combine_rows, dialogue_check),
		TABLE("client", client_rows, dialogue_check),
	};
	return table_run(tables, ARRAY_LENGTH(tables));
}
