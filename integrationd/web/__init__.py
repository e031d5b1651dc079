"""The listener: health, metrics, webhooks and the control socket."""
