"""Stripe's door: what Stripe tells us is kept as it came, answered at once, and handled later."""
