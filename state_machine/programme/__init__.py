"""The tables of the programme: what follows each outcome, and what interrupts."""
