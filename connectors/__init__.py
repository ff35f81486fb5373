"""Clients and blocks of the systems that the flows connect; one package a system."""
