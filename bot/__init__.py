"""The edge: Telegram, terminal, clock, courier, command line."""
