"""The documented Lansweeper actions, one module each."""
