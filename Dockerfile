FROM python:3.12.14-slim-trixie

ENV PYTHONUNBUFFERED=1
WORKDIR /app

COPY requirements/run.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt

COPY records.py settings.py topics.py ./
COPY streaming/ streaming/
COPY trading_app/ trading_app/
COPY chart_app/ chart_app/

# The files have the modes of the checkout: under umask 077 only root could read them.
RUN useradd --uid 10001 --no-create-home app && chmod -R a+rX .
USER 10001
CMD ["faust", "-A", "trading_app", "worker"]
