"""The documented actions of the Field Nation connector."""
