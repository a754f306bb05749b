"""Results gathered into cells, cells compared within tables, and the tables as numbers and as text."""
