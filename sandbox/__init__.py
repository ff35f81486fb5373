"""A local ConnectWise PSA and Lansweeper to try and test everything against."""
