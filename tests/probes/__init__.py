"""Tests of looking inside."""
