"""The proof: every path of a compiled runbook walked through the same `advance`.

One room for each idea: `domains` (what checks, inputs and people can say), `offers` and
`answers` (what can happen to a run that waits), `reading` and `states` (which records
count as one), `walk` (all of it, until nothing is new), `judging` (what must hold),
`times` (the longest way), `story` (the shortest way to what is wrong), `proving` (all
of it for one runbook).

What is taken as it is: what a check says is what conditions see; that the world is so
is not proved. Pure. Called by the command line (`validate`, `prove`).
"""

from engine.analysis.proof.proving import Finding, Proof, prove

__all__ = ["Finding", "Proof", "prove"]
