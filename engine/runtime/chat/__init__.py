"""Chat as a screen of the timeline, and as a door for people.

The screen: `screens` lets each run be shown, `steps` decides what comes next, `screen`
does it on one provider under the crash rule, `lanes` and `health` hold the pace, and
`rooms` says where. `fallback` and `links` are the way out when chat is down. The door:
`desk`.

Nothing here is waited for by a run. Called by bootstrap and the entry points.
"""
