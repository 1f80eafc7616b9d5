"""What every registered thing promises, whatever it is."""
