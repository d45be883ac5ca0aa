"""Tries the limits of a sandbox from inside and says which of them hold.

Enters: a backend. Leaves: one finding per limit, from a snippet that really tried to exceed it. A
limit that is set but was not seen to hold counts as not enforced, and where a trial came to no
end, that is what is told of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdscaling.sandbox import Finding, Result
from tdscaling.sandbox._limits import Limits

if TYPE_CHECKING:
    from tdscaling.sandbox._sandbox import PooledSandbox

Judge = Callable[[Result, Limits], bool]

_SYSCALLS = {
    "x86_64": {
        "io_uring_setup": 425, "ptrace": 101, "keyctl": 250, "bpf": 321, "userfaultfd": 323,
        "mount": 165, "unshare": 272, "setns": 308, "perf_event_open": 298, "add_key": 248,
        "process_vm_readv": 310, "open_by_handle_at": 304, "memfd_create": 319,
    },
    "aarch64": {
        "io_uring_setup": 425, "ptrace": 117, "keyctl": 219, "bpf": 280, "userfaultfd": 282,
        "mount": 40, "unshare": 97, "setns": 268, "perf_event_open": 241, "add_key": 217,
        "process_vm_readv": 270, "open_by_handle_at": 265, "memfd_create": 279,
    },
}  # fmt: skip

_NETWORK = """
import errno, socket
opened = []
for name in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG"):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            socket.socket(getattr(socket, name), kind).close()
        except OSError:
            continue
        opened.append(name)
links = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
print("sockets opened:", *(opened or ["none"]), "- interfaces:", *(links or ["none"]))
raise SystemExit(bool(opened) or any(link != "lo" for link in links))
"""

_WRITES = """
import os
written = []
for place in ("/", "/usr", "/usr/bin", "/etc", "/dev", "/proc/sys/kernel", "/sys", "/var", "/root"):
    try:
        os.close(os.open(place + "/probe", os.O_CREAT | os.O_WRONLY))
        written.append(place)
    except OSError:
        pass
for name in ("kernel/core_pattern", "kernel/hostname", "vm/overcommit_memory"):
    try:
        os.close(os.open("/proc/sys/" + name, os.O_WRONLY))
        written.append(name)
    except OSError:
        pass
print("could be written:", *(written or ["nothing"]))
raise SystemExit(bool(written))
"""

_SIZE = """
import os
for place in ("/workspace", "/tmp"):
    names, size = [place + "/probe%d" % n for n in range(3)], 0
    try:
        for name in names:
            with open(name, "wb", buffering=0) as file:
                for _ in range({mb} // 2):
                    size += file.write(b"x" * (1 << 20))
    except OSError as error:
        print(place, "took", size >> 20, "MB:", error.strerror)
    else:
        raise SystemExit(1)
    for name in names:
        if os.path.exists(name):
            os.unlink(name)
"""

_FILES = """
import os
os.makedirs("/workspace/probe")
made = 0
try:
    for made in range({files} + 1):
        open("/workspace/probe/%d" % made, "w").close()
except OSError as error:
    print(made, "files:", error.strerror)
else:
    raise SystemExit(1)
"""

_ALL_MEMORY = """
import os, time
each, parts = {mb} // 3 << 20, 5
for _ in range(parts):
    if os.fork() == 0:
        held = b"x" * each
        time.sleep(20)
        os._exit(0)
time.sleep(1.5)
print("used", parts * each >> 20, "MB in", parts, "processes")
"""

_PROCESSES = """
import os, time
made = 0
try:
    for made in range({pids} + 8):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
except OSError as error:
    print("after", made, "processes:", error.strerror)
else:
    raise SystemExit(1)
"""

_CPU = """
import os, time
count, start = int({cpus}) + 2, time.monotonic()
for _ in range(count):
    if os.fork() == 0:
        while time.monotonic() < start + 1.5:
            pass
        os._exit(0)
for _ in range(count):
    os.wait()
quota = 0.0
for name in ("/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"):
    if os.path.exists(name):
        told = open(name).read().split()
        quota = float(told[0]) / 1e5 if told[0] not in ("max", "-1") else 0.0
used = os.times()
share = (used.children_user + used.children_system) / (time.monotonic() - start)
print("%.2f CPUs used by %d processes, quota %g" % (share, count, quota))
raise SystemExit(share > {cpus} * 1.25 + 0.1 or not 0 < quota <= {cpus} + 0.01)
"""

_STATUS = """
fields = dict(line.split(":", 1) for line in open("/proc/self/status"))
print({name!r}, *fields[{name!r}].split())
raise SystemExit(fields[{name!r}].split() != {want!r}.split())
"""

_CAPABILITIES = """
import re
text = open("/proc/self/status").read()
found = re.findall(r"Cap(Inh|Prm|Eff|Bnd|Amb):\\t(\\S+)", text)
print(len(found), "sets, not empty:", *(["=".join(p) for p in found if int(p[1], 16)] or ["none"]))
raise SystemExit(any(int(value, 16) for _, value in found))
"""

_CALLS = """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
numbers = {table!r}.get(platform.machine(), {{}})
passed = []
for name, number in numbers.items():
    libc.syscall(number, 0, 0, 0, 0, 0)
    if ctypes.get_errno() not in (1, 38):
        passed.append(name)
print(len(numbers), "calls tried, passed:", *(passed or ["none"]))
raise SystemExit(bool(passed) or not numbers)
"""

_OTHER_MACHINE = """
import ctypes, mmap, platform
if platform.machine() != "x86_64":
    print("none on", platform.machine())
    raise SystemExit(0)
page = mmap.mmap(-1, 4096, prot=7)
page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # getpid as 32-bit programs ask
ask = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print("answered with process", ask())
raise SystemExit(1)
"""

_RUNNER = """
import os
reached = []
for name in ("environ", "maps", "mem", "fd/0", "fd/1", "fd/3", "fd/4", "root", "cwd"):
    try:
        os.close(os.open("/proc/1/" + name, os.O_RDONLY))
        reached.append(name)
    except OSError:
        pass
os.kill(1, 9)
print("reached of the runner:", *(reached or ["nothing"]))
raise SystemExit(bool(reached))
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """A snippet that tries to exceed a limit, and what it looks like where the limit holds."""

    limit: str
    code: str
    held: Judge
    remedy: str = ""
    seconds: float = 10.0


def _ended_well(result: Result, limits: Limits) -> bool:
    return result.status == "ok" and result.exit_code == 0


def _out_of_memory(result: Result, limits: Limits) -> bool:
    return result.status == "memory_limit" or "MemoryError" in result.stderr


_NEEDS_CGROUP = (
    "needs a cgroup: run as root, or as a user whose systemd session has been delegated one, or "
    "choose sandbox=docker"
)

TRIALS = (
    Trial("time of a snippet", "while True: pass", lambda r, _: r.status == "timeout", seconds=0.5),
    Trial("output of a snippet", "while True: print('x' * 99)",
          lambda r, limits: r.status == "output_limit" and len(r.stdout) <= limits.output_kb << 10),
    Trial("memory of a process", "held = b'x' * ({mb} + 64 << 20)\nprint('got it')",
          _out_of_memory),
    Trial("memory of all processes", _ALL_MEMORY, _out_of_memory, _NEEDS_CGROUP),
    Trial("number of processes", _PROCESSES, _ended_well),
    Trial("CPU time", _CPU, _ended_well, _NEEDS_CGROUP),
    Trial("size of files", _SIZE, _ended_well),
    Trial("number of files", _FILES, _ended_well),
    Trial("no network", _NETWORK, _ended_well),
    Trial("read-only root", _WRITES, _ended_well),
    Trial("no capabilities", _CAPABILITIES, _ended_well),
    Trial("no new privileges", _STATUS.format(name="NoNewPrivs", want="1"), _ended_well),
    Trial("user 65534", _STATUS.format(name="Uid", want="65534 65534 65534 65534"), _ended_well),
    Trial("system calls", _CALLS, _ended_well),
    Trial("32-bit system calls", _OTHER_MACHINE,
          lambda r, _: r.status == "ok" and r.exit_code in (0, 159)),
    Trial("runner out of reach", _RUNNER, _ended_well),
)  # fmt: skip


_ENDS = {
    "timeout": "time ran out",
    "output_limit": "it was stopped for saying too much",
    "memory_limit": "it was stopped for lack of memory",
    "refused": "it was not run",
}
"""Other ends than a snippet's own, in words."""
_KNOBS = {"timeout": "seconds", "output_limit": "flood_mb", "memory_limit": "memory_mb",
          "refused": "code_kb"}  # fmt: skip
_SIGNALS = 128
"""Exit codes above it tell which signal ended a process."""
_LIVES = "lives\n"


def probe(sandbox: PooledSandbox) -> tuple[Finding, ...]:
    """One finding per limit. Each is tried in a session of its own: a trial may spoil it."""
    return tuple(_finding(sandbox, trial) for trial in TRIALS)


def _finding(sandbox: PooledSandbox, trial: Trial) -> Finding:
    limits = sandbox.limits
    code = _filled(trial.code, limits)
    with sandbox.open("probe") as session:
        result = session.run(code, "python", mode="fork", seconds=trial.seconds)
        lives = session.run("echo lives", "bash").stdout == _LIVES
    held = trial.held(result, limits) and lives
    if not held and lives and (why := _unfinished(result)):
        knob = _KNOBS.get(result.status)
        told = f" with {sandbox.name}.{knob}={getattr(limits, knob):g}" if knob else ""
        return Finding(trial.limit, None, f"no end of the trial was seen: {why}{told}")
    seen = _seen(result)
    if not lives:
        seen = f"{seen}; then the session was lost"
    if not held and trial.remedy:
        seen = f"{seen}; {trial.remedy}"
    return Finding(trial.limit, held, seen)


def _unfinished(result: Result) -> str:
    """Why a trial that was not held off came to no end of its own; empty where it did."""
    if result.status in _ENDS:
        return _ENDS[result.status]
    return _last(result.stderr) if "Traceback" in result.stderr else ""


def _seen(result: Result) -> str:
    """How a trial ended, in words."""
    if result.status in _ENDS:
        return _ENDS[result.status]
    if result.status != "ok":
        return "the sandbox was lost"
    said = _last(result.stdout) or _last(result.stderr)
    if not said and (result.exit_code or 0) > _SIGNALS:
        said = f"it was killed by signal {(result.exit_code or 0) - _SIGNALS}"
    return said or f"exit code {result.exit_code}"


def _last(said: str) -> str:
    """The last line."""
    return (said.strip().splitlines() or [""])[-1][:90]


def _filled(code: str, limits: Limits) -> str:
    """The snippet with the limits in place of their names; other braces are its own."""
    values = {
        "{mb}": str(limits.memory_mb), "{files}": str(limits.files), "{pids}": str(limits.pids),
        "{cpus}": str(limits.cpus), "{table!r}": repr(_SYSCALLS), "{{}}": "{}",
    }  # fmt: skip
    if code is _SIZE:
        values["{mb}"] = str(limits.workspace_mb)
    for name, value in values.items():
        code = code.replace(name, value)
    return code
