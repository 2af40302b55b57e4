"""One run, from a request to its delivery."""
