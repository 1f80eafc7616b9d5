"""Tests of the explorer; ``python3 -m tests`` prepares the machine and runs them all."""
