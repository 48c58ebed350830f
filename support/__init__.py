"""The support desk: the next floor of the house. Nothing stands here yet."""
