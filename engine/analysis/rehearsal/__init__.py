"""What can be asked of a runbook's own rehearsals: faults, coverage, mutants.

One room for each idea: `drill` (a test with kills in it), `dice` and `faults` (drills
made by chance), `shrinking` (the shortest drill that still shows it), `judging` (what
must hold after any drill, read from outside the engine), `taken` and `ways` (what tests
have taken, and the shortest way to what they have not), `mutants` (the runbook with one
mistake), `writing` (a test as text, put into its file).

Pure. Called by engine.testing, which plays what is made here.
"""
