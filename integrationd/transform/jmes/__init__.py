"""JMESPath, parsed by its library and compiled to Python: the tree, the code and what it calls."""
