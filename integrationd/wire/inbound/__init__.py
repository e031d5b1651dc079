"""What the ways of proving a sender are made of: places, times, keys, and the bytes signed."""
