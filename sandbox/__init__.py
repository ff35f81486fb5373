"""A local ConnectWise PSA, Lansweeper and Field Nation to try and test everything against."""
