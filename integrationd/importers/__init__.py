"""Other ecosystems' descriptions, turned into specs."""
