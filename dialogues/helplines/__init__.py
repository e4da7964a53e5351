"""Help lines and emergency numbers by country."""
