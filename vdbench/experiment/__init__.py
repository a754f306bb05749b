"""Running the benchmark: suites, the plan, one trial, the schedulers, tracking and results."""
