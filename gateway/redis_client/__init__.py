"""How Redis is reached, for every room that keeps something there: addresses, and what goes wrong."""
