"""HTTP without I/O: requests, outcomes, paging, auth and signatures as values and functions."""
