"""Estimates, tests, ranks and scores of accuracies: arithmetic that knows nothing of results."""
