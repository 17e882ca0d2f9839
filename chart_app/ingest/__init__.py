"""The consumer group: from the topic to the store."""
