"""What untrusted code may try against the snippets and files that come after it."""

from __future__ import annotations

from tests.sandbox.attack import START, Attack, bash, python

_FORGE = (
    START
    + """
frame, order = sys._getframe(), None
while frame:
    order = frame.f_locals.get("order", order)
    done = frame.f_locals.get("done", -1)
    if done >= 0:
        break
    frame = frame.f_back
told = b'{"exit": 0, "memory": false, "token": "%s"}\\n' % order["token"].encode()
print("held", flush=True)
"""
)
"""Finds what a notebook says at the end of a snippet, and on which pipe."""

FORGERIES = [
    Attack("says many times that its snippet is over", _FORGE + """
for _ in range(500):
    os.write(done, told)
""", mode="notebook"),
    Attack("says that its snippet is over and goes on", _FORGE + """
os.write(done, told)
time.sleep(0.3)  # with the next snippet, as what it has in the background would
_ = os.write(done, told * 9)
""", mode="notebook"),
    Attack("says that its snippet is over from a fork", _FORGE + """
if os.fork() == 0:
    os.setsid()
    for _ in range(9):
        os.write(done, told)
    os._exit(0)
_ = os.wait()
""", mode="notebook"),
    Attack("tells a wrong end under another name", _FORGE + """
for token in ("", "0" * 32, None, 7, [], {}):
    os.write(done, (repr({"exit": 77, "memory": 1, "token": token}) + "\\n")
             .replace("'", '"').replace("None", "null").encode())
""", mode="notebook"),
    Attack("comes to its end twice by forking", START + """
print("held", flush=True)
child = os.fork()
if child:
    _ = os.waitpid(child, 0)
""", mode="notebook"),
    python("reaches into a notebook that stands still", """
        others = [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())]
        broken("there is no notebook") if not others else None
        for other in others:
            for name in ("mem", "maps", "environ", *(f"fd/{n}" for n in range(16))):
                for mode in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                    refused(lambda: os.open(f"/proc/{other}/{name}", mode), other, name)
    """),
    python("writes into the runner's memory", """
        for name in ("mem", "oom_score_adj", "clear_refs", "comm", "fd/3", "fd/4", "fd/5", "fd/6"):
            refused(lambda: os.open("/proc/1/" + name, os.O_WRONLY), name)
        vector = (ctypes.c_ulong * 2)(0, 8)
        if libc.process_vm_writev(1, vector, 1, vector, 1, 0) >= 0:
            broken("process_vm_writev")
        try:
            handle = os.pidfd_open(1)
        except OSError:
            pass
        else:
            for number in range(12):
                if libc.syscall(438, handle, number, 0) >= 0:
                    broken("pidfd_getfd", number)
    """),
]  # fmt: skip

EXHAUSTED = [
    Attack("forks from a notebook until there are no more processes", START + """
try:
    while True:
        if os.fork() == 0:
            time.sleep(100)
            os._exit(0)
except OSError:
    print("held", flush=True)
""", mode="notebook"),
    Attack("leaves dead children to its notebook until there are no more", START + """
try:
    while True:
        if os.fork() == 0:
            os._exit(0)
except OSError:
    print("held", flush=True)
""", mode="notebook"),
    Attack("forks from a notebook in all directions", START + """
print("held", flush=True)
while True:
    try:
        os.fork()
    except OSError:
        pass
""", mode="notebook", status=("ok", "timeout"), seconds=1.0),
]  # fmt: skip

PLANTED = [
    bash("plants endless pipes where files are read and written", """
        rm -rf data.db* after .after.part
        for name in data.db data.db-journal data.db-wal data.db-shm after .after.part; do
          mkfifo "$name" || echo BROKEN
        done
        (sleep 9 > after &) ; (sleep 9 < after &)
    """),
    bash("plants links to endless devices where files are read and written", """
        rm -rf data.db* after .after.part
        for name in data.db data.db-journal data.db-wal after .after.part; do
          ln -s /dev/zero "$name" || echo BROKEN
        done
    """),
    bash("plants folders where files are read and written", """
        rm -rf data.db* after
        mkdir -p data.db/x data.db-journal/x
        for name in snippet.sh snippet.py bashrc sitecustomize.pyc; do
          rm -f "/opt/tdscaling/$name"
          mkdir -p "/opt/tdscaling/$name/x/y"; chmod 0 "/opt/tdscaling/$name/x"
        done
    """),
    bash("plants pipes where interpreters look when they start", """
        cd /opt/tdscaling || exit
        rm -f bashrc sitecustomize.pyc
        mkfifo bashrc sitecustomize.pyc sitecustomize.py snippet.py
    """),
    bash("closes the folders that it may write", """
        rm -f /opt/tdscaling/*
        chmod 0 /workspace /opt/tdscaling /tmp 2>/dev/null
    """),
]  # fmt: skip

NEXT = [*FORGERIES, *EXHAUSTED, *PLANTED]
