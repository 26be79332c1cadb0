# SPDX-License-Identifier: MIT
"""What the environment asks a runner for."""

import os
import sys


def refuse(message):
    """The request makes no sense: say so and end."""
    name = os.path.relpath(sys.argv[0], os.path.join(os.path.dirname(__file__), ".."))
    print(f"{name}: {message}", file=sys.stderr)
    sys.exit(2)


def numbers(name, default, several=True):
    """Positive numbers of a variable; several: more than one makes sense."""
    words = os.environ.get(name, "").split() or default.split()
    if not all(w.isdecimal() and int(w) > 0 for w in words) or not (several or len(words) == 1):
        refuse(f"{name} is '{' '.join(words)}': it must be a number from 1 up"
               + (", or several" if several else ""))
    return [int(w) for w in words]
