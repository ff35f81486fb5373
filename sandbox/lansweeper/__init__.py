"""The Lansweeper side of the sandbox."""
