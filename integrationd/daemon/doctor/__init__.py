"""What is wrong with an installation, and what to do about it; writes nothing and needs no lock."""
