"""Pictures are what they say."""
