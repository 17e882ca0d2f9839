"""FastAPI and aiokafka, with a Pydantic model, served by uvicorn.

FastAPI is installed only in the benchmarks' own environment: see bench/venv.py.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, HTTPException, Request  # type: ignore[import-not-found]
from fastapi.responses import PlainTextResponse  # type: ignore[import-not-found]
from pydantic import BaseModel, Field


class Trade(BaseModel):
    """One trade."""

    coinName: str = Field(min_length=1, max_length=64)
    numOfCoin: float = Field(gt=0)
    price: float = Field(gt=0)


class Submission(Trade):
    """A trade and its topic."""

    topic: str


@asynccontextmanager
async def run_producer(app: FastAPI) -> AsyncIterator[None]:
    """Start the producer with the server and stop it with the server."""
    async with AIOKafkaProducer(
        bootstrap_servers=os.environ["BROKER"], acks="all", enable_idempotence=True
    ) as producer:
        app.state.producer = producer
        yield


app = FastAPI(lifespan=run_producer)


@app.post("/send-trading-data", status_code=201)  # type: ignore[untyped-decorator]
async def post(submission: Submission, request: Request) -> PlainTextResponse:
    """Accept a trade; answer once Kafka has stored it."""
    if submission.topic != os.environ["TOPIC"]:
        raise HTTPException(422)
    stored = await request.app.state.producer.send_and_wait(
        submission.topic,
        submission.model_dump_json(exclude={"topic"}).encode(),
        key=submission.coinName.encode(),
    )
    return PlainTextResponse(f"topic {stored.topic} added", status_code=201)
