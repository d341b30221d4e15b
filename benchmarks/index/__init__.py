"""Building, keeping and opening indexes: time, crashes, damage."""
