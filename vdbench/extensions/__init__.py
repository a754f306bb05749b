"""What others add: classes of installed packages, found by their entry points, and of plugin files."""
