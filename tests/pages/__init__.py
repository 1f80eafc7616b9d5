"""Every page through AppTest: the script runs for real, only the browser is missing."""
