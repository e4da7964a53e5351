"""What only measures: simulation, benchmark, metrics of the risk screen. No message passes through it."""
