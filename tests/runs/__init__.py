"""Tests of the run store and the processes that train."""
