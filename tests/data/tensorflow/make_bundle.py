"""Write the kept TensorFlow checkpoints, and TensorFlow's own answers to images of noise.

    python make_bundle.py FOLDER          (with TensorFlow 2.21 installed; scanmill is not needed)
    python make_bundle.py --compare KEPT OURS     whether TensorFlow reads the same from both

The nets are HDNet's by its description (docs/networks.md, "HDNet"), built from TensorFlow 1's
functions, a thirty-second as wide. Some optimiser slots and a step are saved beside the weights, as
in the released files.
"""

# ruff: noqa: ANN401 - TensorFlow is no dependency, so none of its types is known.

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 32
DIVIDE = 32
NETS = {
    "hourglass_normal_prediction": (3, 3, 1710000),
    "hourglass_stack_fused_depth_prediction": (9, 1, 1920000),
}
"""Channels in and out, and the step of the released file, by scope."""

ENCODER = ((64, 64, 64), (128,), (256,), (512,), (1024, 1024, 512))
DECODER = ((512, 256), (256, 128), (128, 64), (64, 64))


class Hourglass:
    """One net below one scope; counts its convolutions."""

    def __init__(self, tf: Any, scope: str) -> None:
        """Begin at conv1."""
        self.tf, self.scope, self.number = tf, scope, 0

    def variable(self, name: str, values: np.ndarray) -> Any:
        """Make a variable of the released names."""
        name = f"{self.scope}/conv{self.number}/{name}"
        return self.tf.Variable(values.astype(np.float32), name=name, use_resource=False)

    def conv(self, x: Any, outer: int, size: int, *, norm: bool) -> Any:
        """Convolve with SAME padding; then norm by the batch's own statistics, shift, ReLU."""
        tf, inner = self.tf, int(x.shape[-1])
        self.number += 1
        random = np.random.default_rng((self.number, inner, outer))
        deviation = np.sqrt(2.6 / (size * size * inner))
        weights = random.normal(0, deviation, (size, size, inner, outer))
        x = tf.nn.conv2d(x, self.variable("weights", weights), strides=1, padding="SAME")
        x = tf.nn.bias_add(x, self.variable("biases", random.normal(0, 0.1, outer)))
        if not norm:
            return x
        beta = self.variable("beta", random.normal(0, 0.1, outer))
        self.variable("moving_mean", random.normal(0, 1, outer))
        self.variable("moving_variance", random.uniform(0.5, 2, outer))
        mean, variance = tf.nn.moments(x, axes=[0, 1, 2])
        return tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, None, 0.001))

    def net(self, x: Any, channels_out: int) -> Any:
        """Go down four times and up again."""
        tf, levels = self.tf, []
        for level, widths in enumerate(ENCODER):
            if level:
                x = tf.nn.max_pool2d(x, 2, 2, "SAME")
            for width in widths:
                x = self.conv(x, width // DIVIDE, 3, norm=True)
            levels.append(x)
        for skip, widths in zip(reversed(levels[:-1]), DECODER, strict=True):
            size = [2 * int(x.shape[1]), 2 * int(x.shape[2])]
            x = tf.compat.v1.image.resize_bilinear(x, size)  # no half-pixel shift
            x = tf.concat([x, skip], axis=3)
            for width in widths:
                x = self.conv(x, width // DIVIDE, 3, norm=True)
        return self.conv(x, channels_out, 1, norm=False)


def write(folder: Path, tf: Any) -> None:
    """Save a bundle and the answers of each net."""
    random, answers = np.random.default_rng(7), {}
    for scope, (channels_in, channels_out, steps) in NETS.items():
        image = random.uniform(0, 255, (2, SIDE, SIDE, channels_in)).astype(np.float32)
        answers[f"{scope}/input"] = image
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            output = Hourglass(tf, scope).net(tf.constant(image), channels_out)
            tf.Variable(steps, name="global_step", dtype=tf.int64, use_resource=False)
            last = [v for v in tf.compat.v1.global_variables() if "conv18/" in v.name]
            adam = tf.compat.v1.train.AdamOptimizer(1e-3)
            adam.minimize(tf.reduce_mean(output), var_list=last)
            session.run(tf.compat.v1.global_variables_initializer())
            answers[f"{scope}/output"] = session.run(output)
            path = str(folder / f"{scope}.ckpt")
            tf.compat.v1.train.Saver().save(session, path, steps, write_meta_graph=False)
    np.savez_compressed(folder / "answers.npz", **answers)  # type: ignore[arg-type]


def compare(kept: str, other: str, tf: Any) -> None:
    """Say which variables of a bundle that we wrote differ from those of a kept one."""
    before, after = (tf.train.load_checkpoint(prefix) for prefix in (kept, other))
    names = sorted(after.get_variable_to_shape_map())
    unused = ("moving_mean", "moving_variance")
    unlike = [
        name
        for name in names
        if not name.endswith(unused)
        and not np.array_equal(before.get_tensor(name), after.get_tensor(name))
    ]
    print(f"{len(names)} variables read by TensorFlow, unlike: {unlike or 'none'}")  # noqa: T201


if __name__ == "__main__":
    tensorflow: Any = import_module("tensorflow")
    if sys.argv[1] == "--compare":
        compare(sys.argv[2], sys.argv[3], tensorflow)
    else:
        write(Path(sys.argv[1]), tensorflow)
