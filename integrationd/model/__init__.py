"""Values that every room knows: JSON, secrets, ids, records, runs and events."""
