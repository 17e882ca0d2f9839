"""Faust's transport to Kafka, and the cluster around it."""
