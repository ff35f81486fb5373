"""The campaign of dispatch: tickets, people, bad weather and kills, and what must be true at the end."""
