"""The use cases: read a stream, receive a webhook, keep promises; no library of its own."""
