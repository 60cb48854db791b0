"""The doors of chat: what Slack and Mattermost post to the engine."""
