"""Opens an exported model with Python's safetensors package and measures it in numpy on the held-out digits.

usage: accuracy.py MODEL.safetensors VALIDATION.safetensors

Prints one JSON line: {"tensors": [...], "correct": n, "total": n, "surest": index, "surest_label": digit}, where `surest`
is the sample that is classified right with the largest margin. Knows nothing of HydraAI: this is what any PyTorch or
numpy user can do with the network's model.
"""

import json
import sys

import numpy as np
from safetensors.numpy import load_file


def main(model_path: str, data_path: str) -> None:
    model = load_file(model_path)
    data = load_file(data_path)
    x = data["inputs"].reshape(len(data["inputs"]), -1).astype(np.float32) / 16
    layers = sorted({int(name.split(".")[1]) for name in model if name.startswith("layers.")})
    for i in layers:
        x = x @ model[f"layers.{i}.weight"].T + model[f"layers.{i}.bias"]
        if i != layers[-1]:
            x = np.maximum(x, 0)
    right = x.argmax(axis=1) == data["labels"]
    best_two = np.sort(x, axis=1)[:, -2:]
    surest = int(np.where(right, best_two[:, 1] - best_two[:, 0], -1).argmax())
    print(
        json.dumps(
            {
                "tensors": sorted(model),
                "correct": int(right.sum()),
                "total": len(x),
                "surest": surest,
                "surest_label": int(data["labels"][surest]),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
