"""The Telegram edge. Nothing outside this package imports `telegram`."""
