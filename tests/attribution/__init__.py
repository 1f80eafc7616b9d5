"""Tests of attribution methods."""
