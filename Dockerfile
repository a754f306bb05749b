# vdbench in a container. On a CPU:
#   docker build --tag vdbench . && docker run --rm --volume vdbench-home:/home/vdbench/data vdbench run
# On a GPU, with an image of CUDA's runtime below it and a torch that was built for it:
#   docker build --tag vdbench:cuda --build-arg BASE=nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04 \
#     --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu128 .
ARG BASE=ubuntu:24.04

# hadolint ignore=DL3006
FROM ${BASE} AS build
ARG EXTRAS=all
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/vdbench
COPY . /source
RUN /opt/vdbench/bin/pip install --no-cache-dir --constraint /source/constraints.txt \
    --extra-index-url "${TORCH_INDEX}" "/source[${EXTRAS}]"

# hadolint ignore=DL3006
FROM ${BASE}
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 vdbench \
    && install --directory --owner vdbench /home/vdbench/data
COPY --from=build /opt/vdbench /opt/vdbench
ENV PATH=/opt/vdbench/bin:${PATH} \
    VDBENCH_HOME=/home/vdbench/data \
    PYTHONUNBUFFERED=1
USER 10001
WORKDIR /home/vdbench
ENTRYPOINT ["vdbench"]
CMD ["doctor"]
