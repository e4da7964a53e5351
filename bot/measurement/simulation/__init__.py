"""The whole bot in simulated time: its own parts on real files, clients who live through weeks, a faulty Telegram."""
