"""What Python expects of a system and WASI has not: threads say what to do instead, and questions
to which every program wants an answer have one."""

from __future__ import annotations

import os
import threading
from typing import Any


def start(thread: threading.Thread) -> Any:
    raise RuntimeError(
        f"a component has no threads, so {thread.name} cannot be started; call the function "
        "itself, or use concurrent.futures.ThreadPoolExecutor, which runs at once what it is given"
    )


def supply() -> None:
    threading.Thread.start = start
    for name in ("getuid", "geteuid", "getgid", "getegid"):
        if not hasattr(os, name):
            setattr(os, name, lambda: 0)
    if not hasattr(os, "getppid"):
        os.getppid = lambda: 1
    if not hasattr(os, "umask"):
        os.umask = lambda mask: mask and 0
    if not hasattr(os, "getlogin"):
        os.getlogin = lambda: "tarp"
