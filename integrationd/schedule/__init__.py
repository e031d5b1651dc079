"""Says when something is due; APScheduler is the timer, nothing more."""
