"""Whether it runs as it should: health checks, metrics, the workers' heartbeat."""
