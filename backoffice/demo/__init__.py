"""The demo: a made company, an outage, and the whole way of its credits through the real parts."""
