"""From text to valid trades. No Kafka, no HTTP."""
