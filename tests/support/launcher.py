"""Start a command from a small process, and write what the kernel counted for it alone.

    python -S launcher.py REPORT COMMAND…

A child's greatest memory begins with what its parent had when it was started, so that a test runner
of 300 MB cannot measure a program of 80.
"""

import json
import os
import sys

report, *command = sys.argv[1:]
_, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ), 0)
with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would cost memory
    json.dump(
        {
            "exit_code": os.waitstatus_to_exitcode(status),
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "rss_mb": usage.ru_maxrss / 1024,
        },
        file,
    )
