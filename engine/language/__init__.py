"""From the text of a runbook to its model, with every problem at its place.

`load` is the door: text, strict YAML (tree), kinds, model, lint. `problems` shows what
was found, `schema` tells editors. No file is opened here and nothing is run.
"""
