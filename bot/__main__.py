"""`python -m bot` is `ipt-bot`."""

from bot.cli import main

main()
