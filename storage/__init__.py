"""Progress, entries, inbox and outbox as sealed rows, and back. Only this package knows SQLAlchemy."""
