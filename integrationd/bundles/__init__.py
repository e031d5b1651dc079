"""Files on disk to bundles: scan, hash, keep the last good, tell what changed."""
