"""Tests of what would change an answer."""
