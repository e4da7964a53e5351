"""The book: every word a client reads, and the code that reads, checks and renders it."""
