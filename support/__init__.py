"""The support desk: tickets, the promises made about them, and the people who answer."""
