"""Sends what waits in the outbox: one priority queue, one rate limiter, one backoff."""
