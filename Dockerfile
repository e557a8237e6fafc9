# Two stages: the first builds and needs a network, the second only runs.
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY audit audit
COPY exporters exporters
COPY remediation remediation
COPY handlers handlers
COPY storage storage
COPY bot bot
RUN python -m venv /opt/countersign \
 && /opt/countersign/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt '.[all]'

FROM python:3.11-slim
# A number, so that an orchestrator can see that it is not root.
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin countersign \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/countersign /opt/countersign
ENV PATH=/opt/countersign/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATABASE_URL=sqlite:////data/countersign.db \
    COUNTERSIGN_CONFIG=/etc/countersign/countersign.yaml
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 3000
# /healthz says that the process answers: whether it can work (/readyz) is for alerts, not a reason to be killed.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=4)"]
# SIGTERM: finish what is being done, leave the rest to the next process.
STOPSIGNAL SIGTERM
ENTRYPOINT ["countersign"]
CMD ["serve"]
