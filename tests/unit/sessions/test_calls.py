#!/usr/bin/env python3
"""The books make no system call of their own: no function of libc that does is among their symbols."""
import subprocess
import sys

FORBIDDEN = """
    fork vfork clone posix_spawn system popen execve execv execvp execl execlp fexecve
    open open64 openat openat64 creat fopen fopen64 freopen opendir mkdir unlink rename link symlink chmod fchmod chown
    fchown truncate ftruncate stat lstat fstat readlink access chdir fchdir chroot mount umount
    socket socketpair bind connect listen accept accept4 shutdown setsockopt
    read write readv writev pread pwrite send sendto sendmsg recv recvfrom recvmsg sendfile splice
    kill raise ptrace prctl syscall ioctl fcntl fcntl64 dup dup2 dup3 pipe pipe2
    setuid setgid seteuid setegid setreuid setresuid setresgid setgroups initgroups setrlimit setrlimit64
    getpwnam getpwnam_r getgrnam getaddrinfo pthread_create dlopen
""".split()

CASES = {
    "the books make no system call": lambda symbols: sorted(symbols & set(FORBIDDEN)),
    "and ask the supervisor instead": lambda symbols: sorted(
        {"process_start", "process_kill", "pair_make", "passive_listen", "active_connect"} - symbols),
}

output = subprocess.run(["nm", "-u", sys.argv[1]], check=True, capture_output=True, text=True).stdout
found = {line.split()[-1].split("@")[0] for line in output.splitlines() if line.startswith(" ")}
print(f"1..{len(CASES)}")
wrong = False
for number, (name, check) in enumerate(CASES.items(), 1):
    findings = check(found)
    wrong = wrong or bool(findings)
    print(f"{'not ok' if findings else 'ok'} {number} - {name}" + (f": {' '.join(findings)}" if findings else ""))
sys.exit(wrong)
