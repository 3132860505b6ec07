"""What an answer leaves behind for the requests that follow it: the port, and where it is kept."""
