"""YAML to typed values, all problems at once: text, marked tree, frozen dataclasses."""
