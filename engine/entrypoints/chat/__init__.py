"""The doors of chat: what people do in Slack and Mattermost comes in, heard once."""
