"""What the API says about tickets, and how it is told about them. All times are UTC."""
