"""The leaderboard: statistics, tables, figures and a page, made from stored results and nothing else."""
