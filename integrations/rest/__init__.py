"""Any JSON-over-HTTP system, declared as data: a recipe says what is asked and how the answer is read."""
