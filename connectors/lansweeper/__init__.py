"""Lansweeper: block, client, GraphQL documents, wire shapes."""
