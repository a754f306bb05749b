"""What is measured, declared in YAML: the data sets and the suites."""
