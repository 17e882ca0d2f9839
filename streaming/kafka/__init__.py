"""Faust's Kafka transport with our consumer and producer, and the administration of topics."""
