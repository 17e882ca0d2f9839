// node consume.js BROKER TOPIC GROUP
// Prints each record of the topic as a line of JSON, until it is ended.
import { Kafka, logLevel } from "kafkajs";

const [broker, topic, groupId] = process.argv.slice(2);
const consumer = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR }).consumer({ groupId });

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    const { key, value, timestamp } = message;
    console.log(
      JSON.stringify({
        key: key && key.toString(),
        value: JSON.parse(value.toString()),
        timestamp: Number(timestamp), // ms since the epoch
      }),
    );
  },
});
