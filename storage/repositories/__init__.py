"""Access to the tables, within one transaction."""
