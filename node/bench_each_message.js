// A peer of bench/consume.py: kafkajs with eachMessage, a log line a trade.
import { Kafka, logLevel } from "kafkajs";

const { BROKER, TOPIC, GROUP } = process.env;
const consumer = new Kafka({ brokers: [BROKER], logLevel: logLevel.ERROR }).consumer({
  groupId: GROUP,
});

await consumer.connect();
await consumer.subscribe({ topics: [TOPIC], fromBeginning: true });
await consumer.run({
  eachMessage: async ({ topic, partition, message }) => {
    const { coinName, price, numOfCoin, tradeId } = JSON.parse(message.value.toString());
    const time = new Date(Number(message.timestamp)).toISOString();
    console.log(
      `trade topic=${topic} partition=${partition} offset=${message.offset} ` +
        `coinName=${coinName} price=${price} numOfCoin=${numOfCoin} time=${time} tradeId=${tradeId}`,
    );
  },
});
