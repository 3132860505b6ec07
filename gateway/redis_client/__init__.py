"""How Redis is reached, for every room that keeps something there: addresses, faults, and who is told of calls."""
