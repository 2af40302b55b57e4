"""What docs/performance.md states, measured: peers in the same run, as ratios."""
