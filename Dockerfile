# scanmill with software EGL, and with NVIDIA's where the container is given a GPU:
#   docker build -t scanmill .
#   docker run --rm -v /data:/data scanmill scanmill render --data /data/scans --dataset RP --out /data/sets/rp
#   docker run --rm --gpus all -v /data:/data scanmill scanmill doctor
# Not built where this was written: there was no Docker engine.
FROM python:3.11-slim-bookworm

# NVIDIA's container runtime mounts its own libEGL of the host's driver only when graphics is asked for.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
RUN mkdir -p /usr/share/glvnd/egl_vendor.d \
    && printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "libEGL_nvidia.so.0"}}\n' \
       > /usr/share/glvnd/egl_vendor.d/10_nvidia.json

WORKDIR /opt/scanmill
COPY . .
RUN bash tools/setup.sh && rm -rf /var/lib/apt/lists/* /root/.cache
ENV PATH=/opt/scanmill/.venv/bin:$PATH
CMD ["scanmill", "--help"]
