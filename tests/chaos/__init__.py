"""Issue a batch while everything breaks, then count what Stripe's sandbox holds.

`world` makes the batch, `plan` draws from a seed what will happen, `storm` lets it happen to real
workers, `counting` looks at the sandbox's own rows.
"""
