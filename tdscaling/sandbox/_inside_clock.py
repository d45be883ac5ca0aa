"""Runs inside the sandbox, in every Python of a snippet: a clock and chance that repeat.

Enters: `TDSCALING_CLOCK` and `TDSCALING_SEED` in the environment. Leaves: `time`, `datetime`,
`random` and `os.urandom` patched. The runner imports it, and writes its source as `sitecustomize`
for the Pythons that snippets start. Standard library only, any Python from 3.9.

The clock starts at a given second and moves by a millisecond with each look at it, and by what is
slept, so that loops which wait for a time to pass end. `time.monotonic` stays real: timeouts of
threads and event loops depend on it.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # importing typing would take a fresh Python as long as all the rest
if TYPE_CHECKING:
    from typing import Any

TICK_NS = 1_000_000

_real_sleep = time.sleep
_real: dict[str, Any] = {
    name: getattr(time, name) for name in ("localtime", "gmtime", "ctime", "asctime", "strftime")
}
_now_ns = 0
_draws = 0
_seed = ""


def start(clock: str, seed: str) -> None:
    """Set the clock to a second since 1970, and chance to a seed."""
    global _now_ns, _draws, _seed
    _now_ns, _draws, _seed = int(float(clock)) * 10**9, 0, seed


def install() -> None:
    """Patch what is loaded, and the rest when it gets loaded."""
    time.time, time.time_ns = _time, _time_ns
    time.perf_counter, time.perf_counter_ns = _time, _time_ns
    time.sleep = _sleep  # type: ignore[assignment]
    time.localtime = lambda seconds=None: _real["localtime"](_or_now(seconds))
    time.gmtime = lambda seconds=None: _real["gmtime"](_or_now(seconds))
    time.ctime = lambda seconds=None: _real["ctime"](_or_now(seconds))
    time.asctime = lambda parts=None: _real["asctime"](_parts(parts))
    time.strftime = lambda form, parts=None: _real["strftime"](form, _parts(parts))
    os.urandom = _urandom
    for name, patch in _PATCHES.items():
        if name in sys.modules:
            patch(sys.modules[name])
    sys.meta_path.insert(0, _Finder)


def reseed() -> None:
    """Seed anew after a fork, where the module `random` has seeded itself from the machine."""
    if "random" in sys.modules:
        sys.modules["random"].seed(_number())


def _time_ns() -> int:
    global _now_ns
    _now_ns += TICK_NS
    return _now_ns


def _time() -> float:
    return _time_ns() / 1e9


def _or_now(seconds: Any) -> float:
    return _time() if seconds is None else seconds


def _parts(parts: Any) -> Any:
    return parts or time.localtime()


def _sleep(seconds: float) -> None:
    global _now_ns
    _real_sleep(seconds)
    _now_ns += int(seconds * 1e9)


def _urandom(size: int) -> bytes:
    """Bytes that follow from the seed; nothing here is a secret."""
    import hashlib

    global _draws
    _draws += 1
    return hashlib.shake_256(f"{_seed}:{_draws}".encode()).digest(size)


def _number() -> int:
    return int.from_bytes(_urandom(16), "big")


def _patch_random(module: Any) -> None:
    real = module.Random.seed

    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        real(self, _number() if a is None else a, version)

    module.Random.seed = seed
    # These are methods of an instance that was made before, bound to what was there.
    module.seed = module._inst.seed
    module._urandom = _urandom
    module.seed()


def _posing_as(real: Any) -> Any:
    """A metaclass of a subclass of `real`, whose every instance it takes for its own."""

    class Posing(type):
        def __instancecheck__(cls, other: object) -> bool:
            return isinstance(other, real) if _is_ours(cls) else super().__instancecheck__(other)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real) if _is_ours(cls) else super().__subclasscheck__(other)

    return Posing


def _is_ours(made: type) -> bool:
    return "_tdscaling" in vars(made)


def _shown(self: Any, real: Any) -> str:
    text = real.__repr__(self)
    return f"datetime.{text}" if _is_ours(type(self)) else text


def _patch_datetime(module: Any) -> None:
    """Only a subclass can answer `now`: the real class cannot be changed."""
    real_datetime, real_date = module.datetime, module.date

    def today(cls: Any) -> Any:
        return cls.fromtimestamp(_time())

    def now(cls: Any, tz: Any = None) -> Any:
        return cls.fromtimestamp(_time(), tz)

    def utcnow(cls: Any) -> Any:
        return cls.fromtimestamp(_time(), module.timezone.utc).replace(tzinfo=None)

    common = {"__module__": "datetime", "_tdscaling": True, "today": classmethod(today)}
    date = _posing_as(real_date)(
        "date", (real_date,), {**common, "__repr__": lambda self: _shown(self, real_date)}
    )
    moment = {
        "now": classmethod(now),
        "utcnow": classmethod(utcnow),
        "date": lambda self: module.date(self.year, self.month, self.day),
        "__repr__": lambda self: _shown(self, real_datetime),
    }
    datetime = _posing_as(real_datetime)("datetime", (real_datetime,), {**common, **moment})
    module.date, module.datetime = date, datetime


_PATCHES = {"random": _patch_random, "datetime": _patch_datetime}


class _Finder:
    """Patches a module right after it was loaded for the first time."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        patch = _PATCHES.pop(name, None)
        if patch is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path) if finder is not _Finder else None
            if spec is not None and spec.loader is not None:
                run = spec.loader.exec_module

                def exec_module(module: Any, run: Any = run, patch: Any = patch) -> None:
                    run(module)
                    patch(module)

                spec.loader.exec_module = exec_module  # type: ignore[method-assign]
                return spec
        return None


if __name__ == "sitecustomize" and "TDSCALING_CLOCK" in os.environ:
    start(os.environ["TDSCALING_CLOCK"], os.environ.get("TDSCALING_SEED", ""))
    install()
