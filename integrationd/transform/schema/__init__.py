"""JSON Schema for records: checked when a file is read, compiled once, run on every record."""
