# One image for every process of the site: web server, worker, beat, and the preparation that runs before them.
# It holds no secret: those come from the environment, or from the state directory in demo mode.
FROM python:3.12-slim-bookworm AS build
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /site
COPY requirements.txt .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /site --shell /usr/sbin/nologin site \
    && install --directory --owner site --mode 0700 /state /state/gateway /state/static
COPY --from=build /venv /venv
WORKDIR /site
COPY manage.py ./
COPY audit audit
COPY certauthority certauthority
COPY config config
COPY connect connect
COPY gateway gateway
COPY kmp kmp
COPY portal portal
COPY static static
COPY templates templates
COPY deploy/Procfile deploy/Procfile
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATE_DIR=/state
USER site
VOLUME /state
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "4", "--no-ws", "config.wsgi:application"]
