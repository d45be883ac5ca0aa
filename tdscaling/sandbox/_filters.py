"""The system calls that untrusted code may make, as a seccomp filter.

Enters: nothing. Leaves: a program for the kernel's filter machine, which the runner installs in
itself before any snippet, so that every process of a sandbox has it, on top of what an engine
installs. A list of what is allowed, because a list of what is forbidden ages with each kernel:
whatever is not named here, such as io_uring, namespaces, keys, tracing, BPF or mounts, does not
exist for a snippet (`ENOSYS`, which C libraries know how to answer). Sockets of every family are
closed but for stream pairs, which programs use to talk to their own children. Another processor
architecture's calls, which could number the same calls differently, kill the process.
"""

from __future__ import annotations

import errno
import functools
import tempfile
from typing import Any

from tdscaling.errors import SandboxError

_ALLOWED = """
_llseek access alarm arch_prctl brk capget chdir chmod chown clock_getres clock_gettime
clock_nanosleep close close_range copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group
faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat
fdatasync fgetxattr flistxattr flock fork fstat fstatfs fsync ftruncate futex futex_waitv
futimesat get_robust_list getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups
getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit
getrusage getsid getsockopt gettid gettimeofday getuid getxattr inotify_add_watch inotify_init
inotify_init1 inotify_rm_watch kill lchown lgetxattr link linkat listxattr llistxattr lseek lstat
madvise membarrier mincore mkdir mkdirat mlock mmap mprotect mremap msync munlock
munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 poll
ppoll prctl pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readahead
readlink readlinkat readv recvfrom recvmsg rename renameat renameat2 restart_syscall rmdir rseq
rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity
sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
sched_yield seccomp select sendfile sendmsg sendto set_robust_list set_tid_address setfsgid
setfsuid setgid setgroups setitimer setpgid setregid setresgid setresuid setreuid
setrlimit setsid setsockopt setuid shutdown sigaltstack splice stat statfs statx symlink symlinkat
sync sync_file_range sysinfo tee tgkill time timerfd_create timerfd_gettime timerfd_settime times
tkill truncate ugetrlimit umask uname unlink unlinkat utime utimensat utimes vfork wait4 waitid
waitpid write writev
"""

_REFUSED = """
accept accept4 acct add_key bind bpf chroot connect delete_module fanotify_init finit_module
get_mempolicy getpeername getsockname init_module io_uring_enter io_uring_register io_uring_setup
ioperm iopl ioprio_set kcmp keyctl lookup_dcookie listen mbind memfd_create memfd_secret
modify_ldt mount mount_setattr move_mount move_pages mq_open msgget name_to_handle_at
open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_vm_readv
process_vm_writev ptrace quotactl
reboot request_key sched_setattr sched_setparam sched_setscheduler semget set_mempolicy
setdomainname sethostname setns settimeofday
shmget socket swapoff swapon syslog timer_create umount umount2 unshare userfaultfd vhangup vmsplice
"""
"""Answered with `EPERM`: programs that try these can say what happened."""

_NAMESPACES = 0x7E020000 | 0x00000080
"""Flags of clone that make namespaces."""

_STREAM, _TYPE, _AF_UNIX = 1, 0xF, 1
_FILE_COMMANDS = (*range(8), 9, 11, 12, 13, 14, 16, 36, 37, 38, 1025, *range(1030, 1039))
"""Of fcntl: duplicates, flags, locks, sizes of pipes, seals, hints."""
_SIGNALLING = (8, 10, 15, 1024, 1026)
"""Those that choose a signal or who gets it, leases and notices of changes: they would wake a
stopped process, or hold up who opens a file."""
_TTY_REQUESTS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: put words into a terminal's mouth


@functools.cache
def program() -> bytes:
    """The filter as the kernel takes it: instructions of 8 bytes.

    Raises:
        SandboxError: naming the package, if the library that makes it is not here.
    """
    try:
        import pyseccomp as seccomp
    except (ImportError, OSError, RuntimeError) as error:
        raise SandboxError(
            f"sandbox: cannot make a seccomp filter ({error}); type: apt-get install libseccomp2"
        ) from error
    made = seccomp.SyscallFilter(seccomp.ERRNO(errno.ENOSYS))
    made.set_attr(seccomp.Attr.ACT_BADARCH, seccomp.KILL_PROCESS)
    refuse, allow = seccomp.ERRNO(errno.EPERM), seccomp.ALLOW
    for name in _ALLOWED.split():
        _rule(made, allow, name)
    for name in _REFUSED.split():
        _rule(made, refuse, name)
    clone = seccomp.Arg(0, seccomp.MASKED_EQ, _NAMESPACES, 0)
    _rule(made, allow, "clone", clone)
    family = seccomp.Arg(0, seccomp.EQ, _AF_UNIX)
    kind = seccomp.Arg(1, seccomp.MASKED_EQ, _TYPE, _STREAM)
    _rule(made, allow, "socketpair", family, kind)
    # The runner has the same uid: what names a process may name none but the caller.
    for name in ("prlimit64", "sched_setaffinity"):
        _rule(made, allow, name, seccomp.Arg(0, seccomp.EQ, 0))
        _rule(made, refuse, name, seccomp.Arg(0, seccomp.NE, 0))
    # `which` must be 0, too: other values are groups of processes and all of a user.
    own = seccomp.Arg(0, seccomp.EQ, 0)
    _rule(made, allow, "setpriority", own, seccomp.Arg(1, seccomp.EQ, 0))
    _rule(made, refuse, "setpriority", own, seccomp.Arg(1, seccomp.NE, 0))
    _rule(made, refuse, "setpriority", seccomp.Arg(0, seccomp.NE, 0))
    fifo = 0o010000
    _rule(made, allow, "mknod", seccomp.Arg(1, seccomp.MASKED_EQ, 0o170000, fifo))
    _rule(made, allow, "mknodat", seccomp.Arg(2, seccomp.MASKED_EQ, 0o170000, fifo))
    for persona in (0, 0xFFFFFFFF):
        _rule(made, allow, "personality", seccomp.Arg(0, seccomp.EQ, persona))
    # The kernel reads a request as 32 bits: compare the low half alone.
    low = 0xFFFFFFFF
    first, second = _TTY_REQUESTS
    for request in _requests(first, second):
        _rule(made, allow, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, low, request))
    for command in _FILE_COMMANDS:
        _rule(made, allow, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, low, command))
    for command in _SIGNALLING:
        _rule(made, refuse, "fcntl", seccomp.Arg(1, seccomp.MASKED_EQ, low, command))
    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


def _requests(*refused: int) -> list[int]:
    """The requests to terminals and files that are allowed: what C and Python programs ask."""
    known = [*range(0x5401, 0x5420), 0x5421, 0x5450, 0x5451, 0x5452]
    return [request for request in known if request not in refused]


def _rule(made: Any, action: Any, name: str, *arguments: Any) -> None:
    try:
        made.add_rule(action, name, *arguments)
    except (OSError, ValueError, RuntimeError):
        # An unknown name gets the default, which is to not exist; so does all that depends on it.
        return
