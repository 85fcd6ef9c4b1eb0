"""Prints the pixels of one image of a data shard as a JSON list, row by row.

usage: pixels.py SHARD.safetensors INDEX
"""

import json
import sys

from safetensors.numpy import load_file

print(json.dumps(load_file(sys.argv[1])["inputs"][int(sys.argv[2])].reshape(-1).tolist()))
