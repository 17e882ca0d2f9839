// A peer of bench/http.py: Express and kafkajs, answering once Kafka has the trade.
import express from "express";
import { Kafka, logLevel, Partitioners } from "kafkajs";

const { BROKER, TOPIC, PORT } = process.env;
const producer = new Kafka({ brokers: [BROKER], logLevel: logLevel.ERROR }).producer({
  createPartitioner: Partitioners.DefaultPartitioner,
});

const isTrade = ({ topic, coinName, price, numOfCoin }) =>
  topic === TOPIC &&
  typeof coinName === "string" &&
  typeof price === "number" &&
  typeof numOfCoin === "number";

const app = express();
app.use(express.json());
app.post("/send-trading-data", async (request, response) => {
  if (!isTrade(request.body)) {
    return response.sendStatus(422);
  }
  const { topic, coinName, price, numOfCoin } = request.body;
  const value = JSON.stringify({ coinName, numOfCoin, price });
  await producer.send({ topic, acks: -1, messages: [{ key: coinName, value }] });
  response.status(201).type("text").send(`topic ${topic} added`);
});

await producer.connect();
app.listen(Number(PORT), "127.0.0.1");
