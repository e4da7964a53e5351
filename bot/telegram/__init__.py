"""The Telegram edge. Nothing outside this package imports `telegram`."""

import os

# python-telegram-bot warns at every flood answer unless it is told that durations may be timedeltas.
os.environ.setdefault("PTB_TIMEDELTA", "true")
