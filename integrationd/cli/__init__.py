"""The commands; each parses words, calls the daemon's composition and prints."""
