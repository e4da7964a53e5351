"""Runs the whole bot in virtual time: real parts and files, simulated clients, a fake Telegram that misbehaves."""
