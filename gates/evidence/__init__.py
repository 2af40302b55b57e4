"""The record of a run, who vouches for it, and what the next run asks again."""
