"""The consumer group: from the topic into the store."""
