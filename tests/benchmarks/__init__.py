"""Figures the product is held to, each measured beside what it is compared with, in the same process."""
