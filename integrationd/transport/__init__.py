"""The outside, performed: aiohttp, egress checks, TLS and proxies."""
