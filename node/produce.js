// node produce.js BROKER TOPIC VALUE
// Sends VALUE as one record without a key, and ends once the broker has confirmed it.
import { Kafka, logLevel } from "kafkajs";

const [broker, topic, value] = process.argv.slice(2);
const producer = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR }).producer();

await producer.connect();
await producer.send({ topic, acks: -1, messages: [{ value }] });
await producer.disconnect();
