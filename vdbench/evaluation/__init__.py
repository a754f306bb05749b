"""How a distilled set is judged: students are trained on it and tested, under every condition of a protocol."""
