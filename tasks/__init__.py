"""One module per documented action; pure decisions are in tasks.rules."""
