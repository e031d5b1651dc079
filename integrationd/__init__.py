"""integrationd: connects a site's systems to everybody else's, and learns a new one from a file."""

__version__ = "0.1.0"
