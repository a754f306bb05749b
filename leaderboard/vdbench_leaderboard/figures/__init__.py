"""Plots as SVG, in the style of seaborn: the same bytes for the same numbers."""
