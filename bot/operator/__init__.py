"""Commands for the operator of a copy."""
