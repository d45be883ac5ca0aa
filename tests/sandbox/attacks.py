"""What untrusted code may try, the same list for every backend."""

from __future__ import annotations

from tests.sandbox.attack import START, Attack, bash, python
from tests.sandbox.attacks_next import NEXT

READS = [
    bash("reads secrets of the host", """
        for f in /etc/shadow /*/.ssh/id_rsa /*/.bashrc /home/*/.bashrc /proc/1/environ; do
          if [ -s "$f" ] && cat "$f" >/dev/null 2>&1; then echo BROKEN "$f"; fi
        done
    """),
    python("reads the runner's memory and files", """
        for name in ("mem", "maps", "environ", "fd/0", "fd/1", "fd/2", "fd/3", "root/etc", "cwd"):
            refused(lambda: os.open("/proc/1/" + name, os.O_RDONLY), name)
    """),
    python("writes to the runner's output, or into a log of the engine", """
        for number in range(12):
            for mode in (os.O_WRONLY, os.O_RDWR):
                refused(lambda: os.write(os.open(f"/proc/1/fd/{number}", mode), b"x"), number)
    """),
    python("finds an open file that it was not given", """
        held = [fd for fd in range(3, 1024) if os.path.exists(f"/proc/self/fd/{fd}")]
        broken(*held) if held else None
    """),
    python("sees processes of the host", """
        names = [open(f"/proc/{p}/comm").read() for p in os.listdir("/proc") if p.isdigit()]
        broken(*names) if len(names) > 3 else None
    """),
    python("sees the host's disks and their files", """
        for line in open("/proc/mounts"):
            _, place, kind, *_ = line.split()
            if kind != "tmpfs" and place.startswith(("/home", "/mnt", "/media", "/boot", "/var/")):
                broken(place)
        for name in os.listdir("/dev"):
            if name.startswith(("sd", "vd", "nvme", "loop", "mem", "kmsg", "kvm", "fuse")):
                broken(name)
    """),
    python("reads kernel addresses and messages", """
        refused(lambda: open("/proc/kcore", "rb").read(1), "kcore")
        refused(lambda: open("/dev/kmsg").read(1), "kmsg")
        if libc.klogctl(3, ctypes.create_string_buffer(99), 99) > 0:
            broken("syslog")
    """),
    python("finds the engine's socket or the host's buses", """
        for place in ("/var/run/docker.sock", "/run/docker.sock", "/run/podman/podman.sock",
                      "/run/dbus/system_bus_socket", "/run/systemd/private"):
            if os.path.exists(place):
                broken(place)
    """),
    bash("learns of the host from its environment", """
        env | grep -iE 'key|secret|aws|pytest|virtual_env|ssh' | sed 's/^/BROKEN /'
    """),
]  # fmt: skip

NETWORK = [
    python("opens a socket of any family", """
        for family in range(46):
            for kind in (1, 2, 3, 5):
                refused(lambda: socket.socket(family, kind), family, kind)
    """),
    python("reaches the host by vsock", "refused(lambda: socket.socket(40, 1).connect((2, 22)))"),
    bash("connects by bash's own devices", """
        (echo x > /dev/tcp/127.0.0.1/22) 2>/dev/null && echo BROKEN tcp
        (echo x > /dev/udp/1.1.1.1/53) 2>/dev/null && echo BROKEN udp
    """),
    python("reads an address of the network", """
        links = [line.split(":")[0].strip() for line in open("/proc/net/dev") if ":" in line]
        broken(*links) if set(links) - {"lo"} else None
    """),
    python("sends by io_uring what the filter does not see", """
        page = ctypes.create_string_buffer(240)
        if libc.syscall(425, 8, page) >= 0:
            broken("io_uring")
    """),
    python("sends from a pair to a socket of another", """
        refused(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM), "datagrams")
        a, b = socket.socketpair()
        a.send(b"x")
        assert b.recv(1) == b"x"  # what programs need for their own children
        refused(lambda: a.bind("/tmp/s"), "bind")
        refused(lambda: a.listen(), "listen")
    """),
]  # fmt: skip

PROCESSES = [
    # The shell itself waits for seconds until it may fork again.
    bash("forks without end", ":(){ :|:& };:; sleep 1", "ok", "timeout", seconds=4),
    Attack("forks in a chain that no list keeps up with", START + """
print("held", flush=True)
while True:
    try:
        if os.fork():
            os._exit(0)
    except OSError:
        pass
""", status=("ok", "timeout"), seconds=1.0),
    python("leaves a process behind in a session of its own", """
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                for number in range(1, 32):
                    if number not in (9, 19):
                        signal.signal(number, signal.SIG_IGN)
                if os.fork() == 0:
                    time.sleep(1000)
                os._exit(0)
    """),
    bash("leaves a process behind that ignores signals",
         "(trap '' TERM HUP INT; nohup sleep 1000 >/dev/null 2>&1 &)"),
    python("kills everything it may", """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for number in (1, 2, 15, 9, 19, 11):
            try:
                os.kill(1, number)
            except OSError:
                pass
        print("held", flush=True)
        os.kill(-1, 9)
    """, "ok"),
    bash("kills all by shell", "echo held; kill -9 -1; kill -STOP 1; kill -9 1"),
    python("stops the runner, or interrupts it", """
        for number in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGINT, signal.SIGCHLD, 64):
            for _ in range(200):
                try:
                    os.kill(1, number)
                except OSError:
                    pass
    """),
    python("takes the runner's processor time", """
        import resource
        for name in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_NOFILE):
            refused(lambda: resource.prlimit(1, name, (0, 0)), "prlimit", name)
        resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))  # its own it may
    """),
    python("slows the runner, or all processes of its user", """
        for which, who in ((0, 1), (1, 1), (1, 0), (2, os.getuid()), (2, 0)):
            if libc.setpriority(which, who, 19) == 0:
                broken("setpriority", which, who)
        if os.getpriority(os.PRIO_PROCESS, 1) > os.getpriority(os.PRIO_PROCESS, 0):
            broken("the runner is nice")
        os.setpriority(os.PRIO_PROCESS, 0, 5)
        numbers = {"sched_setparam": 142, "sched_setscheduler": 144, "sched_setattr": 314}
        for name, number in numbers.items() if os.uname().machine == "x86_64" else ():
            if libc.syscall(number, 1, 5, bytes(64), 0) == 0:
                broken(name)
        if os.uname().machine == "x86_64" and libc.syscall(251, 1, 1, 3 << 13) == 0:
            broken("ioprio_set")
    """),
    python("pins the runner to one processor", """
        refused(lambda: os.sched_setaffinity(1, {0}), "runner")
        os.sched_setaffinity(0, os.sched_getaffinity(0))
    """),
    python("starts threads without end", """
        made = 0
        try:
            for made in range(5000):
                threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        except RuntimeError:
            pass
        broken(made) if made > 200 else None
        print("held", flush=True)
        os._exit(0)
    """),
    python("raises its own limits", """
        import resource
        for name in ("RLIMIT_CORE", "RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_MEMLOCK"):
            number = getattr(resource, name)
            hard = resource.getrlimit(number)[1]
            try:
                resource.setrlimit(number, (hard + 4096, hard + 4096))
            except (OSError, ValueError):
                continue
            broken(name)
    """),
    python("makes itself the last to be killed for memory", """
        def lower():
            with open("/proc/self/oom_score_adj", "w") as file:
                file.write("-1000")
        refused(lower)
    """),
]  # fmt: skip

MEMORY = [
    Attack("takes memory in one process", START + """
try:
    held = b"x" * (1 << 30)
except MemoryError:
    print("held")
else:
    broken("got it")
""", status=("memory_limit", "ok")),
    python("takes memory in many processes", """
        for _ in range(6):
            if os.fork() == 0:
                held = b"x" * (100 << 20)
                time.sleep(8)
                os._exit(0)
        time.sleep(2)
    """, "memory_limit", limit="memory of all processes"),
    bash("takes memory in a file of shared memory", """
        dd if=/dev/zero of=/dev/shm/x bs=1M count=400 2>/dev/null && echo BROKEN
        rm -f /dev/shm/x
    """),
    python("takes memory that no limit of a process counts", """
        if libc.syscall(319, b"x", 0) >= 0:
            broken("memfd")
        if libc.shmget(0, 1 << 20, 0o1600) >= 0:
            broken("shared memory of System V")
    """),
    python("locks memory", """
        import mmap
        page = mmap.mmap(-1, 8 << 20)
        if libc.mlock(ctypes.addressof(ctypes.c_char.from_buffer(page)), 8 << 20) == 0:
            broken("mlock")
    """),
]  # fmt: skip

TIME = [
    Attack("runs for ever in Python", "while True: pass", status=("timeout",), seconds=0.5),
    Attack("sleeps for ever", "sleep 1000", "bash", status=("timeout",), seconds=0.5),
    Attack("ignores signals and sleeps", "trap '' TERM INT HUP ALRM; while :; do sleep 1; done",
           "bash", status=("timeout",), seconds=0.5),
    Attack("runs for ever in SQL", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
           " SELECT count(*) FROM n", "sql", status=("timeout",), seconds=0.5),
    python("holds the output open from the background", """
        if os.fork() == 0:
            os.setsid()
            time.sleep(1000)
    """),
    Attack("stops itself", "echo held; kill -STOP $$", "bash", status=("timeout",), seconds=0.5),
]  # fmt: skip

DISK = [
    bash("fills the workspace", """
        for i in 1 2 3 4 5 6; do dd if=/dev/zero of=f$i bs=1M count=30 2>/dev/null; done
        size=$(du -sm /workspace | cut -f1); [ "$size" -gt 40 ] && echo BROKEN "$size"
        rm -f f*
    """),
    python("fills the workspace with empty files", """
        os.makedirs("/workspace/many")
        try:
            for made in range(20000):
                os.close(os.open(f"/workspace/many/{made}", os.O_CREAT))
        except OSError:
            pass
        broken(made) if made > 1000 else None
        subprocess.run(["rm", "-rf", "/workspace/many"])
    """, limit="number of files"),
    python("writes anywhere else", """
        for place, folders, files in os.walk("/"):
            if place.startswith(("/proc", "/workspace", "/tmp", "/dev/shm", "/opt/tdscaling")):
                folders.clear()
                continue
            refused(lambda: os.open(place + "/.x", os.O_CREAT | os.O_WRONLY), place)
    """),
    python("makes the root writable again", """
        for flags in (32, 32 | 4096, 4096, 1 << 18):
            if libc.mount(None, b"/", None, flags, None) == 0:
                broken("mount", flags)
        if libc.umount2(b"/workspace", 2) == 0:
            broken("umount")
    """),
    bash("fills the place beside the workspace", """
        dd if=/dev/zero of=/opt/tdscaling/x bs=1M count=50 2>/dev/null && echo BROKEN
        rm -f /opt/tdscaling/sitecustomize.pyc
    """),
    python("makes a device", """
        refused(lambda: os.mknod("/workspace/disk", 0o60666, os.makedev(254, 0)), "mknod")
    """),
    python("dumps core where the host says", """
        if os.fork() == 0:
            os.abort()
        os.wait()
        found = [n for n in os.listdir("/workspace") if "core" in n]
        broken(*found) if found else None
        refused(lambda: os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY), "core_pattern")
    """),
]  # fmt: skip

OUTPUT = [
    Attack("floods output", "yes", "bash", status=("output_limit",)),
    Attack("floods errors", "yes >&2", "bash", status=("output_limit",)),
    Attack("floods from the notebook", "while True: print('x' * 1000)", mode="notebook",
           status=("output_limit",)),
    python("says what the runner would say", """
        sys.stdout.buffer.write(b'\\x00\\x00\\x00\\x10\\x00\\x00\\x00\\x00{"status":"forged"}')
        sys.stdout.flush()
    """),
    Attack("tells the runner nonsense in its own name", START + """
print("held", flush=True)
for fd in range(3, 64):
    try:
        os.write(fd, b'{"exit": [[[[]]]], "memory": 1e999}\\n' * 9)
    except OSError:
        pass
""", mode="notebook"),
]  # fmt: skip

PRIVILEGE = [
    python("becomes root", """
        for work in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]),
                     lambda: os.setresuid(0, 0, 0)):
            refused(work)
        broken("root") if 0 in os.getresuid() else None
    """),
    bash("runs a program with a set-user-id bit", """
        find / -xdev -perm /6000 -type f 2>/dev/null | sed 's/^/BROKEN /'
        cp /bin/bash /workspace/b && chmod 4755 /workspace/b
        [ "$(/workspace/b -p -c 'id -u' 2>/dev/null)" = 0 ] && echo BROKEN suid
        rm -f /workspace/b
    """),
    python("gets capabilities", """
        text = open("/proc/self/status").read()
        for line in text.splitlines():
            if line.startswith("Cap") and int(line.split()[1], 16):
                broken(line)
    """),
    python("makes namespaces", """
        for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x8000000, 0x4000000, 0x2000000):
            if libc.unshare(flag) == 0:
                broken("unshare", hex(flag))
            got = libc.syscall(56, flag | 17, 0, 0, 0, 0)
            if got == 0:
                os._exit(0)
            if got > 0:
                broken("clone", hex(flag))
        if libc.syscall(435, ctypes.create_string_buffer(88), 88) > 0:
            broken("clone3")
    """),
    python("traces the runner or a child", """
        if libc.ptrace(16, 1, 0, 0) == 0 or libc.ptrace(0, 0, 0, 0) == 0:
            broken("ptrace")
        vector = (ctypes.c_ulong * 2)(0, 8)
        if libc.process_vm_readv(1, vector, 1, vector, 1, 0) >= 0:
            broken("process_vm_readv")
    """),
    python("uses calls of 32-bit programs", """
        import mmap
        child = os.fork()
        if child == 0:
            page = mmap.mmap(-1, 4096, prot=7)
            page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
            ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
            os._exit(7)
        code = os.waitstatus_to_exitcode(os.wait()[1])
        broken(code) if code == 7 and os.uname().machine == "x86_64" else None
    """),
    python("uses calls of the x32 table", """
        child = os.fork()
        if child == 0:
            os._exit(7 if libc.syscall(0x40000000 + 39) > 0 else 0)
        code = os.waitstatus_to_exitcode(os.wait()[1])
        broken(code) if code == 7 else None
    """),
    python("asks the kernel for what few programs need", """
        numbers = {"bpf": 321, "userfaultfd": 323, "keyctl": 250, "add_key": 248,
                   "perf_event_open": 298, "fanotify_init": 300, "open_by_handle_at": 304,
                   "kcmp": 312, "pidfd_getfd": 438, "modify_ldt": 154, "quotactl": 179,
                   "init_module": 175, "kexec_load": 246, "reboot": 169, "swapon": 167,
                   "settimeofday": 164, "chroot": 161, "iopl": 172, "vmsplice": 278}
        if os.uname().machine == "x86_64":
            for name, number in numbers.items():
                ctypes.set_errno(0)
                libc.syscall(number, 0, 0, 0, 0, 0)
                if ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
                    broken(name, ctypes.get_errno())
    """),
    python("takes its filter off", """
        status = open("/proc/self/status").read()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        broken(fields["Seccomp"]) if fields["Seccomp"].strip() != "2" else None
        broken("privileges") if fields["NoNewPrivs"].strip() != "1" else None
        libc.prctl(38, 0, 0, 0, 0)
        libc.prctl(22, 0, 0, 0, 0)
        refused(lambda: socket.socket(), "after prctl")
    """),
    python("changes what the kernel does for all", """
        for place, folders, files in os.walk("/proc/sys"):
            for name in files:
                refused(lambda: os.open(place + "/" + name, os.O_WRONLY), place, name)
        refused(lambda: open("/proc/sysrq-trigger", "w").write("h"), "sysrq")
        for place, folders, files in os.walk("/sys/fs/cgroup"):
            for name in files:
                refused(lambda: os.open(place + "/" + name, os.O_WRONLY), place, name)
    """),
    python("writes words into a terminal", """
        import fcntl
        refused(lambda: os.open("/dev/tty", os.O_RDWR), "tty")
        refused(lambda: fcntl.ioctl(0, 0x5412, b"x"), "TIOCSTI")
    """),
]  # fmt: skip

ATTACKS = [*READS, *NETWORK, *PROCESSES, *MEMORY, *TIME, *DISK, *OUTPUT, *PRIVILEGE, *NEXT]
